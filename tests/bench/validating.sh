# shellcheck shell=bash
# shellcheck disable=SC2154 # $work, $data and the options are scripts/bench's and instance.sh's
#
# validating: what real validators make of the result, which must be the payloads of the members file and no other. Sourced by
# scripts/bench.

# The payloads that were asked for, sorted, each once.
payloads_asked() {
	gzip -dcf "$members" | jq -r '.roas[] | "\(.asn),\(.prefix),\(.maxLength // .max_length)"' >"$work/asked-raw"
	"$validators/canonical" "$work/asked-raw" >"$work/asked"
}

# Each snapshot that is named has its .gz: before, rpki-client complains of large ones.
snapshots_packed() {
	local notification
	for notification in "$data"/rrdp/notification.xml "$data"/rrdp/*/notification.xml; do
		[ ! -e "$notification" ] ||
			[ -e "$data/rrdp/$(sed -n 's|.*<snapshot uri="[^"]*/rrdp/\([^"]*\)".*|\1|p' "$notification").gz" ] || return 1
	done
}

# validate VALIDATOR: over RRDP from a cache that is empty. A figure that is right when both sets are the same.
validate() {
	local name=$1 out=$work/validated-$1 right=false
	PATH=$PATH:/usr/sbin:${CARGO_HOME:-$HOME/.cargo}/bin command -v "$name" >/dev/null || {
		say "$name is not installed (scripts/packages; Routinator: scripts/interop): payloads_${name//-/_} is not measured"
		return 0
	}
	VALIDATE_TIMEOUT=7200 "$validators/validate" "$name-rrdp" "$data/ta/ta.tal" "$data/tls-certificate.pem" "$out" >&2 || true
	[ -e "$out/payloads" ] || : >"$out/payloads"
	if [ ! -s "$out/complaints" ] && "$validators/compare" "$work/asked" "$out/payloads" 'the members file' "$name" >&2; then
		right=true
	fi
	figure "payloads_${name//-/_}" "$(wc -l <"$out/payloads")" payloads "$(wc -l <"$work/asked")" $right
}

# The ROAs that the benchmark itself made are taken away first.
measure_payloads() {
	payloads_asked
	use_prime_server
	start 0
	use_server
	"$programs/tests/bench/roa_wave" "$data" "$wave" withdraw >>"$work/waves"
	wait_for_published
	wait_until 600 snapshots_packed
	validate rpki-client
	validate fort
	validate routinator
	stop
}
