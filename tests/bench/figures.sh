# shellcheck shell=bash
# shellcheck disable=SC2154 # $work and the options are scripts/bench's
#
# figures: what was measured, what is aimed at, the table. Sourced by scripts/bench.
#
# A figure is a line "name value unit [aim ok]" in $work/figures; programs of this folder print such lines. What brings no aim of its
# own is judged by the table below.

# Figure; "le" (at most) or "ge" (at least); number; where it is judged: always, "load" (not with --size small, whose machine may have
# other things to do), "keys" (always, but not with --prime-keys).
aims='
import_cpu_over_floor             le 1.15 keys
signatures_over_needed            le 1.05 always
key_generation_over_openssl       le 0.30 always
import_cores_busy                 ge 95   load,keys
change_answered_median_ms         le 3    load
change_answered_p99_ms            le 15   load
change_notified_over_allowed      le 1    load
changes_answered_per_s            ge 1000 load
changes_of_one_ca_answered_per_s  ge 1000 load
issued_cpu_over_signing           le 2    always
issued_over_keys                  ge 0.9  load,keys
day_cpu_over_floor                le 1.15 load
tick_ms                           le 1    load
import_peak_memory                le 300  always
serving_peak_memory               le 150  always
startup_ready_s                   le 1    load
disk_over_objects                 le 7    load
'

# Of those above, the ones that are judged in this run.
judged() {
	awk -v size="$size" -v prime_keys="$prime_keys" '
		NF == 4 && !(size == "small" && $4 ~ /load/) && !(prime_keys == "yes" && $4 ~ /keys/)' <<<"$aims"
}

figure() {
	printf '%s\n' "$*" >>"$work/figures"
}

# ratio A B [FACTOR]: A ÷ B × FACTOR; "-", which misses any aim, where there is nothing to divide by.
ratio() {
	awk -v a="$1" -v b="$2" -v factor="${3:-1}" 'BEGIN { if (b == 0) printf "-"; else printf "%.4g", a / b * factor }'
}

# The value of a figure that was measured before in this run, the last one.
measured() {
	awk -v name="$1" '$1 == name { value = $2 } END { print value }' "$work/figures"
}

# Of several lines of one figure the best by its aim; of those without an aim the last.
best() {
	awk 'NR == FNR { if (NF == 4) way[$1] = $2; next }
		!($1 in line) { order[++count] = $1 }
		$2 == "-" && $1 in line { next }
		!($1 in line) || line[$1] ~ / - / || !($1 in way) || (way[$1] == "le" ? $2 + 0 < value[$1] : $2 + 0 > value[$1]) {
			value[$1] = $2 + 0
			line[$1] = $0
		}
		END {
			for (i = 1; i <= count; i++)
				print line[order[i]]
		}' <(printf '%s' "$aims") "$1"
}

# The table, or one object a line; exit code 1 when an aim is missed. "-" stands for no unit.
report() {
	judged >"$work/judged"
	awk -v json="$json" '
		FILENAME != ARGV[2] { way[$1] = $2; aim[$1] = $3; next }
		{
			own = NF == 5
			is_judged = own || $1 in aim
			goal = own ? $4 : aim[$1]
			ok = !is_judged || $2 != "-" && (own ? $5 == "true" : way[$1] == "le" ? $2 + 0 <= goal + 0 : $2 + 0 >= goal + 0)
			missed += !ok
			unit = $3 == "-" ? "" : $3
		}
		json == "no" && !heading++ { printf "%-38s %12s %-8s %s\n", "figure", "value", "unit", "aim" }
		json == "yes" {
			printf "{\"figure\":\"%s\",\"value\":%s,\"unit\":\"%s\",\"aim\":%s,\"ok\":%s}\n", $1, $2 == "-" ? "null" : $2, unit,
				is_judged ? goal : "null", !is_judged ? "null" : ok ? "true" : "false"
		}
		json == "no" {
			sign = own ? "= " : way[$1] == "le" ? "≤ " : "≥ "
			printf "%-38s %12s %-8s %s%s\n", $1, $2, unit, is_judged ? sign goal : "", ok ? "" : "  MISSED"
		}
		END { exit missed > 0 }' "$work/judged" "$1"
}
