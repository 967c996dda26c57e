// The ways in which C++ 20 makes a thread wait: mutex, condition_variable, counting_semaphore, future,
// latch, and an exception that passes through a waiting thread's frames.
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <latch>
#include <mutex>
#include <queue>
#include <semaphore>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

class Queue {
public:
	void put(int item)
	{
		free_places.acquire();
		{
			std::lock_guard<std::mutex> guard(lock);
			items.push(item);
		}
		filled.notify_one();
	}

	int take()
	{
		std::unique_lock<std::mutex> guard(lock);
		filled.wait(guard, [this] { return !items.empty(); });
		int item = items.front();
		items.pop();
		free_places.release();
		return item;
	}

private:
	std::mutex lock;
	std::condition_variable filled;
	std::counting_semaphore<4> free_places{ 4 };
	std::queue<int> items;
};

constexpr int consumers = 3;
constexpr int items = 3000;

long consume(Queue &queue)
{
	long sum = 0;
	for (int item; (item = queue.take()) != 0;)
		sum += item;
	return sum;
}

int throw_while_others_wait(std::latch &all_here)
{
	all_here.arrive_and_wait();
	std::this_thread::sleep_for(std::chrono::milliseconds(300));
	throw std::runtime_error("as expected");
}

} // namespace

int main()
{
	Queue queue;
	std::vector<std::future<long>> sums;
	for (int i = 0; i < consumers; i++)
		sums.push_back(std::async(std::launch::async, consume, std::ref(queue)));
	for (int item = 1; item <= items; item++)
		queue.put(item);
	for (int i = 0; i < consumers; i++)
		queue.put(0);
	long sum = 0;
	for (auto &part : sums)
		sum += part.get();
	std::printf("%ld\n", sum);

	std::counting_semaphore<4> closed{ 0 };
	std::thread outside([&closed] {
		closed.acquire();
		std::puts("inside");
	});
	std::this_thread::sleep_for(std::chrono::milliseconds(300));
	closed.release();
	outside.join();

	std::latch all_here(2);
	auto thrown = std::async(std::launch::async, throw_while_others_wait, std::ref(all_here));
	all_here.arrive_and_wait();
	try {
		thrown.get();
	} catch (const std::runtime_error &error) {
		std::puts(error.what());
	}

	std::timed_mutex timed;
	timed.lock();
	std::thread late([&timed] {
		std::puts(timed.try_lock_for(std::chrono::milliseconds(30)) ? "locked" : "too late");
	});
	late.join();
	timed.unlock();
	return 0;
}
