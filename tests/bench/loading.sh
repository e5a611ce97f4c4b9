# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # $work, $data and the options are scripts/bench's and instance.sh's
#
# loading: the members, the data directory they are loaded into, and what that takes. Sourced by scripts/bench.
#
# A store is a directory with the data directory in data/ and what is known of its load in load/: "size" once it is laid, "done" once it
# is loaded, and a line of counters for each run that loaded, written anew each second, so that a kill costs a second of them.

# keep FILE: what comes on the standard input, whole and durable or not at all.
keep() {
	cat >"$store/load/.new"
	sync "$store/load/.new"
	mv "$store/load/.new" "$store/load/$1"
}

members_given() {
	printf '%s' "${CADASTRE_MEMBERS:-$root/../shared/data/members-$size.jsonl.gz}"
}

members_needed() {
	[ "$members_n" -gt 0 ] || [ -r "$(members_given)" ] ||
		die "$(members_given) is not there: members with resources and ROAs, as \`cadastre import members\` takes them; or name a file in CADASTRE_MEMBERS"
}

# What must be there, before hours go by.
examine() {
	[ -z "$profile" ] || command -v perf >/dev/null || die '--profile needs perf (Debian: linux-perf)'
	[ -z "$profile" ] || : >>"$profile" || die "$profile can't be written"
	if [ -n "$kept" ]; then
		store=$kept
		other_bench
		store_fits
		[ -z "$profile" ] || [ ! -e "$store/load/done" ] || die "--profile is of a load, and $store is loaded"
	elif [ "$size" = ripencc ] || [ "$size" = world ]; then
		say "Without --data what is loaded for hours is thrown away at the end"
	fi
}

# Who works on a store stands in it.
other_bench() {
	local other
	other=$(cat "$store/load/bench" 2>/dev/null) || return 0
	if [ "$other" != $$ ] && [ -r "/proc/$other/cmdline" ] && tr '\0' ' ' <"/proc/$other/cmdline" | grep -q bench; then
		die "another benchmark, process $other, works on $store"
	fi
}

# What a kept store holds must be what is asked for.
store_fits() {
	local description
	description=$(store_description)
	[ ! -e "$store/load/size" ] || [ "$(<"$store/load/size")" = "$description" ] ||
		die "$store holds something else: \"$(<"$store/load/size")\", not \"$description\" (size, members, ROAs of each, --members)"
	[ "$prime_keys" = no ] || [ ! -e "$store/load/size" ] || [ -e "$store/load/prime-keys" ] || [ -e "$store/load/done" ] ||
		die "$store is half loaded with real keys: go on without --prime-keys"
}

store_description() {
	printf '%s' "$size $members_n $members_m"
	[ "$members_first" -eq 0 ] || printf ' %s' "$members_first"
}

# With --members only the first so many of the file.
members_real() {
	local given
	given=$(members_given)
	members=$given
	if [ "$members_first" -gt 0 ]; then
		members=$store/members.jsonl.gz
		# head closes the pipe early, by design
		{ gzip -dcf "$given" || true; } 2>/dev/null | head -n "$members_first" | gzip -1 >"$members"
	fi
}

# Each holds an AS number, an IPv4 block with room for its ROAs (each a /24 of it) and an IPv6 /48.
members_synthetic() {
	members=$store/members.jsonl
	awk -v n="$members_n" -v m="$members_m" 'BEGIN {
		bits = 0
		while (2 ^ bits < m)
			bits++
		for (i = 0; i < n; i++) {
			block = 16 * 65536 + i * 2 ^ bits
			asn = 4200000000 + i
			printf "{\"id\":\"M%06d\",\"asn\":[\"%.0f\"],\"ipv4\":[\"%s/%d\"],", i, asn, address(block), 24 - bits
			printf "\"ipv6\":[\"2400:%x:%x::/48\"],\"roas\":[", int(i / 65536) + 1, i % 65536
			for (k = 0; k < m; k++)
				printf "%s{\"asn\":%.0f,\"prefix\":\"%s/24\",\"maxLength\":24}", (k ? "," : ""), asn, address(block + k)
			print "]}"
		}
	}
	function address(slash_24) {
		return sprintf("%d.%d.%d.0", int(slash_24 / 65536), int(slash_24 / 256) % 256, slash_24 % 256)
	}' >"$members"
}

