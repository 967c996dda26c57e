#!/bin/sh
# Uses the terminal program as a person does: in a terminal of tmux, with keys, at two sizes, in two
# character sets and on several kinds of terminal. Usage: viewer.sh BUILD-FOLDER
set -u

build=${1:?usage: viewer.sh BUILD-FOLDER}
here=$(cd "$(dirname "$0")" && pwd -P)
loiter=$build/viewer/cli/loiter
write_trace=$build/tests/support/write_trace
failed=

command -v tmux >/dev/null || {
	echo "skipped: tmux is not installed, the viewer was not tried in a terminal"
	exit 77
}
"$loiter" view --help >/dev/null 2>&1 || {
	echo "skipped: this build has no viewer"
	exit 77
}

work=$(mktemp -d "${TMPDIR:-/tmp}/loiter-viewer.XXXXXX")
turn=0
# Servers of our own, one after the other: no configuration, nothing shared with the tmux of whoever
# runs this. A new socket each time, since a server that was told to end takes its time.
in_tmux() {
	tmux -f /dev/null -S "$work/socket.$turn" "$@" 2>>"$work/tmux.errors"
}
new_tmux() {
	in_tmux kill-server
	turn=$((turn + 1))
}
trap 'in_tmux kill-server; rm -rf "$work"' EXIT
in_tmux new-session -d 'sleep 1' || {
	echo "skipped: tmux can open no terminal here: $(cat "$work/tmux.errors")"
	exit 77
}
"$write_trace" "$here/../golden/screens/deadlock.events" "$work/deadlock.loiter" || exit 1

fail() {
	echo "FAILED: $where: $*"
	failed=yes
}

screen() {
	in_tmux capture-pane -p
}

# The screen must show TEXT within a few seconds; a busy machine may take its time.
shows() {
	tries=0
	while ! screen | grep -qF -- "$1"; do
		tries=$((tries + 1))
		if [ "$tries" -gt 100 ]; then
			fail "the screen does not show '$1':"
			screen
			return
		fi
		sleep 0.1
	done
}

keys() {
	in_tmux send-keys "$@"
}

# start SIZE LOCALE TERMINAL [OPTION...]: the shell around it tells what the program leaves behind.
start() {
	size=$1 locale=$2 terminal=$3
	shift 3
	where="$size $locale $terminal"
	new_tmux
	cat >"$work/run.sh" <<-END
		stty -a >"$work/before"
		LC_ALL=$locale TERM=$terminal
		export LC_ALL TERM
		sh -c 'echo \$\$ >"$work/pid"; exec "$loiter" view $* "$work/deadlock.loiter"' \
			2>"$work/errors"
		echo "status \$?" >"$work/status"
		stty -a >"$work/after"
		echo BACK IN THE SHELL
		exec cat
	END
	rm -f "$work/status"
	in_tmux new-session -d -x "${size%x*}" -y "${size#*x}" "sh $work/run.sh"
}

# After the program has left: its status, and the terminal as it was.
has_left_with() {
	shows 'BACK IN THE SHELL'
	[ "$(cat "$work/status")" = "status $1" ] || fail "ended with $(cat "$work/status"), not $1"
	cmp -s "$work/before" "$work/after" || fail "the modes of the terminal were not restored"
	# Terminals without a second screen keep what was on it, as after any pager.
	case $terminal in
	vt100 | linux) return ;;
	esac
	if screen | grep -q 'Evidence'; then
		fail "the screen of the program is still there"
	fi
}

every_view_and_back() {
	start "$@"
	shows 'wait for each other'
	shows 'ledger_post (ledger.c:204)'
	keys 2
	shows 'T3 void'
	keys w w l l l s d a
	keys 0
	keys 3
	shows 'Flame by blocked time'
	keys j j Enter BSpace
	keys 4
	shows 'Tasks by finding'
	keys j Enter
	shows 'Task T3 void'
	keys '?'
	shows 'Help: keys in Detail'
	keys Escape
	shows 'Task T3 void'
	keys 1
	shows 'Findings'
	keys /
	keys -l 'pool_loop'
	keys Enter
	shows 'match 1 of 1'
	keys Escape Escape
	keys g
	shows 'wait for each other'
	keys q
	has_left_with 0
}

