#!/bin/sh
# How recordings end: status, signals, limits, a full disk. Usage: ends.sh BUILD-FOLDER
set -eu
. "$(dirname "$0")/recording.sh"

record() {
	status=0
	"$loiter" record "$@" >out 2>err </dev/null || status=$?
}

subject='exit status'
for wanted in 0 1 3 255; do
	record -o status.loiter -- sh -c "exit $wanted"
	expect_status "$wanted"
	read_trace status.loiter
	says "^process 1 .* exited $wanted "
done
record -o status.loiter -- sh -c 'kill -SEGV $$'
expect_status 139
read_trace status.loiter
says '^process 1 .* killed 11 '
told 'status.loiter: .* events\?, 0 lost$'

subject='memory of the program'
record -o memory.loiter -- sleep 1.2
"$loiter" info memory.loiter >out 2>err || fail "info fails: $(cat err)"
grep -q '^  resident  *[2-4] ' out || fail "there are no samples of memory: $(cat out)"

subject='programs that cannot be executed'
record -o none.loiter -- ./there-is-no-such-program
expect_status 127
record -o none.loiter -- there-is-no-such-program
expect_status 127
told 'PATH'
: >no-program
record -o none.loiter -- ./no-program
expect_status 126
chmod +x no-program
record -o empty.loiter -- ./no-program # an empty script: a shell runs it
expect_status 0
record -o none.loiter -- "$work"
expect_status 126
[ ! -e none.loiter ] || fail 'left a trace of nothing'

