#!/bin/sh
# What loiter says of the kept traces of samples/traces: who is left, where in the source, for what,
# and by whom created. What must come out follows from the programs; lines are looked up in them.
# Needs no Go. Usage: kept_traces.sh BUILD-FOLDER
set -u

build=${1:?usage: go_samples.sh BUILD-FOLDER}
samples=$(cd "$(dirname "$0")/../../samples" && pwd -P) || exit 1
loiter=$build/viewer/cli/loiter
query=$build/tests/json_query
failed=

[ -x "$query" ] || {
	echo 'skipped: this test wants jansson'
	exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/loiter-samples.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAILED: $sample: $*"
	failed=1
}

# story NAME FILE: its report is what the checks below look at
story() {
	sample=$1
	source=go_workers/$1/main.go
	[ -f "$samples/$source" ] || source=$1.c
	"$loiter" report --json --no-cache "$samples/traces/$2" >"$work/json" 2>"$work/err" ||
		fail "report: $(cat "$work/err")"
	[ ! -s "$work/err" ] || fail "report: $(cat "$work/err")"
	gives trace.truncated false
	gives trace.lost.total 0
}

ask() {
	"$query" "$1" <"$work/json"
}

gives() {
	[ "$(ask "$1")" = "$2" ] || fail "$1 is '$(ask "$1")', expected '$2'"
}

# of WHERE MEMBER: of all groups that wait there, whether they are found to be stuck or not
of() {
	ask "findings[where=$1].$2"
	ask "parked[where=$1].$2"
}

