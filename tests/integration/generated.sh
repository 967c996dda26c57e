#!/bin/sh
# Made-up traces of every profile and several seeds: what loiter says about them is what the
# simulation knows to be true. Usage: generated.sh BUILD-FOLDER
set -eu

build=${1:?usage: generated.sh BUILD-FOLDER}
support=$build/tests/support
loiter=$build/viewer/cli/loiter
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# PROFILE SEED EVENTS [OPTION...]
check() {
	profile=$1 seed=$2 events=$3
	shift 3
	"$support/generate_trace" -q -p "$profile" -s "$seed" -e "$events" -T "$work/truth" "$@" \
		"$work/trace.loiter"
	"$loiter" report --json "$work/trace.loiter" >"$work/report"
	"$loiter" info --json "$work/trace.loiter" >"$work/info"
	if ! "$support/truth_check" "$work/trace.loiter" "$work/truth" "$work/report" \
		"$work/info"; then
		echo "generate_trace -p $profile -s $seed -e $events $*: see above"
		failed=1
	fi
}

# The same with nothing planted: whatever the report finds is a false alarm.
check_healthy() {
	check "$@" -x none
	if [ "$("$build/tests/json_query" 'findings#' <"$work/report")" != 0 ]; then
		echo "generate_trace -p $1 -s $2 -e $3 -x none: nothing is wrong, but found are"
		"$build/tests/json_query" 'findings[].summary' <"$work/report"
		failed=1
	fi
}

for seed in 1 2 3; do
	check thread-like $seed 300000
	check go-like $seed 300000
	check many-alive $seed 200000 -t 20000
	check many-short $seed 200000
	check server-idle $seed 30000
	check_healthy server-idle $seed 30000
	check_healthy thread-like $seed 1000000
done
check thread-like 4 1000000
check_healthy go-like 4 1000000
check many-alive 4 1000000

# Equal options, equal bytes; another seed, another trace.
for seed in 7 7 8; do
	"$support/generate_trace" -q -p go-like -s $seed -e 100000 "$work/again.loiter"
	cksum <"$work/again.loiter"
done >"$work/sums"
if [ "$(sed -n 1p "$work/sums")" != "$(sed -n 2p "$work/sums")" ] ||
	[ "$(sed -n 1p "$work/sums")" = "$(sed -n 3p "$work/sums")" ]; then
	echo "traces of seed 7, 7 and 8 should be equal, equal and different"
	failed=1
fi
exit $failed
