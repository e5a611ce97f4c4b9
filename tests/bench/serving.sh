# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # $work, $data and the options are scripts/bench's and instance.sh's
#
# serving: the server seen from outside, and what is measured on a loaded directory. Sourced by scripts/bench. Each phase starts a server
# with the settings it needs and stops it.

serving_peak_kib=0

# metric NAME: of the last look_at_metrics.
look_at_metrics() {
	curl --silent --fail --max-time 20 --ipv4 --cacert "$data/tls-certificate.pem" \
		--header "Authorization: Bearer $(<"$data/admin.token")" "https://localhost:$port/metrics" >"$work/metrics"
}

metric() {
	awk -v name="cadastre_$1" '$1 == name { print $2 }' "$work/metrics"
}

# CPU time of the server in nanoseconds, its peak memory in KiB, and the CPU time of what publishes: variables cpu_ns, peak_kib, publishing_ns.
look_at_process() {
	read -r cpu_ns peak_kib publishing_ns <<<"$("$programs/tests/bench/process_usage" "$server_pid")"
}

# Nothing is due, the pool is as full as it gets, and for a second the server did nothing.
server_quiet() {
	local before
	process_runs "$server_pid" || die "the server ended: $(tail "$work/server.log")"
	look_at_process
	before=$cpu_ns
	sleep 1
	look_at_process
	look_at_metrics || return
	[ $((cpu_ns - before)) -lt 10000000 ] && [ "$(metric cas_due)" = 0 ] && [ "$(metric key_pool_keys)" = "$(metric key_pool_size)" ]
}

wait_for_quiet() {
	wait_until 1800 server_quiet ||
		die "the server comes to no rest: $(grep -E '^cadastre_(cas_due|key_pool_keys|publication_serial) ' "$work/metrics" | xargs)"
}

published() {
	process_runs "$server_pid" || die "the server ended: $(tail "$work/server.log")"
	api GET /api/v1/publication
	[ "$api_status" = 200 ] && [ "$(api_field '.cas_waiting == 0 and all(.repositories[]; .serial == .cut_serial)')" = true ]
}

# What is signed and waits for its cut doesn't show there: cuts come each second, so it is asked again after one.
published_for_good() {
	published && sleep 1.5 && published
}

# All that was changed is in the notification, of a server whose window is 0.
wait_for_published() {
	wait_until 1800 published_for_good || die "not published: $(head -c 500 "$work/answer")"
}

# Settings of all phases; the window is the phase's own. Old files of serials are not wanted, they would fill the disk; nobody reads an rsync
# tree that was replaced, and after some waves in a few minutes none would be free; and that hundreds of ROAs which were made here go again
# is no loss that an operator should look at.
set_up() {
	instance_set listen "\"127.0.0.1:$port\""
	instance_set rate_limit 1000000
	instance_set rate_burst 1000000
	instance_set file_grace_s 0
	instance_set tree_grace_s 0
	instance_set guard_share 0
	instance_set log_level '"warning"'
	instance_set key_pool "$key_pool"
}

# start WINDOW: the server. Who it is stands in the store, for the run after one that is killed.
start() {
	instance_set batch_window_s "$1"
	server_launch
	keep server <<<"$server_pid"
	wait_until 300 server_ready_or_gone || true
	server_ready || die "the server does not become ready; its log ends with: $(tail -n 20 "$work/server.log")"
}

stop() {
	look_at_process
	[ "$peak_kib" -le $serving_peak_kib ] || serving_peak_kib=$peak_kib
	server_stop
	rm -f "$store/load/server"
}

# With --size small there is no time for hundreds of real keys where what is measured is without them; with --prime-keys nobody wants any.
use_prime_server() {
	if [ "$size" = small ] || [ "$prime_keys" = yes ]; then
		cadastred=$programs/tests/bench/prime_server
		server_environment=("CADASTRE_BENCH_PRIMES=${primes_few}")
	fi
}

use_server() {
	cadastred=$programs/cadastred
	server_environment=()
}

# The members that change ROAs, each with one that is published.
prepare_members() {
	use_prime_server
	start 0
	use_server
	"$programs/tests/bench/roa_wave" "$data" "$wave" >>"$work/waves"
	wait_for_quiet
}

# A server that publishes at once: until a change is in the notification.
measure_notification() {
	"$programs/tests/bench/roa_notify" "$data" "$server_pid" "$notified" >>"$work/figures"
	wait_for_quiet
	api_expect 200 GET /api/v1/publication
	objects_bytes=$(api_field .bytes)
	figure objects "$(api_field .objects)" -
	figure objects_size "$(ratio "$objects_bytes" 1048576)" MiB
	figure repositories "$(api_field '.repositories | length')" -
	figure snapshot_size "$(ratio "$(api_field '[.repositories[].rrdp.snapshot_size] | max')" 1048576)" MiB
	stop
}

# Blocks on disk of all but RRDP's files of serials, the snapshots that are named with their .gz, and the rsync tree that is served. The deltas
# of a load, which are as large as the snapshot and go after some hours, stand in the second figure.
measure_disk() {
	local notification named=() rest rrdp deltas tree
	for notification in "$data"/rrdp/notification.xml "$data"/rrdp/*/notification.xml; do
		[ ! -e "$notification" ] ||
			named+=("$data/rrdp/$(sed -n 's|.*<snapshot uri="[^"]*/rrdp/\([^"]*\)".*|\1|p' "$notification")"*)
	done
	rest=$(du -s -B1 --exclude='snapshot.xml*' --exclude='delta.xml*' --exclude=rsync "$data" | cut -f1)
	deltas=$(find "$data/rrdp" -name 'delta.xml*' -exec du -c -B1 {} + | awk '$2 == "total" { sum += $1 } END { printf "%.0f", sum }')
	rrdp=$(du -c -B1 "${named[@]}" | tail -n1 | cut -f1)
	tree=$(du -s -B1 "$data/rsync/current/" | cut -f1)
	figure disk_over_objects "$(ratio $((rest + rrdp + tree)) "$objects_bytes")" ratio
	figure disk_with_deltas_over_objects "$(ratio $((rest + rrdp + tree + deltas)) "$objects_bytes")" ratio
}

measure_start() {
	local began now
	instance_set batch_window_s 60
	now_ms began
	server_launch
	until server_ready; do
		process_runs "$server_pid" || die "the server ended: $(tail "$work/server.log")"
	done
	now_ms now
	keep server <<<"$server_pid"
	figure startup_ready_s "$(ratio $((now - began)) 1000)" s
}

measure_idle() {
	local before
	wait_for_quiet
	look_at_process
	before=$cpu_ns
	sleep "$idle_s"
	look_at_process
	figure idle_cpu_per_s "$(ratio $((cpu_ns - before)) "${idle_s}000000")" ms
	"$programs/tests/bench/roa_latency" "$data" "$changes" >>"$work/figures"
	stop
}

# Changes of 64 clients while lists are read and the scheduler issues and publishes what comes, every five seconds; then of one CA.
measure_load() {
	local reconciled serial
	start 5
	look_at_metrics
	reconciled=$(metric cas_reconciled_total)
	serial=$(metric publication_serial)
	"$programs/tests/bench/roa_load" "$data" 64 "$seconds" 4 >>"$work/figures"
	"$programs/tests/bench/roa_load" "$data" 64 "$seconds" 4 one >>"$work/figures"
	look_at_metrics
	figure cas_issued_under_load $(($(metric cas_reconciled_total) - reconciled)) CAs
	figure serials_under_load $(($(metric publication_serial) - serial)) -
	stop
}
