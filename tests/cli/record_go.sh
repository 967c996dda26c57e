#!/bin/sh
# `loiter record --go` against a server of the tests' own on the loopback, which serves kept traces
# and whatever else may sit at a port. Usage: record_go.sh BUILD-FOLDER
set -u

build=${1:?usage: record_go.sh BUILD-FOLDER}
traces=$(cd "$(dirname "$0")/../../samples/traces" && pwd -P) || exit 1
loiter=$build/viewer/cli/loiter
query=$build/tests/json_query
failed=

work=$(mktemp -d "${TMPDIR:-/tmp}/loiter-go.XXXXXX") || exit 1
server=
finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1

fail() {
	echo "FAILED: $*"
	failed=1
}

# run STATUS ARGUMENT...: of `loiter record`; output to out and err
run() {
	wanted=$1
	shift
	"$loiter" record "$@" >out 2>err </dev/null
	status=$?
	[ "$status" -eq "$wanted" ] || {
		fail "record $*: status $status, expected $wanted"
		cat err
	}
}

told() {
	grep -qF -- "$1" err || {
		fail "'$1' is missing in:"
		cat err
	}
}

# shows FILE WORDS: a sound trace, whose report has these words
shows() {
	"$loiter" verify "$1" >out 2>&1 || fail "$1 is not sound: $(cat out)"
	"$loiter" report "$1" >out 2>&1
	grep -qF -- "$2" out || fail "'$2' is missing in the report of $1"
}

no_traces() {
	[ -z "$(find . -name '*.loiter')" ] || fail "$1 leaves $(find . -name '*.loiter')"
}

if "$loiter" record --go http://127.0.0.1:1 2>&1 | grep -q 'without libcurl'; then
	echo 'skipped: this build has no libcurl'
	exit 77
fi

# ---- a server ----

mkdir served
cp "$traces/missing_done.go1.23.trace" served/new
cp "$traces/lost_context.go1.19.trace" served/old
cp "$traces/ten_thousand.go1.23.trace.zst" served/packed
for turn in 1 2 3; do
	printf 'goroutine 1 [running]:\nmain.main()\n\t/m.go:5 +0x1\n\n' >served/dump.$turn
	printf 'goroutine 7 [chan send]:\nmain.stand()\n\t/m.go:9 +0x1\n\n' >>served/dump.$turn
done
printf 'goroutine 8 [select]:\nmain.late()\n\t/m.go:11 +0x1\n' >>served/dump.3
mkfifo hold port
"$build/tests/support/http_serve" served <hold >port &
server=$!
exec 9>hold
read -r number <port
base=http://127.0.0.1:$number

# ---- traces ----

run 0 --go "$base/ok/new/trace" --seconds 1 -o new.loiter
told 'new.loiter: '
told 'goroutines, '
shows new.loiter main.publish
grep -q '^GET /ok/new/trace?seconds=1 HTTP' served/requests || fail "it asks $(cat served/requests)"
[ "$(stat -c %a new.loiter)" = 600 ] || fail "others may read the trace"

