#!/bin/sh
# Does the manual describe exactly the commands and options that the program has?
# Usage: check_manual.sh LOITER MANUAL [COMMAND...]
#
# The program's side is `loiter --help` and `loiter COMMAND --help`; the manual's side is one
# subsection (.Ss) for each command, in which every option is an item "It Fl o , Fl -option". The
# COMMANDs are those that this build was made without; the manual describes them all the same.
set -eu

loiter=${1:?usage: check_manual.sh LOITER MANUAL}
manual=${2:?usage: check_manual.sh LOITER MANUAL}
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$loiter" --help | sed -n 's/^  loiter \([a-z][a-z]*\) .*/\1/p' | sort -u >"$work/commands"
while read -r command; do
	echo "$command"
	# Options that argp gives to every program are described once for all.
	"$loiter" "$command" --help | grep -o -E '(^|[ ,])--?[A-Za-z][-A-Za-z]*' | tr -d ' ,' |
		grep -v -x -E -e '--help|-\?|--usage|--version|-V' | sort -u |
		sed "s/^/$command /"
done <"$work/commands" | sort >"$work/program"

awk '
	/^\.Sh / { command = "" }
	/^\.Ss / { command = $2; if ($2 ~ /^[a-z]+$/ && NF == 2) print command; else command = "" }
	command != "" && /^\.It Fl / {
		for (i = 3; i <= NF; i++)
			if ($(i - 1) == "Fl")
				print command, "-" $i
	}' "$manual" | sort -u >"$work/manual"
for absent; do
	echo "not compared, since this build has no 'loiter $absent'"
	sed -i "/^$absent\( \|\$\)/d" "$work/manual"
done

if ! diff "$work/program" "$work/manual" >"$work/difference"; then
	echo "commands and options: < only in the program, > only in the manual"
	grep '^[<>]' "$work/difference"
	exit 1
fi
if command -v mandoc >/dev/null 2>&1; then
	mandoc -T lint -W warning "$manual"
fi
