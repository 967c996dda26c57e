#!/bin/sh
# Results of imports are kept and found again: hit, miss, damage, removal, no place for them, several
# at once. Usage: import_cache.sh BUILD-FOLDER
set -u

build=${1:?usage: import_cache.sh BUILD-FOLDER}
loiter=$build/viewer/cli/loiter
failed=

work=$(mktemp -d "${TMPDIR:-/tmp}/loiter-cache.XXXXXX") || exit 1
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 1
export XDG_CACHE_HOME="$work/cache" HOME="$work/home"
unset LOITER_CACHE_SIZE
folder=$XDG_CACHE_HOME/loiter

fail() {
	echo "FAILED: $*"
	failed=1
}

# make_dump FILE NUMBER GOROUTINES: a goroutine dump, large enough to be worth keeping
make_dump() {
	awk -v number="$2" -v count="$3" 'BEGIN {
		for (i = 1; i <= count; i++)
			printf "goroutine %d [chan send]:\nmain.stand%d(0x1)\n\t/m.go:%d +0x1\n\n",
					i, number, i % 100
	}' >"$1"
}

# report ARGUMENT...: succeeds and names the place; its output is in out
report() {
	"$loiter" report "$@" >out 2>err </dev/null || fail "report $*: $(cat err)"
	grep -q 'main.stand' out || fail "report $* does not show the dump"
	[ ! -s err ] || fail "report $*: $(cat err)"
}

entries() {
	find "$folder" -name '*.loiter' 2>/dev/null | sort
}

# kept NUMBER: so many entries, and nothing else
kept() {
	[ "$(entries | grep -c .)" -eq "$1" ] || fail "$1 entries expected, there are: $(entries)"
	[ -z "$(find "$folder" -name '.new-*' 2>/dev/null)" ] || fail "an unfinished file is left"
}

make_dump one.txt 1 6000
make_dump two.txt 2 6000
make_dump small.txt 3 10

# Miss, then hit: the same report, and the entry is used, not made again.
report one.txt
kept 1
cp out first
entry=$(entries)
inode=$(stat -c %i "$entry")
touch -d '2020-01-01' "$entry"
report one.txt
cmp -s out first || fail "the second report differs"
kept 1
[ "$(stat -c %i "$entry")" = "$inode" ] || fail "imported again"
[ "$(stat -c %Y "$entry")" -gt 1600000000 ] || fail "the use was not noted"
[ "$(stat -c %a "$folder")" = 700 ] || fail "others may look into the cache"
[ "$(stat -c %a "$entry")" = 600 ] || fail "others may read an entry"

# It is the content that counts, not the name; and every command finds it.
cp one.txt renamed.txt
report renamed.txt
"$loiter" info one.txt >out 2>err || fail "info: $(cat err)"
kept 1
report two.txt
kept 2

# No cache: on request, for streams, for small files, for native traces.
rm -rf "$folder"
report --no-cache one.txt
"$loiter" view --no-cache --dump findings one.txt >out 2>&1 || grep -q ncurses out ||
	fail "view --no-cache: $(cat out)"
"$loiter" info --no-cache one.txt >out 2>&1 || fail "info --no-cache: $(cat out)"
"$loiter" report - <one.txt >out 2>err || fail "standard input: $(cat err)"
report small.txt
"$loiter" import one.txt -o native.loiter 2>err || fail "import: $(cat err)"
report native.loiter
LOITER_CACHE_SIZE=0 report one.txt
[ ! -e "$folder" ] || [ -z "$(ls -A "$folder")" ] || fail "kept unasked: $(ls -A "$folder")"

# Damage: a changed byte, a cut, an empty file, a link to elsewhere, a folder. Made again each time.
report one.txt
entry=$(entries)
cp "$entry" good
for damage in byte cut empty link open; do
	case $damage in
	byte) printf X | dd of="$entry" bs=1 seek=2000 conv=notrunc 2>/dev/null ;;
	cut) truncate -s -100 "$entry" ;;
	empty) : >"$entry" ;;
	link) cp "$entry" elsewhere && ln -sf "$work/elsewhere" "$entry" ;;
	open) chmod 644 "$entry" ;;
	esac
	report one.txt
	cmp -s out first || fail "$damage: the report differs"
	kept 1
	cmp -s "$entry" good || fail "$damage: the entry was not made again"
	[ ! -L "$entry" ] || fail "$damage: a link was followed"
	[ "$(stat -c %a "$entry")" = 600 ] || fail "$damage: others may read the entry"
done

# What was used least recently goes first; what a killed process left goes after a day.
rm -rf "$folder"
report one.txt
size=$(stat -c %s "$(entries)")
touch -d '2020-01-01' "$(entries)"
oldest=$(entries)
make_dump three.txt 3 6000
report two.txt
touch -d '2020-01-02' "$(entries | grep -v "$oldest")"
report one.txt
: >"$folder/.new-1-0"
touch -d '2020-01-01' "$folder/.new-1-0"
LOITER_CACHE_SIZE=$((size * 5 / 2)) report three.txt
kept 2
[ -e "$oldest" ] || fail "what was just used has been removed"
LOITER_CACHE_SIZE=1000 report two.txt
kept 0
LOITER_CACHE_SIZE=1X "$loiter" report one.txt >out 2>err && fail "LOITER_CACHE_SIZE=1X is taken"
grep -q LOITER_CACHE_SIZE err || fail "LOITER_CACHE_SIZE=1X: $(cat err)"

# No place: the file is read all the same, without a word.
rm -rf "$XDG_CACHE_HOME"
: >"$XDG_CACHE_HOME"
report one.txt
rm "$XDG_CACHE_HOME"
mkdir -p "$folder"
chmod 755 "$folder"
report one.txt
kept 0
chmod 700 "$folder"
ln -s "$folder" "$work/link"
mkdir "$work/linked"
ln -s "$work/link" "$work/linked/loiter"
XDG_CACHE_HOME=$work/linked report one.txt
kept 0
chmod 500 "$folder"
report one.txt
[ "$(id -u)" -eq 0 ] || kept 0
chmod 700 "$folder"
rm -rf "$folder"
(
	unset XDG_CACHE_HOME HOME
	report one.txt
	export HOME="$work/nobody"
	report one.txt
	[ ! -e "$HOME" ] || fail "a home was made"
	export HOME=relative
	report one.txt
	export XDG_CACHE_HOME=relative
	report one.txt
	[ ! -e relative ] || fail "a relative folder is used"
	mkdir "$work/home"
	export HOME="$work/home"
	report one.txt
	[ -d home/.cache/loiter ] || fail "the home folder is not used"
	[ -z "$failed" ]
) || failed=1

# A disk without room: a file may not grow beyond 1 KiB here, so even the temporary one fails.
(
	trap '' XFSZ
	ulimit -f 2
	"$loiter" report one.txt >out 2>err
) && fail "a full disk is no failure"
kept 0

# Eight at once, all of them right, one entry in the end.
rm -rf "$folder"
for i in 1 2 3 4 5 6 7 8; do
	"$loiter" report one.txt >"out.$i" 2>&1 &
done
wait
for i in 1 2 3 4 5 6 7 8; do
	cmp -s "out.$i" first || fail "one of eight at once says: $(head -n 3 "out.$i")"
done
kept 1

# Whoever changes a file gets what is in it now.
sed -i 's/stand1/standby1/' one.txt
report one.txt
grep -q 'main.standby1' out || fail "a changed file is shown as it was"

[ -z "$failed" ] && echo 'import_cache: all as expected'
[ -z "$failed" ]