# How many signatures all that was ever published took: CA certificate 1, CRL 1, manifest 2, ROA 2. CRLs and manifests by their numbers,
# which rise with each that is published; rows of replaced ones go after a time.
signatures_needed() {
	sqlite3 -readonly "$data/cadastre.db" "SELECT (SELECT sum(crl_number) + 2 * sum(manifest_number) FROM keys) +
		(SELECT sum(CASE kind WHEN 'roa' THEN 2 ELSE 1 END) FROM objects
			WHERE published_serial IS NOT NULL AND kind IN ('ta', 'cer', 'roa'))"
}

idle_ns() {
	awk -v hertz="$(getconf CLK_TCK)" '$1 == "cpu" { printf "%.0f", ($5 + $6) / hertz * 1e9 }' /proc/stat
}

# What the server that loads has used until now, as one line in files of this run: loading may take several runs.
record() {
	local now name
	now_ms now
	look_at_process
	look_at_metrics || return 0
	printf '%s %s %s %s %s %s %s %s\n' "$cpu_ns" "$(metric key_generation_cpu_nanoseconds_total)" \
		"$(metric signature_cpu_nanoseconds_total)" "$(metric keys_generated_total)" "$(metric signatures_total)" "$peak_kib" \
		$((now - load_began_ms)) $(($(idle_ns) - load_idle_ns)) >"$work/record"
	for name; do
		keep "$name" <"$work/record"
	done
}

# The columns of all runs of one kind: sums, but of memory the largest.
recorded() {
	cat "$store"/load/"$1"-* | awk -v column="$2" '
		{ total = column == 6 ? ($6 > total ? $6 : total) : total + $column }
		END { printf "%.0f", total }'
}

# An import that a kill cut short goes on by itself in the server; until it is done, no other is taken: 6.
import_members() {
	local status
	while :; do
		status=0
		if [ "$json" = yes ] || [ ! -t 2 ]; then
			cli import members "$members" >"$work/import" 2>&1 || status=$?
		else
			cli import members "$members" >"$work/import" || status=$?
		fi
		[ $status -eq 6 ] || return $status
		sleep 2
	done
}

load_profile() {
	[ -n "$profile" ] || return 0
	perf record -q -F 99 -p "$server_pid" -o "$work/perf.data" >/dev/null 2>&1 &
	perf_pid=$!
}

# Shares by the server's own counters, by what they are for, by library, by function.
report_profile() {
	[ -n "$profile" ] || return 0
	kill -INT "$perf_pid"
	wait "$perf_pid" || true
	perf report -i "$work/perf.data" --stdio --sort dso,symbol 2>/dev/null | grep '%' >"$work/symbols"
	{
		awk '{ printf "By the counters: key generation %.2f%%, signing %.2f%%, all else %.2f%%\n\n",
			$2 / $1 * 100, $3 / $1 * 100, ($1 - $2 - $3) / $1 * 100 }' "$work/record"
		awk -f "$root/tests/bench/profile.awk" "$work/symbols"
		echo
		perf report -i "$work/perf.data" --stdio --sort dso --percent-limit 0.1 2>/dev/null | grep '%'
		echo
		awk '$1 + 0 >= 0.1' "$work/symbols"
	} >"$profile"
}

# p primes give about p² / 2 keys, and no two CAs may have the same: more than all CAs, ROAs and manifests need.
primes_enough() {
	gzip -dcf "$members" | awk '{ keys += 3 + gsub(/"prefix"/, "") } END { printf "%d", 2 * int(sqrt(2.6 * keys) / 2) + 60 }'
}

