#!/bin/sh
# Records every sample for real and looks for what its story promises. Usage: samples.sh BUILD-FOLDER
set -eu

. "$(dirname "$0")/record.sh"

# sample NAME: bare and recorded, with the same output and status, nothing lost.
sample() {
	bare "$1" "$build/samples/$1"
	recorded "$1" "$build/samples/$1"
	same_behaviour
	has trace.format loiter
	has trace.backend preload
	has trace.lost.total 0
	has trace.truncated false
}

two_lock_deadlock_is_a_cycle_of_two() {
	sample two_lock_deadlock
	has 'findings[kind=deadlock].severity' 5
	has 'findings[kind=deadlock].cycle#' 2
	has 'findings[kind=deadlock].cycle[].name' shipping
	has 'findings[kind=deadlock].cycle[].name' auditor
	has 'findings[kind=deadlock].cycle[name=shipping].where' ship_order
	has 'findings[kind=deadlock].cycle[name=auditor].where' audit_stock
	[ "$(ask 'findings[].kind' | head -n 1)" = deadlock ] || fail "the cycle is not on top"
	lacks 'findings[].task_names[]' clerk
}

lost_wakeup_leaves_two_stuck() {
	sample lost_wakeup
	has 'findings[kind=stuck].where' wait_for_bell
	has 'findings[where=wait_for_bell].reason' 'cond wait'
	has 'findings[where=wait_for_bell].object.kind' cond
	has 'findings[where=wait_for_bell].task_names[]' printer
	has 'findings[where=wait_for_bell].created_by' main
	lacks 'findings[].task_names[]' watchdog
	lacks 'findings[kind=deadlock].kind'
}

fork_join_burst_names_its_spawner() {
	sample fork_join_burst
	at_least 'findings[kind=burst].created' 1000
	has 'findings[kind=burst].created_by' warm_cache
	at_least tasks.created 1900
	at_least tasks.peak_alive 1000
	lacks 'findings[kind=stuck].kind'
}

mutex_convoy_moves_but_queues() {
	sample mutex_convoy
	has 'findings[kind=convoy].where' look_up_under_lock
	has 'findings[kind=convoy].object.kind' mutex
	lacks 'findings[kind=stuck].kind'
	lacks 'findings[kind=deadlock].kind'
	has 'blocked[reason=mutex lock].still_blocked' 0
	at_least 'blocked[reason=mutex lock].blocks' 100
}

healthy_pool_is_left_in_peace() {
	sample healthy_pool
	lacks 'findings[].kind'
	has 'parked[reason=cond wait].where' take_job
	has 'parked[reason=accept].where' accept_connections
	has 'parked[reason=join].where' main
}

two_lock_deadlock_is_a_cycle_of_two
lost_wakeup_leaves_two_stuck
fork_join_burst_names_its_spawner
mutex_convoy_moves_but_queues
healthy_pool_is_left_in_peace
finish
