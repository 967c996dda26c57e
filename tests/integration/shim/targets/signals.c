/*
 * Waiting for signals and for children.
 *
 * Events:
 *	1 run existing
 *	1 name signals
 *	1 block pause
 *	1 unblock
 *	1 block signal wait
 *	1 unblock
 *	1 block signal wait
 *	1 unblock
 *	1 block signal wait
 *	1 unblock
 *	1 block signal wait timed
 *	1 unblock
 *	1 block signal wait timed
 *	1 unblock timed-out
 *	1 block child wait process 0
 *	1 unblock
 *	1 block child wait process 0
 *	1 unblock
 *	1 block child wait process 0
 *	1 unblock
 *	1 block child wait process 0
 *	1 unblock
 *	1 block child wait process 0
 *	1 unblock
 *	1 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

static void ignore(int number)
{
	(void)number;
}

static void alarm_soon(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 20000 } }, NULL);
}

/* A child that ends after a while, without a hook of its own. */
static pid_t child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		long_nap();
		syscall(SYS_exit_group, 3);
	}
	return pid;
}

int main(void)
{
	sigset_t set, none;
	siginfo_t info;
	struct rusage usage;
	int number = 0, status = 0;

	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = ignore }, NULL);

	alarm_soon();
	SHOW(pause());

	sigprocmask(SIG_BLOCK, &set, NULL);
	alarm_soon();
	SHOW(sigsuspend(&none));
	alarm_soon();
	SHOW(sigwait(&set, &number));
	alarm_soon();
	SHOW(sigwaitinfo(&set, &info));
	alarm_soon();
	SHOW(sigtimedwait(&set, &info, &(struct timespec){ 50, 0 }));
	SHOW(sigtimedwait(&set, &info, &(struct timespec){ 0, 20000000 }));

	SHOW(child() == wait(&status));
	SHOW(status);
	child();
	SHOW(waitpid(-1, &status, 0) > 0);
	child();
	SHOW(wait3(&status, 0, &usage) > 0);
	child();
	SHOW(wait4(-1, &status, 0, &usage) > 0);
	child();
	SHOW(waitid(P_ALL, 0, &info, WEXITED));
	SHOW(info.si_status);
	SHOW(waitpid(-1, &status, WNOHANG));
	SHOW(waitpid(-1, &status, 0));
	SHOW(system("exit 5"));
	SHOW(system(NULL) != 0);
	return 0;
}
