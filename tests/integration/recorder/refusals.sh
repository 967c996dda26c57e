#!/bin/sh
# Programs that cannot be recorded by preloading are told so and not started; sanitized ones work
# where they can. Usage: refusals.sh BUILD-FOLDER
set -eu
. "$(dirname "$0")/recording.sh"
cc=$(command -v gcc || command -v cc) || {
	echo 'skipped: no compiler to make such programs with'
	exit 77
}

cat >hello.c <<-END
	#include <stdio.h>
	#include <pthread.h>
	static void *say(void *text) { puts(text); return NULL; }
	int main(void)
	{
		pthread_t thread;
		return pthread_create(&thread, NULL, say, "hello") || pthread_join(thread, NULL);
	}
END

record() {
	status=0
	"$loiter" record -o hello.loiter -- "$@" >out 2>err </dev/null || status=$?
}

# refused PROGRAM WORD: with a sentence that has this word in it; never started, no file.
refused() {
	record "$1"
	expect_status 2
	told "$2"
	[ ! -s out ] || fail 'it was started'
	[ ! -e hello.loiter ] || fail 'there is a trace'
}

subject='static'
if "$cc" -static -pthread -o static hello.c 2>/dev/null; then
	refused ./static 'statically linked'
	subject='script of a static interpreter'
	printf '#!%s/static\n' "$work" >script
	chmod +x script
	refused ./script 'statically linked'
fi

subject='musl'
if command -v musl-gcc >/dev/null 2>&1 && musl-gcc -o musl hello.c 2>/dev/null; then
	refused ./musl 'musl'
fi

subject='thread sanitizer'
if "$cc" -fsanitize=thread -pthread -o tsan hello.c 2>/dev/null; then
	refused ./tsan 'thread sanitizer'
fi

subject='setuid'
if [ "$(id -u)" -eq 0 ] && "$cc" -pthread -o setuid hello.c && chown 65534 setuid &&
	chmod u+s setuid; then
	refused ./setuid 'privileges'
fi

subject='address sanitizer'
if "$cc" -fsanitize=address -pthread -o asan hello.c 2>/dev/null && ./asan >/dev/null 2>&1; then
	record ./asan
	expect_status 0
	[ "$(cat out)" = hello ] || fail "it printed: $(cat out)"
	"$check" hello.loiter >facts || fail "$(grep broken facts)"
	says '^task 2 .* exited'
	rm -f hello.loiter
fi

subject='an ordinary program, with a library of the user'
"$cc" -pthread -o plain hello.c
printf 'int loiter_test_library;\n' >own.c
"$cc" -shared -fPIC -o own.so own.c
status=0
LD_PRELOAD=$work/own.so "$loiter" record -o hello.loiter -- sh -c 'echo "$LD_PRELOAD"; ./plain' \
	>out 2>err </dev/null || status=$?
expect_status 0
grep -q "libloiter-preload.so:$work/own.so\$" out || fail "LD_PRELOAD is $(head -n 1 out)"
grep -q '^hello$' out || fail "it printed: $(cat out)"
rm -f hello.loiter

subject='a library that is not there'
status=0
LOITER_PRELOAD=/nowhere/lib.so "$loiter" record -o hello.loiter -- ./plain >out 2>err || status=$?
expect_status 2
told 'LOITER_PRELOAD'
mkdir 'with space'
cp "$build/recorder/libloiter-preload.so" 'with space'
status=0
LOITER_PRELOAD="$work/with space/libloiter-preload.so" "$loiter" record -o hello.loiter -- ./plain \
	>out 2>err || status=$?
expect_status 2
told 'LD_PRELOAD cannot express'
[ ! -e hello.loiter ] || fail 'there is a trace'
finish
