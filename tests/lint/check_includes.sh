#!/bin/sh
# Checks every #include of the tree against include_rules.txt, which see. Usage: check_includes.sh ROOT
set -eu

root=${1:?usage: check_includes.sh ROOT}
cd "$root"

find formats recorder viewer samples tests -name '*.[ch]' 2>/dev/null | sort |
	xargs awk -v rules=tests/lint/include_rules.txt '
	# Libraries whose use is restricted; every other <header> is libc or the compiler.
	BEGIN {
		split("zstd.h xxhash.h libunwind.h libelf.h gelf.h dwarf.h curses.h ncurses.h jansson.h cmocka.h curl/curl.h",
				list, " ")
		for (i in list)
			restricted[list[i]] = 1
		while ((getline line < rules) > 0) {
			if (line ~ /^ *(#|$)/)
				continue
			count = split(line, word, " ")
			folders[word[1]] = 1
			for (i = 3; i <= count; i++)
				allowed[word[1], word[i]] = 1
		}
	}

	# The longest prefix of the path (whole path first) that has a rule.
	function rule_of(path) {
		while (!(path in folders)) {
			if (path !~ "/")
				return ""
			sub("/[^/]*$", "", path)
		}
		return path
	}

	# Is the header, or a folder above it, in the list of this rule?
	function may(rule, header) {
		for (;;) {
			if ((rule, header) in allowed)
				return 1
			if (header !~ "/")
				return 0
			sub("/[^/]*$", "", header)
		}
	}

	function complain(why) {
		printf "%s:%d: %s: %s\n", FILENAME, FNR, $0, why
		failed = 1
	}

	/^[ \t]*#[ \t]*include[ \t]*"/ {
		files[FILENAME] = 1
		split($0, part, "\"")
		header = part[2]
		own = FILENAME
		sub("/[^/]*$", "", own)
		dir = header
		if (!sub("/[^/]*$", "", dir)) {
			complain("write includes from the root of the tree")
			next
		}
		if (dir == own || index(dir "/", rule_of(FILENAME) "/") == 1)
			next
		if (!may(rule_of(FILENAME), header))
			complain("not allowed by tests/lint/include_rules.txt")
	}

	/^[ \t]*#[ \t]*include[ \t]*</ {
		header = $0
		sub(".*<", "", header)
		sub(">.*", "", header)
		first = header
		sub("/.*", "", first)
		if (!(header in restricted) && first != "elfutils")
			next
		if (!((rule_of(FILENAME), "<" header ">") in allowed) &&
				!((rule_of(FILENAME), "<" first ">") in allowed))
			complain("this library is not for this folder, see tests/lint/include_rules.txt")
	}

	END { exit failed }
	'