# left COUNT WHERE REASON [CREATOR]: so many goroutines wait there when the trace ends
left() {
	count=$(of "$2" tasks | awk '{ sum += $1 } END { print sum + 0 }')
	[ "$count" -eq "$1" ] || fail "$count wait in $2, expected $1"
	[ "$(of "$2" reason | sort -u)" = "$3" ] ||
		fail "in $2 they wait for '$(of "$2" reason | sort -u)', expected '$3'"
	[ $# -lt 4 ] || [ "$(of "$2" created_by | sort -u)" = "$4" ] ||
		fail "those in $2 were created by '$(of "$2" created_by | sort -u)', expected '$4'"
}

# line TEXT: where this stands in the program
line() {
	grep -nF -- "$1" "$samples/$source" | head -n 1 | cut -d: -f1
}

# at WHERE TEXT: the stack of those who wait there has the line with this text
at() {
	number=$(line "$2")
	[ -n "$number" ] || fail "'$2' is not in $source"
	of "$1" 'stack[].line' | grep -qx "$number" ||
		fail "the stack of $1 does not show line $number, '$2'"
	of "$1" 'stack[].file' | grep -q "$source\$" || fail "the stack of $1 does not show $source"
}

# created_at WHERE TEXT: the same of the stack where they were created
created_at() {
	of "$1" 'creation_stack[].line' | grep -qx "$(line "$2")" ||
		fail "those in $1 were not created at line $(line "$2"), '$2'"
}

# moves WHERE: they wake up again and again, so nobody calls them stuck
moves() {
	[ -z "$(ask "findings[where=$1].kind")" ] || fail "$1 moves and is a finding"
	ask "parked[where=$1].why" | grep -q 'moves' || fail "nothing says that $1 moves"
}

# nobody_in PREFIX: no goroutine of the program's own waits when the trace ends
nobody_in() {
	ask 'parked[].where' | grep -q "^$1" && fail "somebody is left in $1"
}

# ---- leaks ----

story missing_done missing_done.go1.23.trace
left 1 main.publish sync main.main.func1
at main.publish 'group.Wait()'
left 1 main.janitor 'chan receive' main.main.func1
moves main.janitor
[ "$(ask tasks.exited)" -ge 7 ] || fail "the seven uploads have ended"

# 40 goroutines search, one is heard.
story recursive_send recursive_send.go1.22.trace
left 39 main.walk 'chan send'
at main.walk 'found <- path'

story lost_context lost_context.go1.19.trace
left 12 main.lookUp select main.handle
at main.lookUp 'select {'
created_at main.lookUp 'go lookUp('
nobody_in main.handle

story unclosed_range unclosed_range.go1.23.trace
left 40 main.work 'chan receive' main.runBatch
at main.work 'for range jobs'
created_at main.work 'go work(jobs)'
nobody_in main.produce

story unstopped_ticker unstopped_ticker.go1.19.trace
left 10 main.heartbeat 'chan receive' main.connection
moves main.heartbeat
nobody_in main.connection
nobody_in main.accept

story once_for_ever once_for_ever.go1.22.trace
left 1 main.loadConfiguration 'chan receive' main.main.func1
left 8 main.request sync main.main.func1
at main.loadConfiguration '<-reply'
at main.request 'once.Do('
of main.request 'stack[].function' | grep -q 'sync.(\*Once)' || fail 'they wait in a Once'

story opposite_locks opposite_locks.go1.23.trace
left 2 main.transfer sync main.main.func1
at main.transfer 'to.Lock()'
left 3 main.audit sync main.main.func1
at main.audit 'account.Lock()'

# It waits, is woken, and waits again. Go says so by the condition it waits for.
story starved_writer starved_writer.go1.23.trace
left 1 'main.(*readersFirst).write' 'sync.(*Cond).Wait' main.main.func1
at 'main.(*readersFirst).write' 'l.left.Wait()'
[ "$(ask 'blocked[reason=sync.(*Cond).Wait].blocks')" -ge 40 ] || fail 'the writer is woken and waits again'
[ "$(of main.read reason | sort -u)" = sleep ] || fail 'a reader waits for the lock'

# ---- bursts and starts ----

story ten_thousand ten_thousand.go1.23.trace.zst
gives 'findings[kind=burst].created' 10001
gives 'findings[kind=burst].created_by' main.refresh
gives 'tasks.existing_at_start' "$(($(ask tasks.seen) - $(ask tasks.created)))"
[ "$(ask tasks.created)" -ge 10001 ] || fail "$(ask tasks.created) were created"
# Whoever has not got one of the five connections waits for it.
[ "$(of main.ask tasks | awk '{ sum += $1 } END { print sum }')" -ge 5000 ] || fail 'most of them wait'
ask 'parked[where=main.ask].reason' | grep -q 'chan send' || fail 'they wait for a connection'

story server_start server_start.go1.22.trace
gives 'findings#' 0
left 8 main.compact 'chan receive' main.openShard
left 4 main.openShard 'chan receive' main.startStore
left 1 main.listen network main.main.func1
nobody_in main.load
nobody_in main.visit

# ---- health ----

story healthy_pool healthy_pool.go1.23.trace
gives 'findings#' 0
left 4 main.worker 'chan receive' main.main.func1
moves main.worker
moves main.statistics

story healthy_pipeline healthy_pipeline.go1.19.trace
gives 'findings#' 0
nobody_in main.
gives tasks.exited 5

# ---- dumps ----

story unclosed_range unclosed_range.dumps.txt
gives trace.format goroutine-dump
left 40 main.work 'chan receive' main.runBatch
created_at main.work 'go work(jobs)'

# ---- programs in C ----

story two_lock_deadlock two_lock_deadlock.loiter
gives trace.format loiter
gives trace.backend preload
gives 'findings[kind=deadlock].cycle#' 2
gives 'findings[kind=deadlock].cycle[name=shipping].where' ship_order
gives 'findings[kind=deadlock].cycle[name=auditor].where' audit_stock

story lost_wakeup lost_wakeup.loiter
left 1 wait_for_bell 'cond wait' main
gives 'findings[where=wait_for_bell].kind' stuck
gives 'findings[where=wait_for_bell].task_names[]' printer
at wait_for_bell 'pthread_cond_wait(&bell'

# ---- every trace is told about, small, and sound ----

sample=README
for file in "$samples"/traces/*; do
	name=$(basename "$file")
	[ "$name" = README.md ] || grep -qF "\`$name\`" "$samples/traces/README.md" ||
		fail "$name has no row in samples/traces/README.md"
	case $name in *.loiter)
		"$loiter" verify "$file" >"$work/out" 2>&1 || fail "$name: $(cat "$work/out")" ;;
	esac
	[ "$(stat -c %s "$file")" -lt 61440 ] || fail "$name is larger than 60 KiB"
done

[ -z "$failed" ] && echo 'kept_traces: all as expected'
[ -z "$failed" ]