# Recorded as "busy" until nothing waits for its signatures any more (an import that only repeats what a kill cut short is done before
# that), as "all" until all is quiet.
load() {
	local run importer load_began_ms load_idle_ns
	run=$(date +%s)
	now_ms load_began_ms
	load_idle_ns=$(idle_ns)
	if [ "$prime_keys" = yes ]; then
		cadastred=$programs/tests/bench/prime_server
		server_environment=("CADASTRE_BENCH_PRIMES=$(primes_enough)")
	fi
	start $load_window
	load_profile
	import_members &
	importer=$!
	while process_runs "$importer" || [ "$(metric cas_due)" != 0 ]; do
		process_runs "$server_pid" || die "the server ended: $(tail "$work/server.log")"
		sleep 1
		record "busy-$run" "all-$run"
	done
	wait "$importer" || die "the import failed: $(cat "$work/import" && tail "$work/server.log")"
	wait_for_quiet
	record "all-$run"
	report_profile
	signatures_needed | keep needed
	stop
	serving_peak_kib=0 # that was the load's
	use_server
	[ "$(sqlite3 -readonly "$data/cadastre.db" 'SELECT count(*) FROM cas WHERE set_aside_at IS NOT NULL')" = 0 ] ||
		die "CAs are set aside: $(cli ca list --set-aside 2>&1 | head -n 5)"
	keep done <"$store/load/needed"
}

load_figures() {
	local cpu keys signing made needed busy
	cpu=$(recorded all 1) keys=$(recorded all 2) signing=$(recorded all 3) made=$(recorded all 5) busy=$(recorded busy 1)
	needed=$(($(<"$store/load/needed") - $(<"$store/load/needed-before")))
	figure import_wall_s "$(ratio "$(recorded busy 7)" 1000)" s
	figure import_cpu_s "$(ratio "$cpu" 1000000000)" s
	figure import_floor_s "$(ratio $((keys + signing)) 1000000000)" s
	figure import_cpu_over_floor "$(ratio "$cpu" $((keys + signing)))" ratio
	figure import_cpu_over_signing "$(ratio $((cpu - keys)) "$signing")" ratio
	figure import_cores_busy "$(ratio "$busy" $((busy + $(recorded busy 8))) 100)" %
	figure import_keys_made "$(recorded all 4)" keys
	figure import_key_ms "$(ratio "$keys" "$(recorded all 4)" 0.000001)" ms
	figure import_signature_ms "$(ratio "$signing" "$made" 0.000001)" ms
	figure signatures_made "$made" -
	figure signatures_needed "$needed" -
	figure signatures_over_needed "$(ratio "$made" "$needed")" ratio
	figure import_peak_memory "$(ratio "$(recorded all 6)" 1024)" MiB
}

# A server that a run before this one left behind, when that was killed, still has the directory.
end_left_server() {
	local left
	left=$(cat "$store/load/server" 2>/dev/null) || return 0
	if [ -n "$left" ] && [ -r "/proc/$left/cmdline" ] && tr '\0' ' ' <"/proc/$left/cmdline" | grep -qF -- "--data $data "; then
		say "Ending the server that an earlier run left behind ($left)"
		process_end "$left"
		wait_until 60 process_gone "$left" || die "process $left still has $data"
	fi
	rm -f "$store/load/server"
}

# Laid, or what a kill left of that laid anew. A directory that was loaded with keys from primes stays one, whatever is asked for.
lay() {
	if [ ! -e "$store/load/size" ]; then
		[ ! -e "$data" ] || [ -e "$store/load/laying" ] || die "$data is there, but was not made by this"
		keep laying </dev/null
		rm -rf "$data"
		instance_create --batch-window $load_window
		signatures_needed | keep needed-before
		[ "$prime_keys" = no ] || keep prime-keys </dev/null
		keep size <<<"$(store_description)"
	fi
	store_fits
	[ ! -e "$store/load/prime-keys" ] || prime_keys=yes
}

# A fresh data directory, or the one that is there.
prepare() {
	store=$1
	data=$store/data
	mkdir -p "$store/load"
	other_bench
	keep bench <<<$$
	end_left_server
	if [ "$members_n" -gt 0 ]; then
		members_synthetic
	else
		members_real
	fi
	lay
	# The port stands in what is published.
	port=$(sed -n 's|^rrdp_uri *[=:] *"https://[^/]*:\([0-9]*\)/.*|\1|p' "$data/cadastre.conf")
	set_up
}
