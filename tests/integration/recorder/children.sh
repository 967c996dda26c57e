#!/bin/sh
# Processes that the program starts, recorded and left alone. Usage: children.sh BUILD-FOLDER
set -eu
. "$(dirname "$0")/recording.sh"

record() {
	status=0
	"$loiter" record -o family.loiter "$@" >out 2>err </dev/null || status=$?
	read_trace family.loiter
}

processes() {
	count=$(grep -c '^process ' facts)
	[ "$count" -eq "$1" ] || fail "$count processes instead of $1: $(grep '^process ' facts)"
}

# All tasks have ended with their processes.
nobody_is_left() {
	"$loiter" report --json family.loiter >report.json
	grep -q '"alive_at_end": *0[,}]' report.json ||
		fail "$(grep -o '"alive_at_end": *[0-9]*' report.json)"
	says_not '^blocked '
}

for way in fork vfork spawn; do
	subject="$way, followed"
	record -- "$programs/family" "$way"
	expect_status 4
	processes 2
	says '^process 1 [0-9]* 0 exited 4 .*/family$'
	says '^process 2 [0-9]* 1 .*/family$'
	says '^task [0-9]* 1 .* exited 0 parent thread'
	says '^task [0-9]* 2 .* exited 0 child thread'
	nobody_is_left
	[ "$(grep -c "^task [0-9]* [12] [0-9]* [a-z]* 1 " facts)" -eq 2 ] ||
		fail 'there are not two main tasks'

	subject="$way, left alone"
	record --follow-children no -- "$programs/family" "$way"
	expect_status 4
	processes 1
	says_not 'child thread'
done

subject='the program becomes another'
record -- "$programs/family" exec
expect_status 5
processes 2
says '^process 1 [0-9]* 0 replaced 0 '
says '^process 2 [0-9]* 0 exited 5 .*/family$'
[ "$(awk '$1 == "process" { print $3 }' facts | sort -u | wc -l)" -eq 1 ] || fail 'another pid'
says '^task [0-9]* 2 .* child thread'
nobody_is_left

subject='a script, and what it starts'
cat >script <<-END
	#!/bin/sh
	"$programs/family" child
	"$programs/family" fork
	exec "$programs/family" child
END
chmod +x script
record -- ./script
expect_status 5
processes 5
says '^process 1 [0-9]* 0 replaced 0 .*sh$'
nobody_is_left

subject='a child that exits while one of its threads is stuck'
record -- "$programs/family" quit
expect_status 4
says '^task [0-9]* 2 .* exited 0 stuck thread'
nobody_is_left

subject='a child that is killed while one of its threads is stuck'
record -- "$programs/family" kill
expect_status 4
id=$(sed -n 's/^task \([0-9]*\) 2 .* stuck thread$/\1/p' facts)
grep -q "^blocked ${id:-none} cond wait cond .* wait_for_nobody" facts ||
	fail "the stuck thread is not shown: $(grep '^blocked ' facts)"

subject='a child that is left behind'
record -- "$programs/family" leave
expect_status 4
grep -q '1 of its processes still run' err || fail "said: $(cat err)"
processes 2
says '^process 2 [0-9]* [01] running 0 ' # it may have been adopted before it was noticed

subject='more processes than there are slots'
cat >many <<-END
	#!/bin/sh
	i=0
	while [ \$i -lt 150 ]; do
		i=\$((i + 1))
		"$programs/family" child &
	done
	wait
END
chmod +x many
record -- ./many
expect_status 0
says '^truncated no'
count=$(grep -c '^process ' facts)
missing=$(sed -n 's/^meta warning \([0-9]*\) processes are missing.*/\1/p' facts)
[ $((count + ${missing:-0})) -eq 151 ] || fail "$count processes and ${missing:-no} missing"
finish
