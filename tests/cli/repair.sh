#!/bin/sh
# `loiter repair` and `loiter repack`: what they make, what they refuse, and that nothing half-made
# stays behind whatever ends them. Usage: repair.sh BUILD-FOLDER
set -u

build=${1:?usage: repair.sh BUILD-FOLDER}
loiter=$build/viewer/cli/loiter
generate=$build/tests/support/generate_trace
failed=

work=$(mktemp -d "${TMPDIR:-/tmp}/loiter-repair.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/out"

fail() {
	echo "FAILED: $*"
	failed=1
}

# run STATUS COMMAND...: output to $work/said
run() {
	wanted=$1
	shift
	"$loiter" "$@" >"$work/said" 2>&1
	status=$?
	[ "$status" -eq "$wanted" ] || {
		fail "loiter $*: status $status, expected $wanted"
		cat "$work/said"
	}
}

# says TEXT: the output contains the text
says() {
	grep -qF -- "$1" "$work/said" || {
		fail "'$1' is missing in:"
		cat "$work/said"
	}
}

# only NAME...: these files are in the folder for output, and no others
only() {
	[ "$(ls "$work/out" | tr '\n' ' ')" = "$*${*:+ }" ] ||
		fail "expected '$*', there are: $(ls "$work/out" | tr '\n' ' ')"
}

"$generate" -q -p thread-like -e 60000 "$work/sound.loiter" || exit 1
size=$(wc -c <"$work/sound.loiter")
head -c $((size * 6 / 10)) "$work/sound.loiter" >"$work/cut.loiter"
cp "$work/sound.loiter" "$work/damaged.loiter"
printf 'XXXX' | dd of="$work/damaged.loiter" bs=1 seek=$((size / 2)) conv=notrunc 2>"$work/dd" ||
	exit 1
out=$work/out/new.loiter

# What they make.
for kind in sound cut damaged; do
	run 0 repair "$work/$kind.loiter" -o "$out"
	says 'events kept'
	only new.loiter
	run 0 verify "$out"
done
run 0 repair "$work/sound.loiter" -o "$out"
says 'nothing was damaged'
run 0 repair "$work/damaged.loiter" -o "$out"
says ' lost; 1 damaged places'
run 0 info "$out"
says 'file damaged'
run 0 repair "$work/cut.loiter" -o "$out"
run 0 info "$out"
says 'The recorder was killed, or the file was cut'

for level in 1 19; do
	run 0 repack --level $level "$work/sound.loiter" -o "$out"
	says '60000 events'
	run 0 verify "$out"
	"$loiter" report --json "$work/sound.loiter" | sed '/"file"/d' >"$work/before"
	"$loiter" report --json "$out" | sed '/"file"/d' >"$work/after"
	cmp "$work/before" "$work/after" || fail "repack changes the report"
done
[ "$(wc -c <"$out")" -lt "$size" ] || fail "repack makes a trace larger"

# What they refuse.
cp "$out" "$work/kept"
run 2 repack "$work/cut.loiter" -o "$out"
says 'loiter repair'
run 2 repack "$work/damaged.loiter" -o "$out"
says 'loiter repair'
for command in repair repack; do
	run 2 $command "$work/sound.loiter" -o "$work/sound.loiter"
	says 'is the file to read'
	ln -sf "$work/sound.loiter" "$work/link"
	run 2 $command "$work/sound.loiter" -o "$work/link"
	run 2 $command "$work/sound.loiter" -o "$work/missing/new.loiter"
	run 2 $command "$work/missing" -o "$out"
	run 2 $command "$work/said" -o "$out"
	run 2 $command "$work/sound.loiter" -o -
	says 'standard output'
	run 2 $command "$work/sound.loiter"
	run 2 $command -o "$out"
	run 2 $command "$work/sound.loiter" "$work/sound.loiter" -o "$out"
	run 0 $command --help
done
run 2 repack --level 20 "$work/sound.loiter" -o "$out"
run 2 repack --level x "$work/sound.loiter" -o "$out"
[ "$(wc -c <"$work/sound.loiter")" -eq "$size" ] || fail "the file to read was changed"
cmp "$out" "$work/kept" || fail "a refused command changes the file to write"
only new.loiter

# What ends them: a full disk (here: a file that may not grow) and signals.
(
	ulimit -f 1 # of 512 or 1024 bytes
	"$loiter" repack "$work/sound.loiter" -o "$out" 2>"$work/said"
	[ $? -eq 2 ]
) || fail "a full disk is not noticed"
says 'new.loiter: cannot write the file'
cmp "$out" "$work/kept" || fail "a full disk costs the file that was there"
only new.loiter

"$generate" -q -p thread-like -e 2000000 "$work/large.loiter" || exit 1
for signal in HUP TERM; do
	"$loiter" repack "$work/large.loiter" -o "$out" 2>"$work/said" &
	pid=$!
	tries=0
	until [ "$(ls "$work/out" | wc -l)" -gt 1 ] || [ $tries -ge 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	kill -$signal $pid
	wait $pid
	[ $? -gt 128 ] || fail "SIG$signal does not end it as a signal"
	cmp "$out" "$work/kept" || fail "SIG$signal costs the file that was there"
	only new.loiter
done

[ -z "$failed" ]
