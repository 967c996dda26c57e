#!/bin/sh
# Builds everything and runs all tests; fails if any of them fails.
#
#     sh tests/run.sh
#
#   1. clang, warnings are errors: builds
#   2. gcc with address and undefined behaviour sanitizers: the unit tests
#   3. gcc, warnings are errors: all tests except the benchmarks
#
# Missing packages are installed with apt-get, which needs root or sudo, and only then. A test that
# needs something which is not there is shown as skipped. Benchmarks: see tests/bench/README.md.
# The builds go to build/, or to the user's cache folder if the tree cannot be written.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd -P)
. "$root/tests/setup.sh"

test_needs='
command gcc         gcc
library cmocka      libcmocka-dev
'
# Tests that want these are skipped without them.
test_wishes='
command g++           g++
command clang         clang
command clang-format  clang-format
command tmux          tmux
command zstd          zstd
command xz            xz-utils
command pigz          pigz
command python3       python3
command mandoc        mandoc
'

jobs=$(nproc)
failed=

# run_tests NAME FOLDER CTEST-ARGUMENT...
run_tests() {
	name=$1
	folder=$2
	shift 2
	say "tests: $name"
	# Threads of recorded programs need a CPU at the right moment, which a busy machine may deny
	# once; ctest says when it tried again, and what fails three times has failed.
	ctest --test-dir "$folder" --output-on-failure -j "$jobs" --repeat until-pass:3 \
		"$@" </dev/null ||
		failed="$failed, $name"
	# A test that cannot run here prints one line that begins so.
	grep '^skipped: ' "$folder/Testing/Temporary/LastTest.log" || true
}

case ${1:-} in
-h | --help)
	sed -n '2,12s/^# \{0,1\}//p' "$0"
	exit 0
	;;
esac
install_needs "$build_needs$test_needs"
offer_needs "$test_wishes"
choose_build_root

if have command clang; then
	say "building with clang in $build_root/clang"
	configure "$build_root/clang" -DCMAKE_C_COMPILER=clang -DLOITER_WERROR=ON
	build "$build_root/clang"
else
	say "skipped: the build with clang, which is not installed"
fi

say "building with sanitizers in $build_root/sanitize"
# Warnings are no errors here: what the sanitizers add to the code makes gcc warn of things that are
# not in it.
configure "$build_root/sanitize" -DCMAKE_C_COMPILER=gcc -DLOITER_ASAN=ON -DLOITER_UBSAN=ON \
	-DLOITER_SAMPLES=OFF
build "$build_root/sanitize"
run_tests "unit tests with sanitizers" "$build_root/sanitize" -L '^unit$'

say "building with gcc in $build_root/gcc"
configure "$build_root/gcc" -DCMAKE_C_COMPILER=gcc -DLOITER_WERROR=ON
build "$build_root/gcc"
run_tests "all tests" "$build_root/gcc" -LE '^bench$'

[ -z "$failed" ] || give_up "some tests failed in: ${failed#, }"
say "all tests passed"
