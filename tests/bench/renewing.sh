# shellcheck shell=bash
# shellcheck disable=SC2154 # $work, $data and the options are scripts/bench's and instance.sh's
#
# renewing: a virtual day of renewals on a copy of the data directory. Sourced by scripts/bench.

# Published files are never written to, only replaced: the copy has them by link. The rest is copied.
copy_data() {
	local entry
	rm -rf "$store/day"
	mkdir "$store/day"
	for entry in "$data"/*; do
		case ${entry##*/} in
		rrdp | rsync) cp -al "$entry" "$store/day/" ;;
		*) cp -a --reflink=auto "$entry" "$store/day/" ;;
		esac
	done
}

measure_day() {
	local key_ms
	key_ms=$(measured key_generation_ms)
	copy_data
	(
		data=$store/day
		instance_set batch_window_s 60
		instance_set tree_grace_s 7200
	)
	"$programs/tests/bench/virtual_day" "$store/day" "$key_ms" "$day_hours" >>"$work/figures"
	rm -rf "$store/day"
}
