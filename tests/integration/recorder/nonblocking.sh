#!/bin/sh
# Calls that take long and cannot wait are no waits. Usage: nonblocking.sh BUILD-FOLDER
set -eu
. "$(dirname "$0")/recording.sh"

# The number of events that a recording has.
events() {
	status=0
	"$loiter" record -o calls.loiter -- "$programs/long_calls" "$1" 2>err || status=$?
	expect_status 0
	sed -n 's/.* \([0-9]*\) events\{0,1\}, .*/\1/p' err
}

# Copying takes longer than the threshold, and nobody can tell it from waiting.
subject='descriptors that may wait'
count=$(events waiting)
[ "$count" -gt 500 ] || fail "only $count events: the calls are too short for this test"

# A few calls may be long enough to be taken by the recorder before they return.
subject='descriptors that never wait'
count=$(events nonblocking)
[ "$count" -lt 50 ] || fail "$count events of calls that cannot wait"
finish
