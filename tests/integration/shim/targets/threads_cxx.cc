/*
 * C++: what its library makes of threads, and an exception that passes by.
 *
 * Events:
 *	1 run existing
 *	1 name threads_cxx
 *	1 create 2
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block join task 2 holder 2
 *	1 unblock waker 2
 *	1 create 3
 *	1 block join task 3 holder 3
 *	1 unblock waker 3
 *	1 create 4
 *	1 block join task 4 holder 4
 *	1 unblock waker 4
 *	1 create 5
 *	1 block futex wait futex 1
 *	1 unblock waker 5
 *	? 1 block join task 5 holder 5
 *	? 1 unblock waker 5
 *	1 block cond wait cond 1 timed
 *	1 unblock timed-out
 *	1 exit
 *	2 run
 *	2 block cond wait cond 1
 *	2 unblock waker 1
 *	2 exit
 *	3 run
 *	3 block sleep timed
 *	3 unblock timed-out
 *	3 exit
 *	4 run
 *	4 block mutex lock mutex 1 holder 1 timed
 *	4 unblock timed-out
 *	4 exit
 *	5 run
 *	5 block sleep timed
 *	5 unblock timed-out
 *	5 exit
 */
#include <condition_variable>
#include <chrono>
#include <cstdio>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <semaphore>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;

static std::mutex mutex;
static std::condition_variable cond;
static bool ready;

static void wait_until_ready()
{
	std::unique_lock lock(mutex);
	cond.wait(lock, [] { return ready; });
}

static int wait_and_throw()
{
	std::this_thread::sleep_for(20ms);
	throw std::runtime_error("thrown while others wait");
}

int main()
{
	std::thread thread(wait_until_ready);
	std::this_thread::sleep_for(300ms);
	{
		std::lock_guard guard(mutex);
		ready = true;
	}
	cond.notify_one();
	thread.join();

	auto result = std::async(std::launch::async, wait_and_throw);
	try {
		result.get();
	} catch (const std::runtime_error &error) {
		std::puts(error.what());
	}

	std::timed_mutex timed;
	timed.lock();
	std::thread([&] { std::printf("%d\n", timed.try_lock_for(20ms)); }).join();

	std::counting_semaphore<4> semaphore(0);
	std::jthread poster([&] {
		std::this_thread::sleep_for(300ms);
		semaphore.release();
	});
	semaphore.acquire();
	poster.join();

	std::unique_lock lock(mutex);
	std::puts(cond.wait_for(lock, 20ms) == std::cv_status::timeout ? "timeout" : "woken");
	return 0;
}