# The screen with its colours: each character with the attributes it is shown with. tmux tells only
# changes, in one of many ways, and blanks that look alike must compare alike.
colours() {
	in_tmux capture-pane -e -p | LC_ALL=C awk '
	function set(codes,   code, count, i) {
		count = split(codes, code, ";")
		if (count == 0)
			reset()
		for (i = 1; i <= count; i++) {
			if (code[i] == 38 || code[i] == 48) {
				colour[code[i]] = code[i + 2]
				i += 2
			} else if (code[i] == 0) reset()
			else if (code[i] == 39) colour[38] = ""
			else if (code[i] == 49) colour[48] = ""
			else if (code[i] >= 30 && code[i] <= 37) colour[38] = code[i] - 30
			else if (code[i] >= 40 && code[i] <= 47) colour[48] = code[i] - 40
			else flags = flags "," code[i]
		}
	}
	function reset() {
		flags = colour[38] = colour[48] = ""
	}
	{
		line = ""
		for (i = 1; i <= length($0); i++) {
			c = substr($0, i, 1)
			if (c == "\033") {
				end = index(substr($0, i), "m")
				set(substr($0, i + 2, end - 3))
				i += end - 1
			} else if (c == " " && flags !~ /,[47]/ && colour[48] == "")
				line = line " "
			else
				line = line c "{" flags "/" colour[38] "/" colour[48] "}"
		}
		sub(/ *$/, "", line)
		print line
	}'
}

# A key without a meaning is answered in the last line: then all keys before it have had their effect.
settle() {
	keys "$1"
	shows "$1 does nothing here"
}

# What was sent piece by piece must be what a full repaint shows, colours included.
same_after_repaint() {
	settle '!'
	colours | sed '$d' >"$work/before.screen"
	keys C-l
	settle '~'
	colours | sed '$d' >"$work/after.screen"
	cmp -s "$work/before.screen" "$work/after.screen" || {
		fail "a repaint changes the screen after $1"
		diff "$work/before.screen" "$work/after.screen" | cat -v | cut -c 1-300
	}
}

moving_pictures_stay_whole() {
	start "$@"
	shows 'wait for each other'
	keys 2
	shows '[2 Timeline]'
	keys w w w
	same_after_repaint zooms
	for key in d d a D A l j d k; do
		keys "$key"
		same_after_repaint "the key $key"
	done
	keys d d a a a d l l d
	same_after_repaint 'many keys at once'
	keys 1 j j k
	same_after_repaint 'moving in the list'
	keys q
	has_left_with 0
}

keys_by_their_names_and_unknown_ones() {
	start "$@"
	shows 'wait for each other'
	keys Down
	shows '> !!  stuck'
	keys Up
	shows '> !!! deadlock'
	keys End
	shows 'Why it is parked'
	keys Home
	shows '> !!! deadlock'
	keys F1
	shows 'Help: keys in Findings'
	keys PageDown PageDown PageDown
	shows 'Legend'
	keys Escape
	shows '> !!! deadlock'
	keys 2
	shows '[2 Timeline]'
	keys Right Left S-Left S-Right
	# Sequences without a meaning: a pasted text in brackets, a mouse report, Ctrl-F5.
	keys -l "$(printf '\033[200~')"
	keys -l "$(printf '\033[<0;10;10M')"
	keys -l "$(printf '\033[15;5~')"
	settle '!'
	shows '[2 Timeline]'
	keys q
	shows '[1 Findings]'
	keys q
	has_left_with 0
}

