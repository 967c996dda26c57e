#!/bin/sh
# Builds loiter, records one of the sample programs and shows what it waited for.
#
#     sh samples/demo.sh [SAMPLE [SECONDS [SEED]]]
#
# SAMPLE is the name of a program of this folder (see README.md); two_lock_deadlock if none is given.
# On a terminal the trace is opened in the viewer (q quits), otherwise its report is printed.
# Missing packages are installed with apt-get, which needs root or sudo, and only then.
# The build goes to build/demo, or to the user's cache folder if the tree cannot be written.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd -P)
. "$root/tests/setup.sh"

list_samples() {
	for source in "$root"/samples/*.c; do
		basename "$source" .c
	done
}

check_sample() {
	[ -f "$root/samples/$1.c" ] && return 0
	give_up "there is no sample '$1'; there are: $(list_samples | tr '\n' ' ')"
}

# The sample's own status is passed on by `record` and is no failure of the demo: the stuck ones die
# by a signal. What counts is the trace.
record() {
	say "recording: loiter record -o $trace -- $*"
	rm -f "$trace"
	"$loiter" record -o "$trace" -- "$@" || true
	[ -s "$trace" ] || give_up "no trace was written"
}

show() {
	if [ -t 0 ] && [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then
		say "opening: loiter $trace"
		"$loiter" view "$trace"
		say "to open it again: $loiter $trace"
	else
		say "no terminal here, so as text: loiter report $trace"
		"$loiter" report "$trace"
	fi
}

case ${1:-} in
-h | --help)
	sed -n '2,9s/^# \{0,1\}//p' "$0"
	exit 0
	;;
esac
sample=${1:-two_lock_deadlock}
[ $# -eq 0 ] || shift
check_sample "$sample"
install_needs "$build_needs"
choose_build_root
folder=$build_root/demo
say "building loiter and the samples in $folder (takes a minute the first time)"
configure "$folder" -DLOITER_TESTS=OFF -DLOITER_SAMPLES=ON
build "$folder"
loiter=$folder/viewer/cli/loiter
trace=$folder/$sample.loiter
record "$folder/samples/$sample" "$@"
show
