# Shared by the scripts of this folder. Sourced with the build folder as $1.

build=${1:?usage: $0 BUILD-FOLDER}
loiter=$build/viewer/cli/loiter
check=$build/tests/support/trace_check
programs=$build/tests/integration/recorder
failures=0
subject=

work=$(mktemp -d)
trap 'kill_leftovers; rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
cd "$work"

leftovers=
kill_leftovers() {
	for pid in $leftovers; do
		kill -KILL "$pid" 2>/dev/null || :
	done
}

fail() {
	echo "FAILED: $subject: $*"
	failures=$((failures + 1))
}

finish() {
	[ "$failures" -eq 0 ] || {
		echo "$failures checks failed"
		exit 1
	}
	echo "all checks passed"
}

# wait_for COMMAND...: up to 20 s.
wait_for() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 2000 ] || {
			fail "waited in vain for: $*"
			return 1
		}
		sleep 0.01
	done
}

# in_background COMMAND...: output to ./out and ./err, its pid is $recorder, the program's $program
# once it has said "ready PID".
in_background() {
	: >out
	"$@" >out 2>err </dev/null &
	recorder=$!
	leftovers="$leftovers $recorder"
	program=
}

wait_until_ready() {
	wait_for grep -q '^ready ' out || return 1
	program=$(sed -n 's/^ready //p' out)
	leftovers="$leftovers $program"
}

# The status of the background command.
wait_for_recorder() {
	status=0
	wait "$recorder" || status=$?
}

expect_status() {
	[ "$status" -eq "$1" ] || fail "ended with status $status instead of $1: $(cat err)"
}

# The trace opens and keeps its promises; what it says is in ./facts.
read_trace() {
	"$check" "$1" >facts || fail "$(grep broken facts | head -n 3)"
}

says() {
	grep -q -e "$1" facts || fail "the trace does not say '$1'"
}

says_not() {
	! grep -q -e "$1" facts || fail "the trace says '$(grep -e "$1" facts | head -n 1)'"
}

told() {
	grep -q -e "$1" err || fail "did not say '$1' but: $(cat err)"
}

random() {
	echo $(($(od -An -N2 -tu2 /dev/urandom) % $1))
}

sleep_ms() {
	sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
}

# The task with this name is blocked for the reason on the kind of object, with a stack that leads
# to the function.
stuck() {
	id=$(awk -v name="$1" '$1 == "task" && $7 == name { print $2 }' facts)
	grep -q "^blocked ${id:-none} $2 $3 .* $4\( \|\$\)" facts ||
		fail "$1 is not blocked by $2 on $3 in $4: $(grep "^blocked ${id:-none} " facts)"
}