resize_storm() {
	start 80x24 C.UTF-8 screen-256color
	shows 'wait for each other'
	keys 2
	for size in 200x50 40x8 79x23 10x3 1x1 160x30 39x8 40x7 100x24 80x24; do
		in_tmux resize-window -x "${size%x*}" -y "${size#*x}"
		keys j k
	done
	shows 'Timeline'
	in_tmux resize-window -x 30 -y 4
	shows 'stuck 3 in 2 kinds'
	in_tmux resize-window -x 80 -y 24
	shows '[2 Timeline]'
	keys q
	shows '[1 Findings]'
	keys q
	has_left_with 0
}

ctrl_c_and_signals_give_the_terminal_back() {
	start 80x24 C.UTF-8 screen
	shows 'wait for each other'
	keys C-c
	has_left_with 0
	start 80x24 C.UTF-8 screen
	shows 'wait for each other'
	kill -TERM "$(cat "$work/pid")"
	has_left_with 143
	start 80x24 C.UTF-8 screen
	shows 'wait for each other'
	kill -ABRT "$(cat "$work/pid")"
	has_left_with 134
}

ctrl_z_returns_to_the_shell_and_fg_comes_back() {
	new_tmux
	where="Ctrl-Z"
	in_tmux new-session -d -x 80 -y 24 "env PS1='shell> ' TERM=screen sh -i"
	shows 'shell>'
	keys -l "'$loiter' view '$work/deadlock.loiter'"
	keys Enter
	shows 'wait for each other'
	keys C-z
	shows 'shell>'
	keys -l "stty -a >'$work/stopped'; fg"
	keys Enter
	shows 'wait for each other'
	grep -q ' icanon' "$work/stopped" || fail "the shell got a terminal in raw mode"
	keys j C-l
	shows 'pthread_join'
	keys q
	shows 'shell>'
}

terminals_that_cannot_are_told_so() {
	start 80x24 C.UTF-8 dumb
	has_left_with 2
	grep -q 'cannot move its cursor' "$work/errors" || fail "no sentence about the terminal"
	grep -q 'loiter report' "$work/errors" || fail "no way out is named"
	start 80x24 C.UTF-8 no-such-terminal
	has_left_with 2
	grep -q 'no description' "$work/errors" || fail "no sentence about the description"
}

without_a_terminal_it_says_what_to_do() {
	where="no terminal"
	"$loiter" view "$work/deadlock.loiter" </dev/null >"$work/out" 2>"$work/errors"
	[ $? -eq 2 ] || fail "does not end with status 2"
	grep -q 'loiter report' "$work/errors" || fail "no way out is named"
	[ ! -s "$work/out" ] || fail "wrote to standard output"
	"$loiter" view --dump timeline --size 60x12 "$work/deadlock.loiter" </dev/null >"$work/out" ||
		fail "--dump fails"
	[ "$(wc -l <"$work/out")" -eq 12 ] || fail "--size is not kept"
	grep -q 'T3 void' "$work/out" || fail "the dump shows no tasks"
}

for size in 80x24 200x50; do
	for locale in C.UTF-8 C; do
		every_view_and_back "$size" "$locale" screen-256color
	done
done
for terminal in xterm-256color vt100 linux; do
	every_view_and_back 80x24 C.UTF-8 "$terminal"
done
every_view_and_back 80x24 C.UTF-8 screen-256color --ascii --mono
moving_pictures_stay_whole 80x24 C.UTF-8 screen-256color
moving_pictures_stay_whole 200x50 C.UTF-8 xterm-256color
moving_pictures_stay_whole 100x30 C vt100
keys_by_their_names_and_unknown_ones 80x24 C.UTF-8 screen-256color
keys_by_their_names_and_unknown_ones 80x24 C xterm-256color
resize_storm
ctrl_c_and_signals_give_the_terminal_back
ctrl_z_returns_to_the_shell_and_fg_comes_back
terminals_that_cannot_are_told_so
without_a_terminal_it_says_what_to_do

[ -z "$failed" ] || exit 1
echo "the viewer was used in $turn terminals"
