#!/bin/sh
# Documents are read on other machines: they name no path of the machine they were written on, and
# every file of this tree that they link to exists. Usage: check_documents.sh ROOT
set -eu

cd "${1:?usage: check_documents.sh ROOT}"
failed=0

documents=$(find . \( -name 'build*' -o -name '.git' \) -prune -o \
	\( -name '*.md' -o -path './docs/man/*' \) -type f -print | sort)

# An absolute path is fine below the folders that every system has.
local_paths() {
	awk '
	{
		line = $0
		while (match(line, /(^|[^A-Za-z0-9_.:~>*}\/-])\/[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)+/)) {
			path = substr(line, RSTART, RLENGTH)
			sub("^[^/]", "", path)
			if (path !~ "^/(bin|boot|dev|etc|lib|opt|proc|run|sbin|sys|tmp|usr|var)/")
				printf "%s:%d: %s is a path of one machine\n", FILENAME, FNR, path
			line = substr(line, RSTART + RLENGTH)
		}
	}' "$@"
}

# Relative links of Markdown whose file is not there.
dead_links() {
	for document; do
		grep -o '](\([^)#]*\)' "$document" | sed 's/^](//' | while read -r target; do
			case $target in
			'' | *://* | mailto:*) continue ;;
			esac
			[ -e "$(dirname "$document")/$target" ] ||
				echo "$document: links to $target, which does not exist"
		done
	done
}

# File names hold no blanks here.
# shellcheck disable=SC2086
complaints=$(local_paths $documents; dead_links $documents)
if [ -n "$complaints" ]; then
	echo "$complaints"
	failed=1
fi
exit $failed