run 0 --go "127.0.0.1:$number/late/old/trace?seconds=2" -o old.loiter
shows old.loiter main.lookUp
grep -q '^GET /late/old/trace?seconds=2 HTTP' served/requests || fail "seconds of the address"
run 0 --go "$base/redirect-2/packed/trace" --seconds 1 -o packed.loiter
shows packed.loiter main.refresh
"$loiter" import served/packed -o direct.loiter >out 2>&1
cmp -s packed.loiter direct.loiter || fail "fetched and imported differ"
rm -f ./*.loiter

run 0 --go "$base/ok/new/trace" --seconds 1
run 0 --go "$base/ok/new/trace" --seconds 1
shows "127.0.0.1-$number.loiter" main.publish
shows "127.0.0.1-$number-1.loiter" main.publish
rm -f ./*.loiter

# What comes before the connection breaks is a trace, too.
run 0 --go "$base/cut/old/trace" --seconds 1 -o cut.loiter
told 'the connection ended early'
"$loiter" report cut.loiter >out 2>&1 || fail "a trace that was cut cannot be read"
run 0 --go "$base/ok/old/trace" --seconds 1 -s 2K -o limit.loiter
told 'the limit of 2.00 KiB'
"$loiter" report limit.loiter >out 2>&1 || fail "a trace up to the limit cannot be read"
rm -f ./*.loiter
run 2 --go "$base/endless/x/trace" --seconds 1 -s 1M -o limit.loiter
told 'without any event'
no_traces 'a trace that holds nothing'

# An end in the middle.
"$loiter" record --go "$base/stall/new/trace" --seconds 60 -o stopped.loiter 2>err &
child=$!
while ! grep -q stall served/requests; do sleep 0.1; done
sleep 0.5
kill -INT "$child"
wait "$child" || fail "interrupted: status $?"
told 'stopped; what had come is kept'
[ -s stopped.loiter ] || fail "interrupted: no trace"
rm -f ./*.loiter
"$loiter" record --go "$base/silent/new/trace" --seconds 60 -o stopped.loiter 2>err &
child=$!
while ! grep -q silent served/requests; do sleep 0.1; done
sleep 0.5
kill -INT "$child"
wait "$child"
[ $? -eq 130 ] || fail "interrupted before anything came: status $?"
no_traces 'an early interrupt'

# ---- no traces ----

# refused PATH WORDS: with these words, and a file that was there stays as it was
refused() {
	echo precious >kept
	run 2 --go "$base/$1/new/trace" --seconds 1 -o kept
	told "$2"
	[ "$(cat kept)" = precious ] || fail "$1 overwrites a file"
	run 2 --go "$base/$1/new/trace" --seconds 1
	no_traces "$1"
}
refused html HTML
refused empty 'is empty'
refused missing net/http/pprof
refused busy 'tracing is already enabled'
refused close 'without an answer'
refused noise 'not HTTP'
refused loop 'from one place to the next'
refused to-file 'not HTTP'
refused rude 'status 500'
! grep -q "$(printf '\033')" err || fail "an escape sequence reaches the terminal"
run 2 --go http://127.0.0.1:1 --seconds 1
told 'Connection refused'
run 2 --go ftp://127.0.0.1/
told 'is no address'

# ---- dumps ----

run 0 --go "$base/turns/dump/" --dumps 3 --every 100ms -o dumps.loiter
grep -q '^GET /turns/dump/debug/pprof/goroutine?debug=2 HTTP' served/requests ||
	fail "dumps: it asks $(tail -n 1 served/requests)"
shows dumps.loiter main.stand
if [ -x "$query" ]; then
	"$loiter" report --json dumps.loiter >out
	[ "$("$query" tasks.seen <out)" = 3 ] || fail "dumps: $("$query" tasks <out)"
	[ "$("$query" tasks.created <out)" = 1 ] || fail "dumps: $("$query" tasks <out)"
	length=$("$query" trace.duration_ns <out)
	[ "$length" -ge 200000000 ] || fail "three dumps 100 ms apart take $length ns"
	! "$query" 'trace.warnings[]' <out | grep -q 'how much time' || fail "the times are known"
fi
rm -f ./*.loiter
# The fourth and later ones are 404.
run 2 --go "$base/turns/dump/" --dumps 2 --every 100ms
told 'net/http/pprof'
run 2 --go "$base/html/dump/" --dumps 2 --every 100ms
no_traces 'a failed dump'

# ---- the command line ----

for options in '--seconds 1' '--dumps 2' '--every 1s' "--go $base --every 1s" \
	"--go $base --seconds 1 --dumps 2" "--go $base --seconds 0" "--go $base --dumps x" \
	"--go $base --dumps 2 --every 1ms" "--go $base -d 1s" "--go $base -n 3" \
	"--go $base -- true"; do
	# shellcheck disable=SC2086
	run 2 $options
done
[ -z "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'loiter-??????' -type f -newer port 2>/dev/null)" ] ||
	fail "temporary files are left"

[ -z "$failed" ] && echo 'record_go: all as expected'
[ -z "$failed" ]
