#!/bin/sh
# Foreign files are known by their first bytes wherever a FILE is taken, in whatever wrapping.
#     import_cli.sh BUILD-FOLDER
set -eu

loiter=${1:?usage: import_cli.sh BUILD-FOLDER}/viewer/cli/loiter
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
	echo "import_cli: $*"
	exit 1
}

# shows FILE [INPUT]: a report on it names the place where the goroutine of the dump waits.
shows() {
	"$loiter" report "$1" <"${2:-/dev/null}" >out 2>err || fail "report $1: $(cat err)"
	grep -q 'main.stand' out || fail "report $1 does not show the dump"
}

# refuses WORDS COMMAND...: it fails with these words.
refuses() {
	words=$1
	shift
	if "$@" </dev/null >out 2>err; then
		fail "$* succeeds"
	fi
	grep -q "$words" err || fail "$*: expected '$words', got: $(cat err)"
}

printf 'noise\ngoroutine 7 [chan send, 3 minutes]:\nmain.stand(0x1)\n\t/m.go:9 +0x1\n\n' >dump.log
shows dump.log
shows - dump.log

"$loiter" import dump.log -o native.loiter >out 2>err
grep -q 'is a moment' err || fail "import does not warn"
shows native.loiter
shows - native.loiter
"$loiter" verify native.loiter >out 2>&1 || fail "the import is not sound: $(cat out)"

# Several dumps are a trace in time, as long as their files are apart.
printf 'goroutine 7 [chan send]:\nmain.stand(0x1)\n\t/m.go:9 +0x1\n\n' >first.log
cp first.log second.log
touch -d '2026-01-01 10:00:00' first.log
touch -d '2026-01-01 10:00:07' second.log
"$loiter" report first.log second.log >out 2>err || fail "two dumps: $(cat err)"
grep -q '^watched  *7.00 s' out || fail "two dumps are not 7 s: $(grep watched out)"
grep -q 'first.log and 1 more' out || fail "two dumps are not named"
"$loiter" import first.log second.log -o both.loiter >out 2>err || fail "import: $(cat err)"
shows both.loiter
refuses 'file 2 is no goroutine-dump' "$loiter" report first.log native.loiter
refuses 'file 3 of 3' "$loiter" report first.log second.log missing
refuses 'is the file to read' "$loiter" import first.log second.log -o second.log

mkfifo pipe
cat dump.log >pipe &
shows pipe
wait

if command -v gzip >/dev/null; then
	gzip -c dump.log >dump.gz
	"$loiter" report dump.gz >out 2>err || grep -q 'this build cannot unpack' err ||
		fail "report dump.gz: $(cat err)"
fi
if command -v zstd >/dev/null; then
	zstd -q dump.log -o dump.zst
	shows dump.zst
	zstd -q native.loiter -o native.zst
	shows native.zst
fi

refuses 'is the file to read' "$loiter" import dump.log -o dump.log
shows dump.log
echo precious >precious
refuses 'no known format' "$loiter" import precious -o native.loiter
shows native.loiter
refuses 'no known format' "$loiter" report precious
refuses 'a program or library' "$loiter" report "$loiter"
refuses 'it is empty' "$loiter" import /dev/null -o other
refuses 'No such file' "$loiter" report missing
printf 'go 1.8 trace\0\0\0\0' >old
refuses 'Go 1.8' "$loiter" report old
TMPDIR=$work/none refuses 'TMPDIR' "$loiter" report dump.log
[ -z "$(find . -name 'loiter-*')" ] || fail "temporary files are left"
echo "import_cli: all as expected"
