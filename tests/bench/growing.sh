# shellcheck shell=bash
# shellcheck disable=SC2154 # the options are scripts/bench's
#
# growing: all figures of real members at three sizes, side by side. Sourced by scripts/bench --growth.

growth_sizes=${GROWTH_SIZES:-1000 10000 0} # 0: all

# A run of each size, its lines of JSON in $work/<size>; what it says goes to the standard error as ever.
grow() {
	local members status=0 options=()
	[ $prime_keys = no ] || options+=(--prime-keys)
	for members in $growth_sizes; do
		say "== $size, ${members/#0/all} members"
		scripts/bench --size "$size" --members "$members" --data "${kept:-$work/grow}/$members" --json "${options[@]}" \
			>"$work/$members" || status=$?
		[ $status -lt 2 ] || exit "$status"
	done
	# shellcheck disable=SC2086 # a list of words
	grow_table $growth_sizes
	exit $status
}

# grow_table SIZE…: one row a figure, one column a size; as JSON a line for each figure and size.
grow_table() {
	if [ $json = yes ]; then
		for members; do
			jq -c --argjson members "$members" '. + {members: $members}' "$work/$members"
		done
		return
	fi
	for members; do
		jq -r --arg members "$members" '[.figure, $members, .value, .unit, (.aim // "-"), (if .ok == false then "MISSED" else "" end)] | @tsv' \
			"$work/$members"
	done | awk -F'\t' -v sizes="$*" '
		!($1 in unit) { order[++count] = $1 }
		{ value[$1, $2] = $3 $6; unit[$1] = $4; if ($5 != "-") aim[$1] = $5 }
		END {
			n = split(sizes, size, " ")
			printf "%-46s", "figure"
			for (k = 1; k <= n; k++)
				printf " %14s", size[k] == "0" ? "all" : size[k]
			printf " %-8s %s\n", "unit", "aim"
			for (i = 1; i <= count; i++) {
				printf "%-46s", order[i]
				for (k = 1; k <= n; k++)
					printf " %14s", value[order[i], size[k]]
				printf " %-8s %s\n", unit[order[i]], aim[order[i]]
			}
		}'
}
