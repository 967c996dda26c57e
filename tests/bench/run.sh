#!/bin/sh
# What a recording costs: CPU of program and recorder over CPU of the bare program.
#
#     sh tests/bench/run.sh BUILD-FOLDER [ROUNDS [WORKLOAD...]]
#
# Each round runs every workload bare and recorded, one right after the other, so that both meet the
# same mood of the machine. A ratio is the median over the rounds of the ratios within a round;
# times are medians. Prints a table in Markdown. Exit status 1 if a ratio is over its limit, 2 if
# something could not be measured. Wants a machine that does nothing else: see docs/overhead.md.
set -eu

build=${1:?usage: run.sh BUILD-FOLDER [ROUNDS [WORKLOAD...]]}
rounds=${2:-5}
if [ $# -gt 2 ]; then
	shift 2
else
	set --
fi

loiter=$build/viewer/cli/loiter
bench=$build/tests/bench
if ! [ -x "$loiter" ] || ! [ -x "$bench/bench_cpu_of" ]; then
	echo "run.sh: $build holds no finished build" >&2
	exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

# NAME, highest sound ratio, command. "two operations" shows what a recording costs that has
# nothing to record: its start and its end, symbols included.
workloads='
pingpong        1.5  bench_pingpong -c 1
depth-30        1.5  bench_pingpong -c 1 -d 30
pingpong-2cpu   1.5  bench_pingpong
contend         1.5  bench_contend
uncontended     2.0  bench_uncontended
spawn           1.5  bench_spawn
pipes           1.5  bench_pipes -c 1
two-operations  -    bench_pingpong -n 2
'

wanted() {
	name=$1
	shift
	[ $# -eq 0 ] && return 0
	for want; do
		[ "$want" = "$name" ] && return 0
	done
	return 1
}

# run_once KIND NAME COMMAND...: one line for the evaluation:
# KIND NAME own-cpu-ns all-cpu-ns wall-ns operations events lost file-bytes
run_once() {
	kind=$1
	name=$2
	shift 2
	trace=$work/trace.loiter
	rm -f "$trace" "$work/cost"
	program=$bench/$1
	shift
	if [ "$kind" = bare ]; then
		set -- "$program" "$@"
	else
		set -- "$loiter" record -o "$trace" -- "$program" "$@"
	fi
	"$bench/bench_cpu_of" "$work/cost" "$@" >"$work/out" 2>"$work/err" </dev/null || {
		cat "$work/err" >&2
		echo "run.sh: failed: $*" >&2
		exit 2
	}
	facts='0 0 0'
	[ "$kind" = bare ] || facts=$(trace_facts "$trace")
	awk -v kind="$kind" -v name="$name" -v facts="$facts" '
		$2 == "ops" { ops = $3; own = $5 }
		$1 == "cpu_ns" { all = $2; wall = $4 }
		END { print kind, name, own, all, wall, ops, facts }' "$work/out" "$work/cost"
}

# Events, lost, bytes.
trace_facts() {
	"$loiter" info --json "$1" | tr ',{}' '[\n*]' | awk -F: '
		/"events"/ && !seen++ { events = $2 + 0 }
		/"lost"/ { in_lost = 1 }
		in_lost && /"total"/ { lost = $2 + 0; in_lost = 0 }
		/"file_bytes"/ { bytes = $2 + 0 }
		END { print events, lost, bytes }'
}

evaluate() {
	awk '
	function median(values, count,    i, j, t) {
		for (i = 2; i <= count; i++)
			for (j = i; j > 1 && values[j - 1] > values[j]; j--) {
				t = values[j]; values[j] = values[j - 1]; values[j - 1] = t
			}
		return count % 2 ? values[(count + 1) / 2] : (values[count / 2] + values[count / 2 + 1]) / 2
	}
	# Over the rounds of one workload: the median of what column / divisor gives.
	function over_rounds(name, column, kind,    i, values) {
		for (i = 1; i <= rounds[kind, name]; i++)
			values[i] = cell[kind, name, i, column] / cell[kind, name, i, 6]
		return median(values, rounds[kind, name])
	}
	function ratio(name, column,    i, values, middle) {
		for (i = 1; i <= rounds["bare", name]; i++)
			values[i] = cell["recorded", name, i, column] / cell["bare", name, i, 4]
		middle = median(values, rounds["bare", name])
		least = values[1]
		most = values[rounds["bare", name]]
		return middle
	}
	function worst_loss(name,    i, most_lost) {
		for (i = 1; i <= rounds["recorded", name]; i++)
			if (cell["recorded", name, i, 8] > most_lost)
				most_lost = cell["recorded", name, i, 8]
		return most_lost
	}
	$1 == "limit" { limit[$2] = $3; order[++names] = $2; next }
	{
		round = ++rounds[$1, $2]
		for (i = 3; i <= NF; i++)
			cell[$1, $2, round, i] = $i
	}
	END {
		print "| workload | ratio | spread | in the program | bare ns/op | recorded ns/op | events/op | bytes/op | lost |"
		print "|---|---|---|---|---|---|---|---|---|"
		for (n = 1; n <= names; n++) {
			name = order[n]
			if (limit[name] == "-") {
				fixed = sprintf("\nA recording of next to nothing: %.1f ms of CPU more than the bare program, %d bytes.",
						(over_rounds(name, 4, "recorded") - over_rounds(name, 4, "bare")) * cell["bare", name, 1, 6] / 1e6,
						over_rounds(name, 9, "recorded") * cell["bare", name, 1, 6])
				continue
			}
			own = ratio(name, 3)
			all = ratio(name, 4)
			over = all > limit[name]
			failed += over
			printf "| %s | %s%.2f%s | %.2f to %.2f | %.2f | %.1f | %.1f | %.2f | %.2f | %d |\n", name,
					over ? "**" : "", all, over ? "** (limit " limit[name] ")" : "", least, most, own,
					over_rounds(name, 4, "bare"), over_rounds(name, 4, "recorded"),
					over_rounds(name, 7, "recorded"), over_rounds(name, 9, "recorded"),
					worst_loss(name)
		}
		if (fixed)
			print fixed
		exit failed > 0
	}' "$1"
}

echo "$workloads" | while read -r name limit command; do
	if [ -n "$name" ] && wanted "$name" "$@"; then
		echo "$name $limit $command"
	fi
done >"$work/list"
[ -s "$work/list" ] || {
	echo "run.sh: no such workload; there are: $(echo "$workloads" | awk '{ printf "%s ", $1 }')" >&2
	exit 2
}
awk '{ print "limit", $1, $2 }' "$work/list" >"$work/rows"
round=1
while [ "$round" -le "$rounds" ]; do
	[ -t 2 ] && printf '\rround %d of %d' "$round" "$rounds" >&2
	while read -r name limit command; do
		# The command is words on purpose.
		# shellcheck disable=SC2086
		run_once bare "$name" $command >>"$work/rows"
		# shellcheck disable=SC2086
		run_once recorded "$name" $command >>"$work/rows"
	done <"$work/list"
	round=$((round + 1))
done
[ -t 2 ] && printf '\r\033[K' >&2
evaluate "$work/rows"
