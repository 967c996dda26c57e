#!/bin/sh
# The library may take the place of functions of the C library, and of nothing else: any other
# symbol that it exports could get in the way of one of the program's. And it may need nothing but
# the C library. Usage: exports.sh LIBRARY PROGRAM (any that is linked to the C library)
set -eu

library=$1
libc=$(ldd "$2" | awk '$1 == "libc.so.6" { print $3 }')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v nm >/dev/null 2>&1 || {
	echo "skipped: nm is not installed"
	exit 77
}

# NAME@VERSION where there is one, else NAME.
defined() {
	nm -D --defined-only --with-symbol-versions "$1" | awk '$2 != "A" { sub("@@", "@", $3); print $3 }'
}
defined "$library" | sort -u >"$work/ours"
defined "$libc" | sort -u >"$work/libc.versions"
sed 's/@.*//' "$work/libc.versions" | sort -u - "$work/libc.versions" >"$work/libc"
strange=$(comm -23 "$work/ours" "$work/libc")
if [ -n "$strange" ]; then
	echo "exported, but not by the C library:" "$strange"
	exit 1
fi
[ "$(grep -c . "$work/ours")" -gt 50 ]

needed=$(readelf -d "$library" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -vE '^(libc\.so|ld-linux)') || true
if [ -n "$needed" ]; then
	echo "needs libraries:" "$needed"
	exit 1
fi
