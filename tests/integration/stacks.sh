#!/bin/sh
# Compares the stacks of real programs with libunwind's, at the calls in which they wait; and again
# with a profiling signal that walks from arbitrary instructions.
#
#     sh tests/integration/stacks.sh BUILD-FOLDER
#
# Prints what was compared. Exit status 1 if at a call a single stack differs or ends early, or if
# anywhere the memo changes a stack; 77 if there is no program to try.
set -eu

build=${1:?usage: stacks.sh BUILD-FOLDER}
library=$build/tests/unit/recorder/shim/libpreload_oracle.so
if ! [ -r "$library" ]; then
	echo "stacks.sh: built without libunwind" >&2
	exit 77
fi
work=$(mktemp -d)
server=
trap 'rm -rf "$work"; [ -z "$server" ] || kill "$server" 2>/dev/null || :' EXIT
trap 'exit 2' HUP INT TERM

# compare PROGRAM [ARGUMENT...]: its output does not matter, the line it appends does.
compare() {
	LD_PRELOAD=$library STACK_ORACLE_OUT=$work/lines timeout 120 "$@" \
		> "$work/output" 2>> "$work/differences" < "${input:-/dev/null}" || :
}

python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null || :)
cat > "$work/threads.py" <<'END'
import queue, threading, time
tasks = queue.Queue()
def take(depth):
    return tasks.get() if depth == 0 else take(depth - 1)
def work(width):
    for i in range(1000):
        take(i % (width * 3 + 1))
threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
for thread in threads:
    thread.start()
for i in range(4000):
    tasks.put(i)
for thread in threads:
    thread.join()
END
cat > "$work/rows.sql" <<'END'
create table t(a, b);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 6000)
insert into t select x, hex(randomblob(20)) from c;
create index i on t(b);
select count(*) from t where b like '%AB%';
vacuum;
END

run_all() {
	[ -z "$python" ] || compare "$python" "$work/threads.py"
	if command -v sqlite3 > /dev/null; then
		rm -f "$work/rows.db"
		input=$work/rows.sql compare sqlite3 "$work/rows.db"
	fi
	if command -v redis-server > /dev/null && command -v redis-benchmark > /dev/null; then
		compare redis-server --port 0 --unixsocket "$work/redis" --save '' --io-threads 2 \
			--io-threads-do-reads yes &
		server=$!
		for second in 1 2 3 4 5; do
			[ -S "$work/redis" ] || sleep 1
		done
		redis-benchmark -s "$work/redis" -n 1500 -c 10 -q -t set,get,lpush > /dev/null 2>&1 || :
		redis-cli -s "$work/redis" shutdown nosave > /dev/null 2>&1 || :
		wait "$server" || :
		server=
	fi
	if command -v xz > /dev/null; then
		input=$library compare xz -T2 -c
	fi
}

: > "$work/lines"
run_all
STACK_ORACLE_PROF_US=1000
export STACK_ORACLE_PROF_US
run_all

grep -v '^timeout ' "$work/lines" || {
	echo "stacks.sh: no program to try" >&2
	exit 77
}
if grep -v '^timeout ' "$work/lines" | awk '
	# NAME hook: N stacks, N equal, memo N, frames N, early N/N; signal: ...
	{ sub(/.* hook: /, ""); split($0, half, ";"); split(half[1], hook, /[ ,]+/) }
	hook[1] != hook[3] { wrong = 1 }
	half[2] !~ /memo 0,/ { wrong = 1 }
	END { exit !wrong }
'; then
	head -50 "$work/differences" >&2
	exit 1
fi