subject='name of the file'
record -- "$programs/family" fork
expect_status 4
set -- family.*.loiter
[ $# -eq 1 ] && [ -s "$1" ] || fail "wrote $*"
cp /bin/true program
record -o program -- ./program
expect_status 2
told 'is the program itself'
cmp -s program /bin/true || fail 'overwrote the program'
record -o missing/folder.loiter -- true
expect_status 2
record
expect_status 2
record --stack-depth 129 -- true
expect_status 2
record --follow-children maybe -- true
expect_status 2
for resolution in 0ns 2ms 64 fast; do
	record --resolution "$resolution" -- true
	expect_status 2
done

subject='signals are passed on'
in_background "$loiter" record -o passed.loiter -- "$programs/asked"
wait_until_ready
kill -USR1 "$recorder"
sleep_ms 100
kill -USR2 "$recorder"
wait_for_recorder
expect_status 0
grep -q '^got 1 10$' out && grep -q '^got 1 12$' out || fail "the program got: $(cat out)"
read_trace passed.loiter
says '^process 1 .* exited 0 '

subject='SIGTERM ends program and recording'
in_background "$loiter" record -o term.loiter -- "$programs/busy_and_stuck"
wait_until_ready
kill -TERM "$recorder"
wait_for_recorder
expect_status 7
grep -q '^clean$' out || fail 'the program did not end by itself'
read_trace term.loiter
says '^process 1 .* exited 7 '
says '^truncated no'

subject='asked twice, a deaf program is left alone'
in_background "$loiter" record -o deaf.loiter -- "$programs/busy_and_stuck" deaf
wait_until_ready
kill -TERM "$recorder"
sleep_ms 700
kill -TERM "$recorder"
wait_for_recorder
expect_status 143
told 'still running'
kill -0 "$program" || fail 'the program is gone'
kill -KILL "$program"
read_trace deaf.loiter
says '^process 1 .* running 0 '
says '^truncated no'
says '^meta warning the recording ended before the program'

subject='a deaf program has five seconds'
in_background "$loiter" record -o grace.loiter -- "$programs/busy_and_stuck" deaf
wait_until_ready
kill -HUP "$recorder"
kill -TERM "$recorder"
wait_for_recorder
expect_status 129
read_trace grace.loiter

if command -v script >/dev/null 2>&1; then
	subject='control-C reaches the program once'
	: >out
	(
		wait_for grep -q '^ready ' out
		printf '\003'
		sleep 3
	) | script -qefc "'$loiter' record -o terminal.loiter -- '$programs/asked'" out >/dev/null || :
	tr -d '\r' <out | grep -q 'got 1 2$' || fail "the program got: $(cat out)"
	read_trace terminal.loiter
	says '^truncated no'
fi

subject='duration'
in_background "$loiter" record -o duration.loiter --duration 300ms -- "$programs/busy_and_stuck"
wait_until_ready
wait_for grep -q 'duration.loiter: ' err
read_trace duration.loiter
says '^truncated no'
says '^meta warning the recording ended before the program: 300 ms were over'
says '^process 1 .* running 0 '
told 'the program runs on'
kill -0 "$program" || fail 'the program is gone'
kill -TERM "$program"
wait_for_recorder
expect_status 7

subject='size limit'
in_background "$loiter" record -o size.loiter --max-size 40K -- "$programs/busy_and_stuck"
wait_until_ready
wait_for grep -q 'size.loiter: ' err
kill -TERM "$program"
wait_for_recorder
expect_status 7
bytes=$(wc -c <size.loiter)
[ "$bytes" -gt 20480 ] && [ "$bytes" -le 40960 ] || fail "the file has $bytes bytes"
read_trace size.loiter
says '^truncated no'
says '^meta warning the recording ended before the program: no more fitted into 40'

# A program that is busy all the time fills three quarters at least, and never more than all.
for size in 64 256 1024; do
	subject="size limit, $size KiB"
	in_background "$loiter" record -o size.loiter --max-size ${size}K -- "$programs/busy_and_stuck"
	wait_until_ready
	wait_for grep -q 'size.loiter: ' err
	kill -TERM "$program"
	wait_for_recorder
	expect_status 7
	bytes=$(wc -c <size.loiter)
	[ "$bytes" -ge $((size * 768)) ] && [ "$bytes" -le $((size * 1024)) ] ||
		fail "the file has $bytes bytes"
done

subject='a device that is full from the start'
record -o /dev/full -- "$programs/busy_and_stuck"
expect_status 2
told 'No space left'
[ ! -s out ] || fail 'the program was started'

subject='a disk that fills up'
mkdir small
if unshare -rm true 2>/dev/null; then
	in_background unshare -rm sh -c "mount -t tmpfs -o size=64k none small || exit 1
		'$loiter' record -o small/full.loiter -- '$programs/busy_and_stuck'
		status=\$?
		cp small/full.loiter .
		exit \$status"
	wait_until_ready
	wait_for grep -q 'cannot be written' err
	alive=$(grep -c '^alive' out)
	wait_for sh -c "[ \$(grep -c '^alive' out) -gt $((alive + 2)) ]"
	kill -TERM "$program"
	wait_for_recorder
	expect_status 7
	told 'No space left'
	told 'cut short, but readable'
	"$check" full.loiter >facts || grep -q 'broken: damage: the file ends inside' facts ||
		fail "$(grep broken facts)"
	says '^truncated yes'
	says '^task .* stuck-cond$'
fi

subject='standard descriptors that are closed'
status=0
"$loiter" record -o closed.loiter -- "$programs/family" fork <&- >&- 2>&- || status=$?
expect_status 4
read_trace closed.loiter

subject='what the program inherits'
"$programs/inherited" >bare </dev/null 2>err
record -o inherited.loiter -- "$programs/inherited"
diff bare out || fail 'it is not the same'
(
	trap '' HUP PIPE CHLD USR1
	"$programs/inherited" >bare </dev/null 2>err
	"$loiter" record -o inherited.loiter -- "$programs/inherited" >out 2>err </dev/null
)
diff bare out || fail 'with ignored signals it is not the same'

subject='a program that never loads the library'
record -o unseen.loiter -- env -i LD_PRELOAD= "$programs/family" fork
expect_status 4
read_trace unseen.loiter
finish
