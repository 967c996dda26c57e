# Shared by the scripts of this folder: record programs for real and ask the report about the trace.
# Sourced with the build folder as $1. Checks timings nowhere: only what happened, in what order.

build=${1:?usage: $0 BUILD-FOLDER}
loiter=$build/viewer/cli/loiter
query=$build/tests/json_query
failures=0

skip() {
	echo "skipped: $*"
	exit 77
}

for command in record report verify; do
	"$loiter" --help | grep -q "^  loiter $command " || skip "this build has no 'loiter $command'"
done
[ -x "$query" ] || skip "reading reports in tests wants libjansson-dev"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

fail() {
	echo "FAILED: $subject: $*"
	failures=$((failures + 1))
}

# bare NAME COMMAND...: how the program behaves without us.
bare() {
	subject=$1
	shift
	bare_status=0
	"$@" >"$work/$subject.bare.out" 2>"$work/$subject.bare.err" </dev/null || bare_status=$?
}

# recorded NAME COMMAND...: the same under the recorder, and its report.
recorded() {
	subject=$1
	shift
	recorded_status=0
	"$loiter" record -o "$work/$subject.loiter" -- "$@" \
		>"$work/$subject.out" 2>"$work/$subject.err" </dev/null || recorded_status=$?
	make_report
}

make_report() {
	"$loiter" report --json "$work/$subject.loiter" >"$work/$subject.json" ||
		fail "report --json failed"
	"$loiter" report "$work/$subject.loiter" >"$work/$subject.txt" || fail "report failed"
	"$loiter" verify "$work/$subject.loiter" >"$work/$subject.verify" 2>&1 ||
		fail "the trace is damaged: $(cat "$work/$subject.verify")"
}

# The recorder must change neither status nor output. It may add its own last line to stderr.
same_behaviour() {
	[ "$bare_status" -eq "$recorded_status" ] ||
		fail "ended with status $recorded_status, alone with $bare_status"
	cmp -s "$work/$subject.bare.out" "$work/$subject.out" || fail "printed something else"
}

ask() {
	"$query" "$1" <"$work/$subject.json"
}

# has PATH VALUE: one of the values there is this one.
has() {
	ask "$1" | grep -qxF -e "$2" || fail "no $1 is '$2' but: $(ask "$1" | tr '\n' ' ')"
}

# lacks PATH [VALUE]: none of the values there is this one; without a value: there is none at all.
lacks() {
	if [ $# -eq 1 ]; then
		[ -z "$(ask "$1")" ] || fail "$1 should be absent but is: $(ask "$1" | tr '\n' ' ')"
	elif ask "$1" | grep -qxF -e "$2"; then
		fail "$1 should not be '$2'"
	fi
}

# at_least PATH NUMBER: the first value there is a number and no smaller.
at_least() {
	value=$(ask "$1" | head -n 1)
	case $value in
	'' | *[!0-9]*) fail "$1 is '$value' instead of a number" ;;
	*) [ "$value" -ge "$2" ] || fail "$1 is $value, expected $2 or more" ;;
	esac
}

finish() {
	[ "$failures" -eq 0 ] || {
		echo "$failures checks failed"
		exit 1
	}
	echo "all checks passed"
}
