#!/bin/sh
# Is every C file formatted as .clang-format says? Usage: check_format.sh ROOT
# Versions of clang-format differ in what they make of the same rules, so only the one that the
# rules were written for may judge.
set -eu

version=14
cd "${1:?usage: check_format.sh ROOT}"

tool=clang-format-$version
command -v "$tool" >/dev/null 2>&1 || tool=clang-format
if ! "$tool" --version 2>/dev/null | grep -q "version $version\."; then
	echo "skipped: the format check wants clang-format $version"
	exit 77
fi
find formats recorder viewer samples tests -name '*.[ch]' -exec "$tool" --dry-run -Werror {} +
