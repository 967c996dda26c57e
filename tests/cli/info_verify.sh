#!/bin/sh
# What `loiter info` and `loiter verify` say about a sound, a cut, a damaged and a foreign file, and
# with which exit status. Usage: info_verify.sh BUILD-FOLDER
set -u

build=${1:?usage: info_verify.sh BUILD-FOLDER}
loiter=$build/viewer/cli/loiter
query=$build/tests/json_query
failed=

work=$(mktemp -d "${TMPDIR:-/tmp}/loiter-info.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAILED: $*"
	failed=1
}

# run STATUS COMMAND...: output to $work/out and $work/err
run() {
	wanted=$1
	shift
	"$loiter" "$@" >"$work/out" 2>"$work/err"
	status=$?
	[ "$status" -eq "$wanted" ] || fail "loiter $*: status $status, expected $wanted"
}

# says FILE TEXT: a line of the file contains the text
says() {
	grep -qF -- "$2" "$work/$1" || {
		fail "'$2' is missing in:"
		cat "$work/$1"
	}
}

# gives PATH VALUE: of the JSON document in $work/out
gives() {
	got=$("$query" "$1" <"$work/out")
	[ "$got" = "$2" ] || fail "$1 is '$got', expected '$2'"
}

tab=$(printf '\t')
cat >"$work/events" <<END
program /usr/bin/shop
meta host example
meta argument --port
meta argument 80
meta strange before${tab}after
@0   run T1 existing
@1ms create T2 by T1 at main>start
@2ms block T2 mutex 0x10 at main>worker>lock
     lost 12 ring full
     flush
@3ms unblock T2 by T1
@4s  end
END
"$build/tests/support/write_trace" "$work/events" "$work/sound.loiter" || exit 1
size=$(wc -c <"$work/sound.loiter")
head -c $((size - 1700)) "$work/sound.loiter" >"$work/cut.loiter"
cp "$work/sound.loiter" "$work/damaged.loiter"
printf 'XXXX' | dd of="$work/damaged.loiter" bs=1 seek=1300 conv=notrunc 2>"$work/dd" || exit 1
echo 'hello, I am a text' >"$work/text"
: >"$work/empty"

run 0 info "$work/sound.loiter"
says out 'format version 1'
says out '/usr/bin/shop --port 80'
says out 'length      4.00 s'
says out '12, 12 ring full'
says out 'index       complete'
[ ! -s "$work/err" ] || fail "info complains about a sound trace: $(cat "$work/err")"
! grep -q "$tab" "$work/out" || fail "info lets a tab of the trace through"

cat >"$work/noted.events" <<END
@0   run T1 existing
@1ms counter heap bytes 2048
@3ms counter heap bytes 1048576
@4ms note region of T1 since 1ms called checkout
@9ms end
END
"$build/tests/support/write_trace" "$work/noted.events" "$work/noted.loiter" || exit 1
run 0 info "$work/noted.loiter"
says out 'heap               2     2.00 KiB     1.00 MiB     1.00 MiB'
says out 'region                  1      3.00 ms'
run 0 verify "$work/noted.loiter"

run 0 info "$work/cut.loiter"
says out 'then the trace stops early'
says err 'stops early'
run 0 info "$work/damaged.loiter"
says err 'at byte'

run 0 verify "$work/sound.loiter"
says out 'This trace is sound.'
[ "$(grep -c ' ok ' "$work/out")" -eq 12 ] || fail "not all twelve checks are ok"
run 1 verify "$work/cut.loiter"
says out 'end         damaged'
says out 'index       skipped'
run 0 verify --list
[ "$(wc -l <"$work/out")" -eq 12 ] || fail "not all twelve checks are listed"
run 1 verify "$work/damaged.loiter"
says out 'damaged'
says out 'byte '

for command in info verify; do
	run 2 $command "$work/text"
	says err 'not a'
	run 2 $command "$work/missing"
	says err 'No such file'
	run 2 $command "$work"
	run 2 $command
	run 2 $command "$work/sound.loiter" "$work/sound.loiter"
	run 2 $command --strange "$work/sound.loiter"
	run 0 $command --help
	if [ -w /dev/full ]; then
		"$loiter" $command "$work/sound.loiter" >/dev/full 2>"$work/err"
		[ $? -eq 2 ] || fail "$command does not notice a full disk"
	fi
done
run 2 info "$work/empty"
run 1 verify "$work/empty"

if [ -x "$query" ]; then
	run 0 info --json "$work/sound.loiter"
	gives schema 1
	gives format loiter
	gives version 1
	gives file_bytes "$size"
	gives events 4
	gives blocks 2
	gives tasks 2
	gives stacks 4
	gives duration_ns 4000000000
	gives index complete
	gives truncated false
	gives lost.total 12
	gives 'lost.by_cause' '{"ring full":12}'
	gives meta.host example
	gives meta.argument '["--port","80"]'
	gives meta.strange 'before�after'
	gives 'sections[name=block].count' 2
	gives damage '[]'
	gives counters '[]'
	sum=$("$query" 'sections[].bytes' <"$work/out" | awk '{ sum += $1 } END { print sum }')
	[ "$sum" -eq "$size" ] || fail "the sections have $sum bytes, the file has $size"
	run 0 info --json "$work/noted.loiter"
	gives 'counters[name=heap].max' 1048576
	gives 'counters[name=heap].samples' 2
	gives 'notes[kind=region].total_ns' 3000000
	run 0 info --json "$work/cut.loiter"
	gives truncated true
	gives index none
	run 0 info --json "$work/damaged.loiter"
	gives damage# 1
else
	echo "this build has no jansson: --json was not tried"
fi

[ -z "$failed" ]
