#!/bin/sh
# Programs of all kinds under the preload library: they write what they write without it. And a
# library that finds no sound segment stays out of the way. Usage: programs.sh SHIM_RECORD LIBRARY
set -eu

record=$1
library=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
failures=0

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# same NAME COMMAND...: bare and recorded, alone and with its children.
same() {
	name=$1
	shift
	if ! command -v "$1" >/dev/null 2>&1; then
		echo "left out: $name, there is no $1 here"
		return
	fi
	status=0
	"$@" >"$work/bare" 2>"$work/bare.err" </dev/null || status=$?
	for options in "" -f "-d 32" "-f -d 32 -t 1000"; do
		recorded=0
		# The options are words on purpose.
		# shellcheck disable=SC2086
		"$record" $options -q "$library" "$@" >"$work/out" 2>"$work/err" </dev/null || recorded=$?
		[ "$status" = "$recorded" ] || fail "$name $options: status $recorded, bare $status"
		cmp -s "$work/bare" "$work/out" || fail "$name $options: its output differs"
		tail -n 1 "$work/err" | grep -q '^records [1-9].*broken 0$' ||
			fail "$name $options: $(tail -n 1 "$work/err")"
	done
}

# Without a segment, or with one that is not ours, nothing is recorded and nothing else happens.
for damage in 1 2 3 4 5 6; do
	"$record" -w $damage "$library" /bin/sh -c 'sleep 0.01; echo fine; exit 5' >"$work/out" \
		2>"$work/err" && status=0 || status=$?
	[ $status = 5 ] || fail "damage $damage: status $status"
	[ "$(cat "$work/out")" = fine ] || fail "damage $damage: output"
	[ "$(head -n 1 "$work/err")" = "records 0 taken 0 lost: full 0 nested 0 no-ring 0; broken 0" ] ||
		fail "damage $damage: $(cat "$work/err")"
done
LD_PRELOAD=$library /bin/sh -c 'echo fine' >"$work/out" 2>&1
[ "$(cat "$work/out")" = fine ] || fail "without a recorder"
LD_PRELOAD="$library" LOITER_SEGMENT=x LOITER_SEGMENT_TOKEN=y /bin/sh -c 'env' >"$work/out" 2>&1
! grep -E '^(LD_PRELOAD|LOITER_)' "$work/out" || fail "the environment was not cleaned"

# Other libraries in LD_PRELOAD stay, in their order.
PATH=$PATH:/usr/sbin:/sbin # ldconfig is there, and not in the PATH of every user
libm=$(ldconfig -p | awk '$1 == "libm.so.6" { print $NF; exit }')
libdl=$(ldconfig -p | awk '$1 == "libdl.so.2" { print $NF; exit }')
for list in "$libm:$library:$libdl" "$libm $library $libdl" "$library:$libm:$libdl"; do
	LD_PRELOAD=$list /bin/sh -c 'echo "$LD_PRELOAD"' >"$work/out" 2>&1
	[ "$(tr ' ' ':' <"$work/out")" = "$libm:$libdl" ] || fail "LD_PRELOAD became $(cat "$work/out")"
done

# Where address space is rationed the program gets all of it.
"$record" -f "$library" /bin/sh -c 'ulimit -v 60000; exec /bin/echo fine' >"$work/out" 2>"$work/err" ||
	fail "with little address space: $(cat "$work/err")"
[ "$(cat "$work/out")" = fine ] || fail "with little address space: output"
grep -q 'name sh' "$work/err" && ! grep -q 'name echo' "$work/err" ||
	fail "with little address space: $(cat "$work/err")"

same true true
same shell sh -c 'echo a | cat | (sleep 0.05; cat); (exit 3); echo $?; kill -9 $$'
same wait sh -c 'sleep 0.1 & sleep 0.05 & wait; echo done'
same find find /proc/self/task -maxdepth 0
same sqlite sqlite3 :memory: \
	'create table t(a); with recursive n(i) as (select 1 union all select i+1 from n where i<20000) insert into t select i*i%997 from n; select sum(a),count(distinct a) from t;'
head -c 3000000 /dev/zero | od -v -tu4 -A d >"$work/numbers"
same xz xz -T2 -c -1 --block-size=1MiB "$work/numbers"
same gzip gzip -nc "$work/numbers"
same sort sort --parallel=2 -S 1M "$work/numbers"
python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null || echo python3)
same python "$python" -c '
import threading, queue, subprocess, time, socket, select, signal, os, concurrent.futures as cf
q = queue.Queue()
def work():
    while (n := q.get()) is not None:
        time.sleep(0.001)
threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads]
[q.put(n) for n in range(100)]
[q.put(None) for _ in threads]
[t.join() for t in threads]
print(subprocess.run(["echo", "child"], capture_output=True, text=True).stdout)
a, b = socket.socketpair()
threading.Timer(0.05, lambda: b.send(b"hello")).start()
print(select.select([a], [], [], 5)[0] == [a], a.recv(5))
signal.signal(signal.SIGALRM, lambda *_: os.write(1, b"alarm\n"))
signal.setitimer(signal.ITIMER_REAL, 0.02)
time.sleep(0.1)
with cf.ProcessPoolExecutor(2) as pool:
    print(sum(pool.map(abs, range(-100, 0))))
e = threading.Event(); print(e.wait(0.02)); c = threading.Condition()
with c: print(c.wait(0.02))
'

[ $failures = 0 ]
