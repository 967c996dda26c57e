#!/bin/sh
# Records programs that other people wrote. Each must behave as it does alone, its trace must be
# sound, and since all of them are healthy there may be no finding of a deadlock or of stuck tasks.
# Usage: real_programs.sh BUILD-FOLDER [NAME...]
#
# A program that is not installed is left out with a line that begins "skipped: ". Servers listen on
# the loopback address only; every load is bounded by a count, and the whole by a few minutes.
set -eu

. "$(dirname "$0")/record.sh"
shift
here=$(cd "$(dirname "$0")" && pwd)
own=$build/tests

# installed COMMAND...: all of them, or a line that says which is not.
installed() {
	for command; do
		if ! command -v "$command" >/dev/null 2>&1; then
			echo "skipped: $command is not installed"
			return 1
		fi
	done
}

built() {
	[ -x "$own/$1" ] && return 0
	echo "skipped: $1 was not built: $2"
	return 1
}

healthy() {
	lacks 'findings[kind=deadlock].summary'
	lacks 'findings[kind=stuck].summary'
	has trace.truncated false
	at_least events.block 1
}

# alone_and_recorded NAME COMMAND...: for programs that end by themselves.
alone_and_recorded() {
	bare "$@"
	recorded "$@"
	same_behaviour
	healthy
}

some_text() {
	[ -f "$work/text" ] || seq 1 3000000 >"$work/text"
	echo "$work/text"
}

program_xz() {
	installed xz || return 0
	alone_and_recorded xz xz -T2 --block-size=4MiB -1 -c "$(some_text)"
}

program_pigz() {
	installed pigz || return 0
	alone_and_recorded pigz pigz -p 8 -c "$(some_text)"
	at_least tasks.created 8
}

program_python3() {
	installed python3 || return 0
	python=$(python3 -c 'import sys; print(sys.executable)')
	alone_and_recorded python3 "$python" "$here/programs/threads_and_queue.py"
	has tasks.alive_at_end 0
}

program_git() {
	installed git || return 0
	git init -q "$work/repository"
	i=0
	while [ "$i" -lt 300 ]; do
		seq "$i" 400 >"$work/repository/file$i"
		i=$((i + 1))
	done
	git -C "$work/repository" add .
	alone_and_recorded git git -C "$work/repository" grep --threads=4 -c 399
}

program_cxx() {
	built cxx_sync "no C++ 20 compiler was found" || return 0
	alone_and_recorded cxx "$own/cxx_sync"
	has 'blocked[].reason' 'cond wait'
	has 'blocked[].reason' 'futex wait'
}

program_rust() {
	built rust_sync "no Rust compiler was found" || return 0
	alone_and_recorded rust "$own/rust_sync"
	has 'blocked[].reason' 'futex wait'
}

program_sqlite() {
	built sqlite_threads "libsqlite3-dev was not found" || return 0
	bare sqlite "$own/sqlite_threads" "$work/bare.db"
	recorded sqlite "$own/sqlite_threads" "$work/recorded.db"
	same_behaviour
	healthy
}

# A port that nobody listens on now. The servers are started at once, and bind it themselves.
free_port() {
	port=$((20000 + ($$ * 7 + ${port:-0}) % 10000))
}

# serve NAME COMMAND...: starts a server under the recorder in the background.
serve() {
	subject=$1
	shift
	"$loiter" record -o "$work/$subject.loiter" -- "$@" \
		>"$work/$subject.out" 2>"$work/$subject.err" </dev/null &
	recorder=$!
}

# The server has been asked to stop: its status is the recorder's.
served() {
	recorded_status=0
	wait "$recorder" || recorded_status=$?
	make_report
	[ "$recorded_status" -eq "$1" ] ||
		fail "ended with status $recorded_status: $(tail -n 3 "$work/$subject.err")"
	healthy
}

load() {
	"$own/loopback_load" "$port" "$@" >"$work/$subject.load" ||
		fail "the load was not answered: $(cat "$work/$subject.load")"
}

program_redis() {
	installed redis-server redis-cli redis-benchmark || return 0
	free_port
	serve redis redis-server --port "$port" --bind 127.0.0.1 --io-threads 2 --save '' \
		--dir "$work"
	load 4 500 'PING\r\n' '+PONG\r\n'
	redis-benchmark -p "$port" -n 20000 -c 16 -P 8 -t set,get -q >"$work/redis.bench" ||
		fail "redis-benchmark failed"
	redis-cli -p "$port" shutdown nosave || fail "shutdown failed"
	served 0
}

program_memcached() {
	installed memcached || return 0
	free_port
	user=
	[ "$(id -u)" -ne 0 ] || user='-u root'
	# shellcheck disable=SC2086
	serve memcached memcached -t 4 -l 127.0.0.1 -p "$port" -P "$work/memcached.pid" $user
	load 8 1000 'set key 0 0 5\r\nvalue\r\n' 'STORED\r\n'
	load 8 1000 'get key\r\n' 'END\r\n'
	kill -TERM "$(cat "$work/memcached.pid")"
	served 0
}

program_nginx() {
	PATH=$PATH:/usr/sbin
	installed nginx || return 0
	free_port
	mkdir -p "$work/nginx"
	seq 1 1000 >"$work/nginx/page.txt"
	cat >"$work/nginx/nginx.conf" <<-CONFIGURATION
		daemon off;
		worker_processes 2;
		pid $work/nginx/pid;
		error_log $work/nginx/error.log;
		thread_pool default threads=4;
		events { }
		http {
			access_log off;
			client_body_temp_path $work/nginx/body;
			proxy_temp_path $work/nginx/proxy;
			fastcgi_temp_path $work/nginx/fastcgi;
			uwsgi_temp_path $work/nginx/uwsgi;
			scgi_temp_path $work/nginx/scgi;
			server {
				listen 127.0.0.1:$port;
				root $work/nginx;
				aio threads;
				keepalive_requests 100000;
			}
		}
	CONFIGURATION
	# The workers of a server that root started are somebody else.
	chmod 755 "$work" "$work/nginx"
	serve nginx nginx -p "$work/nginx" -c "$work/nginx/nginx.conf"
	load 8 200 'GET /page.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' '\n1000\n'
	kill -QUIT "$(cat "$work/nginx/pid")"
	served 0
}

[ $# -gt 0 ] || set -- xz pigz python3 git cxx rust sqlite redis memcached nginx
for name; do
	"program_$name"
done
finish
