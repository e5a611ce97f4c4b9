# shellcheck shell=bash
# shellcheck disable=SC2154 # $work is instance.sh's
#
# results: the lines that scripts/test counts, for the scripts tests/*/run-*. Sourced, not run, after instance.sh.

failures=0

ok() {
	printf 'ok %s\n' "$1"
}

not_ok() {
	printf 'not ok %s: %s\n' "$1" "$2"
	failures=$((failures + 1))
}

skip() {
	printf 'ok %s # skipped: %s\n' "$1" "$2"
}

# result NAME COMMAND…: runs the command in this shell. Where it fails, the last line that it wrote is the reason. All of them follow.
result() {
	local name=$1 lines
	shift
	lines=$(mktemp "$work/result.XXXXXX")
	if "$@" >"$lines" 2>&1; then
		ok "$name"
	else
		not_ok "$name" "$(tail -n 1 "$lines")"
	fi
	sed 's/^/    | /' "$lines"
	rm -f "$lines"
}

# attempt NAME FUNCTION [ARGUMENT…]: runs the function in a subshell with a scratch directory and an instance of its own, where the
# first command that fails ends it; what it then wrote last is the reason. Lines "ok …" and "not ok …" that it prints count too.
attempt() {
	local name=$1 lines status bad
	shift
	lines=$(mktemp "$work/attempt.XXXXXX")
	set +e
	(
		set -eE
		trap 'attempt_place "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND"' ERR
		instance_scratch
		"$@"
	) >"$lines" 2>&1
	status=$?
	set -e
	grep -E '^(not )?ok ' "$lines" || true
	bad=$(grep -c '^not ok ' "$lines" || true)
	failures=$((failures + bad))
	if [ "$status" -eq 0 ] && [ "$bad" -eq 0 ]; then
		ok "$name"
	elif [ "$status" -ne 0 ]; then
		not_ok "$name" "$(grep -vE '^((not )?ok |  at )' "$lines" | tail -n 1) ($(grep '^  at ' "$lines" | head -n 1))"
		sed 's/^/    | /' "$lines"
	fi
	rm -f "$lines"
}

attempt_place() {
	[[ $3 == return* ]] || printf '  at %s:%s %s\n' "$1" "$2" "$3"
}

# For the steps of an attempt: says what was found in place of what was expected, and fails.
expect() {
	local what=$1 wanted=$2 found=$3
	if [ "$wanted" != "$found" ]; then
		printf '%s: expected %s, found %s\n' "$what" "$wanted" "$found"
		return 1
	fi
}

# expect_line WHAT PATTERN FILE: some line of the file matches the extended pattern.
expect_line() {
	if ! grep -qE -e "$2" "$3"; then
		printf '%s: no line matches "%s"; the last are: %s\n' "$1" "$2" "$(tail -n 3 "$3" | tr '\n' ';')"
		return 1
	fi
}

# expect_refusal PATTERN COMMAND…: it fails, and some line that it writes matches the extended pattern. All of them are in $work/refusal.
expect_refusal() {
	local pattern=$1
	shift
	if "$@" >"$work/refusal" 2>&1; then
		printf 'should have been refused (%s): %s\n' "$pattern" "$*"
		return 1
	fi
	expect_line "reason of $*" "$pattern" "$work/refusal"
}

# The end of every run-* script.
results_exit() {
	exit $((failures > 0))
}
