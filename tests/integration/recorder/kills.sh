#!/bin/sh
# SIGKILL of the program and of the recorder at random moments. Usage: kills.sh BUILD-FOLDER [ROUNDS]
set -eu
. "$(dirname "$0")/recording.sh"
rounds=${2:-15}

all_four_are_stuck() {
	stuck stuck-mutex 'mutex lock' mutex wait_for_mutex
	stuck stuck-cond 'cond wait' cond wait_for_cond
	stuck stuck-sem 'semaphore wait' semaphore wait_for_sem
	stuck stuck-read 'read' descriptor wait_for_pipe
}

i=0
while [ "$i" -lt "$rounds" ]; do
	i=$((i + 1))

	subject="program killed while it works, round $i"
	in_background "$loiter" record -o killed.loiter -- "$programs/busy_and_stuck"
	wait_until_ready || break
	sleep_ms "$(random 60)"
	kill -KILL "$program"
	wait_for_recorder
	expect_status 137
	read_trace killed.loiter
	says '^truncated no'
	says "^process 1 $program 0 killed 9 .*/busy_and_stuck"
	all_four_are_stuck

	subject="program killed at any moment, round $i"
	in_background "$loiter" record -o early.loiter -- "$programs/busy_and_stuck"
	wait_for pgrep -P "$recorder" || break
	sleep_ms "$(random 40)"
	program=$(pgrep -P "$recorder") && kill -KILL $program
	wait_for_recorder
	expect_status 137
	[ ! -e early.loiter ] || read_trace early.loiter

	subject="recorder killed, round $i"
	in_background "$loiter" record -o orphan.loiter -- "$programs/busy_and_stuck"
	wait_until_ready || break
	sleep_ms $((1100 + $(random 60))) # a block lasts a second at most
	kill -KILL "$recorder"
	wait_for_recorder 2>/dev/null
	expect_status 137
	alive=$(grep -c '^alive' out)
	wait_for sh -c "[ \$(grep -c '^alive' out) -gt $((alive + 2)) ]"
	kill -TERM "$program"
	wait_for grep -q '^clean$' out
	"$check" orphan.loiter >facts || fail "$(grep broken facts | head -n 3)"
	says '^truncated yes'
	says "^meta pid $program"
	awk '$1 == "blocked"' facts | grep -q 'mutex lock' || fail "the stuck tasks are not in it"
done
finish
