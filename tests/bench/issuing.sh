# shellcheck shell=bash
# shellcheck disable=SC2154 # $work, $data and the options are scripts/bench's and instance.sh's
#
# issuing: what it costs to issue changes, once they are answered. Sourced by scripts/bench.
#
# A wave of changes comes, one each of so many CAs, so that none shares a manifest with another or cancels another out: five signatures
# and two one-time keys a change. The batch window is so long that nothing is published meanwhile: more than 200 CAs that wait are
# worked on before its end. So what is measured ends with signed objects in the database; what publishing them costs is measured where a
# change is followed to the notification, and in the virtual day.

# Counters of the server as variables of its caller: cpu (without what publishes: what came before the wave may still be looked at), reconciled, keys_ns, signing_ns, keys, signatures.
look_at_counters() {
	look_at_metrics
	look_at_process
	cpu=$((cpu_ns - publishing_ns))
	reconciled=$(metric cas_reconciled_total)
	keys_ns=$(metric key_generation_cpu_nanoseconds_total)
	signing_ns=$(metric signature_cpu_nanoseconds_total)
	keys=$(metric keys_generated_total)
	signatures=$(metric signatures_total)
}

# issuing_begin POOL: a server with so many keys ahead, at rest, whose batch window has just begun: after a restart that is told from the
# last cut.
issuing_begin() {
	start 0
	"$programs/tests/bench/roa_wave" "$data" 1 >>"$work/waves"
	wait_for_published
	stop
	instance_set key_pool "$1"
	start 3600
	wait_for_quiet
}

# Until the server does nothing any more, after it was seen to work. Few may be left for the window's end; they don't count as issued.
# issued_at_ms, issued_pool: when the last was issued, and the keys that lay in the pool then.
issuing_wait() {
	local before last=$reconciled idle=0 looks
	issued_at_ms=0
	for ((looks = 0; (idle < 2 || issued_at_ms == 0) && looks < 2400; looks++)); do
		process_runs "$server_pid" || die "the server ended: $(tail "$work/server.log")"
		look_at_process
		before=$cpu_ns
		sleep 0.25
		look_at_process
		idle=$((cpu_ns - before < 5000000 ? idle + 1 : 0))
		look_at_metrics || continue
		if [ "$(metric cas_reconciled_total)" != "$last" ]; then
			last=$(metric cas_reconciled_total)
			idle=0
			now_ms issued_at_ms
			issued_pool=$(metric key_pool_keys)
		fi
	done
	[ "$idle" -ge 2 ] || die 'the server goes on and on after a wave of changes'
	[ "$issued_at_ms" -gt 0 ] || die 'nothing was issued after a wave of changes'
}

# Sets issued, the CAs; and of the time until they were: issued_ms, issued_pool, issued_cpu_ns, issued_keys_ns, issued_signing_ns,
# issued_keys, issued_signatures. What the clients look at before they change it is no part of it.
issuing_wave() {
	local cpu reconciled keys_ns signing_ns keys signatures began issued_at_ms wave_pid said told line
	coproc ROA_WAVE { "$programs/tests/bench/roa_wave" "$data" "$wave" hold; }
	wave_pid=$ROA_WAVE_PID
	exec {said}<&"${ROA_WAVE[0]}" {told}>&"${ROA_WAVE[1]}" # bash closes its own at the end of the process
	read -r line <&"$said" && [ "$line" = ready ] || die 'the clients of a wave of changes did not come so far as to change anything'
	look_at_counters
	issued=$reconciled issued_cpu_ns=$cpu issued_keys_ns=$keys_ns issued_signing_ns=$signing_ns issued_keys=$keys issued_signatures=$signatures
	now_ms began
	echo go >&"$told"
	exec {told}>&-
	cat <&"$said" >>"$work/waves"
	exec {said}<&-
	wait "$wave_pid" || die 'the changes of a wave were not answered'
	issuing_wait
	look_at_counters
	issued=$((reconciled - issued)) issued_ms=$((issued_at_ms - began)) issued_cpu_ns=$((cpu - issued_cpu_ns))
	issued_keys_ns=$((keys_ns - issued_keys_ns)) issued_signing_ns=$((signing_ns - issued_signing_ns))
	issued_keys=$((keys - issued_keys)) issued_signatures=$((signatures - issued_signatures))
	[ "$issued" -ge $((wave - 200)) ] || die "of a wave of $wave changes only $issued were issued"
}

# With a pool that is warm enough for all. Keys that are made anew meanwhile are taken out.
measure_issuing() {
	local issued issued_ms issued_pool issued_cpu_ns issued_keys_ns issued_signing_ns issued_keys issued_signatures
	use_prime_server
	issuing_begin $((wave * 5 / 2))
	issuing_wave
	figure issued_signatures_per_change "$(ratio "$issued_signatures" "$issued")" -
	figure issued_signing_cpu_per_change "$(ratio "$issued_signing_ns" "$issued" 0.000001)" ms
	figure issued_cpu_per_change "$(ratio $((issued_cpu_ns - issued_keys_ns)) "$issued" 0.000001)" ms
	figure issued_cpu_over_signing "$(ratio $((issued_cpu_ns - issued_keys_ns)) "$issued_signing_ns")" ratio
	stop
	use_server
	instance_set key_pool "$key_pool"
}

# As fast as keys are made: what a server that is asked for changes without end comes to. It is held against what all cores could make if
# they made nothing else, at the CPU time that a key took in this very wave. What was taken from the pool's few keys, and not made again by
# the end, is not counted.
measure_sustained() {
	local issued issued_ms issued_pool issued_cpu_ns issued_keys_ns issued_signing_ns issued_keys issued_signatures keys_per_s sustained
	issuing_begin "$sustained_pool"
	issuing_wave
	keys_per_s=$(ratio "$issued_keys" "$issued_keys_ns" "$(nproc)000000000")
	sustained=$(awk -v issued="$issued" -v keys="$issued_keys" -v taken=$((sustained_pool - issued_pool)) -v ms="$issued_ms" \
		'BEGIN { printf "%.4g", issued * (1 - taken / keys) / (ms / 1000) }')
	figure issued_sustained_per_s "$sustained" 1/s
	figure issued_keys_per_change "$(ratio "$issued_keys" "$issued")" keys
	figure keys_makeable_per_s "$keys_per_s" 1/s
	figure issued_over_keys "$(awk -v issued="$issued" -v per_s="$sustained" -v keys="$issued_keys" -v keys_per_s="$keys_per_s" \
		'BEGIN { printf "%.4g", per_s / (keys_per_s / (keys / issued)) }')" ratio
	stop
	instance_set key_pool "$key_pool"
}
