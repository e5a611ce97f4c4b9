# shellcheck shell=bash
# shellcheck disable=SC2034 # variables for the scripts that source this
#
# instance: one cadastred and one rsync daemon on loopback, for the demo and the scripts tests/*/run-*. Sourced, not run.
#
# The caller has `set -euo pipefail` and sets `root`, the source tree. Everything stands under $work, which instance_scratch makes and
# removes; only processes that were started here are ended, by their ids. Every wait has an end.

: "${root:?}"
programs=${CADASTRE_PROGRAMS:-$root/build}
cadastre=$programs/cadastre
cadastred=$programs/cadastred
validators=$root/tests/validators
data='' port=0 rsync_port=0 server_pid='' rsync_pid='' api_status=000
server_environment=() # VARIABLE=VALUE for the server
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C

# ---- time and ports ----

# Milliseconds since 1970, in the variable named.
now_ms() {
	local microseconds=${EPOCHREALTIME//[!0-9]/}
	printf -v "$1" '%d' $((microseconds / 1000))
}

# wait_until SECONDS COMMAND…: asks the command again and again, ever less often, until it succeeds; fails when the time is over.
wait_until() {
	local seconds=$1 now end pause=40
	shift
	now_ms now
	end=$((now + seconds * 1000))
	until "$@"; do
		now_ms now
		if [ "$now" -ge "$end" ]; then
			printf 'gave up after %s s: %s\n' "$seconds" "$*" >&2
			return 1
		fi
		sleep "0.$(printf %03d "$pause")"
		pause=$((pause < 400 ? pause * 5 / 4 : pause))
	done
}

# A port of 127.0.0.1 on which nothing listens, none of those given, below the range from which the kernel takes ports by itself.
free_port() {
	local candidate
	for _ in {1..200}; do
		candidate=$((20000 + RANDOM % 12000))
		if [[ " $* " != *" $candidate "* ]] && ! (exec 3<>"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null; then
			echo "$candidate"
			return
		fi
	done
	echo 'no free port found' >&2
	return 1
}

# ---- scratch directory and processes ----

instance_scratch() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/cadastre.XXXXXX")
	data=$work/data
	server_pid='' rsync_pid=''
	trap instance_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# Ends whatever this shell started and still runs: server, daemon, validators.
instance_cleanup() {
	local process
	trap '' INT TERM HUP
	for process in $(jobs -p); do
		process_end "$process"
	done
	if mountpoint -q "$work/disk"; then
		umount "$work/disk"
	fi
	rm -rf "$work"
}

# disk_create SIZE: a small disk of its own at $work/disk, for $data to lie on; fails where this user may not mount.
disk_create() {
	mkdir "$work/disk"
	mount -t tmpfs -o "size=$1,mode=0700" cadastre-test "$work/disk" 2>/dev/null || return
	data=$work/disk/data
}

process_runs() {
	[ -n "$1" ] && kill -0 "$1" 2>/dev/null
}

process_gone() {
	! process_runs "$1"
}

# Ends a process that was started here: asks, and after ten seconds insists.
process_end() {
	process_runs "$1" || return 0
	kill "$1" 2>/dev/null || true
	wait_until 10 process_gone "$1" || kill -KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

# ---- the instance ----

# instance_create [OPTION OF INIT…]: lays $data on two free ports.
instance_create() {
	port=$(free_port)
	rsync_port=$(free_port "$port")
	"$cadastre" init --data "$data" --rrdp-uri "https://localhost:$port/rrdp/" --rsync-uri "rsync://localhost:$rsync_port/repo/" \
		--listen "127.0.0.1:$port" "$@" >"$work/init.log" 2>&1 || {
		cat "$work/init.log" >&2
		return 1
	}
}

# instance_set KEY VALUE: changes a setting in the configuration file.
instance_set() {
	grep -qE "^#? ?$1 *[=:]" "$data/cadastre.conf" || {
		echo "cadastre.conf has no $1" >&2
		return 1
	}
	sed -i -E "s|^#? ?($1) *([=:]).*|\\1 \\2 $2;|" "$data/cadastre.conf"
}

# server_launch: starts the server and doesn't wait for it. In a session of its own, so that Ctrl-C reaches only us.
server_launch() {
	setsid env "${server_environment[@]}" "$cadastred" --data "$data" >>"$work/server.log" 2>&1 </dev/null &
	server_pid=$!
}

server_ready() {
	[ "$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 5 --ipv4 --cacert "$data/tls-certificate.pem" \
		"https://localhost:$port/health/ready" 2>/dev/null)" = 200 ]
}

server_not_ready() {
	! server_ready
}

server_ready_or_gone() {
	process_gone "$server_pid" || server_ready
}

server_start() {
	server_launch
	if ! wait_until 60 server_ready_or_gone || process_gone "$server_pid"; then
		echo 'the server did not become ready; its log ends with:' >&2
		tail -n 20 "$work/server.log" >&2
		return 1
	fi
}

# server_stop: asks it to stop; fails unless it ends with code 0 within 30 seconds.
server_stop() {
	local status=0
	kill "$server_pid"
	wait_until 30 process_gone "$server_pid" || {
		echo 'the server still runs 30 s after SIGTERM' >&2
		return 1
	}
	wait "$server_pid" || status=$?
	server_pid=''
	[ "$status" -eq 0 ] || {
		echo "the server ended with $status at SIGTERM" >&2
		return 1
	}
}

# server_refuses: the server must end by itself, within 20 seconds, with a code other than 0. What it wrote is in
# $work/refusal.
server_refuses() {
	local status=0
	timeout -k 5 20 env "${server_environment[@]}" "$cadastred" --data "$data" >"$work/refusal" 2>&1 </dev/null || status=$?
	case $status in
	0 | 124 | 137 | 134 | 139)
		echo "the server ended with $status; it should have refused. It wrote: $(tail -n 3 "$work/refusal")"
		return 1
		;;
	esac
}

# rsyncd.conf has an owner for its processes, so it works for root and for anybody else.
rsync_start() {
	setsid rsync --daemon --no-detach --config="$data/rsyncd.conf" --port="$rsync_port" --address=127.0.0.1 \
		--log-file="$work/rsync.log" >/dev/null 2>&1 </dev/null &
	rsync_pid=$!
	wait_until 20 rsync_answers || {
		echo 'the rsync daemon did not start' >&2
		cat "$work/rsync.log" >&2
		return 1
	}
}

rsync_answers() {
	rsync --timeout=5 "rsync://localhost:$rsync_port/" >/dev/null 2>&1
}

# ---- the server's clock ----

# Empty where it isn't installed.
faketime=$(compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' | head -n 1) || true

# clock_fake VARIABLE=VALUE…: servers started from here on have the time that these variables of libfaketime tell.
clock_fake() {
	server_environment=("LD_PRELOAD=$faketime" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_RESET=1 "$@")
}

# clock_set OFFSET: the time is off by so many seconds, +600, also of a server that runs. First clock_follow, before it starts.
clock_set() {
	echo "$1" >"$work/clock"
}

clock_follow() {
	clock_fake "FAKETIME_TIMESTAMP_FILE=$work/clock"
	clock_set +0
}

# ---- the API ----

# api METHOD PATH [BODY [TOKEN]]: the body of the answer goes to $work/answer, its status to api_status (000: no answer).
# Without a token the administrator's is used; without a body, or with an empty one, none is sent.
api() {
	local token=${4:-} arguments=()
	[ -n "$token" ] || token=$(<"$data/admin.token")
	[ -z "${3:-}" ] || arguments=(--header 'Content-Type: application/json' --data-binary "$3")
	api_status=$(curl --silent --max-time 60 --ipv4 --cacert "$data/tls-certificate.pem" --request "$1" \
		--header "Authorization: Bearer $token" "${arguments[@]}" --output "$work/answer" --write-out '%{http_code}' \
		"https://localhost:$port$2") || api_status=000
}

# api_expect STATUS METHOD PATH [BODY [TOKEN]]: like api, and fails at any other status.
api_expect() {
	local wanted=$1
	shift
	api "$@"
	if [ "$api_status" != "$wanted" ]; then
		printf '%s %s: expected %s, got %s: %s\n' "$1" "$2" "$wanted" "$api_status" "$(head -c 1000 "$work/answer")" >&2
		return 1
	fi
}

# api_field FILTER: of the last answer, by jq.
api_field() {
	jq -r "$1" "$work/answer"
}

cli() {
	"$cadastre" "$@" --data "$data"
}

# member_create HANDLE RESOURCES: a CA with the resources given as the command line takes them.
member_create() {
	cli ca create "$1" --resources "$2" >"$work/created"
}

# roa_add HANDLE ASN PREFIX…: one request with all of them.
roa_add() {
	local handle=$1 asn=$2 entries='' prefix
	shift 2
	for prefix; do
		entries+=${entries:+,}"{\"asn\":$asn,\"prefix\":\"$prefix\"}"
	done
	api_expect 200 POST "/api/v1/cas/$handle/roas" "{\"added\":[$entries]}"
}

# ---- publication ----

# True when every ROA of the CA is in the notification on disk.
ca_published() {
	api GET "/api/v1/cas/$1/roas"
	[ "$api_status" = 200 ] && [ "$(api_field 'all(.roas[]; .status == "published")')" = true ]
}

# True when nothing waits: no CA, no cut, and both RRDP and rsync have the last serial.
publication_settled() {
	api GET /api/v1/publication
	[ "$api_status" = 200 ] &&
		[ "$(api_field '.cas_waiting == 0 and .serial == .cut_serial and .rsync.serial == .serial')" = true ]
}

# "ASN,prefix,maxLength" lines of what the CA's member asked for, as tests/validators/canonical prints them.
ca_payloads() {
	api_expect 200 GET "/api/v1/cas/$1/roas"
	api_field '.roas[] | "\(.asn),\(.prefix),\(.max_length)"' | sort -u
}
