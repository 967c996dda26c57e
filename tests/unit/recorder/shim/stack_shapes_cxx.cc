#include "tests/unit/recorder/shim/stack_shapes.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

namespace
{

stack_leaf *leaf_now;

/* Calls the leaf while an exception unwinds the stack, too. */
struct guard {
	int number;
	explicit guard(int value) : number(value)
	{
		leaf_now();
	}
	~guard()
	{
		leaf_now();
	}
};

__attribute__((noinline)) int throws(int depth)
{
	guard here(depth);

	if (depth == 0)
		throw std::runtime_error("thrown");
	return throws(depth - 1) + here.number;
}

__attribute__((noinline)) int catches(int depth)
{
	try {
		return throws(depth);
	} catch (const std::runtime_error &) {
		leaf_now();
		return 1;
	}
}

__attribute__((noinline)) int rethrows(int depth)
{
	try {
		try {
			return throws(depth);
		} catch (...) {
			leaf_now();
			throw;
		}
	} catch (const std::exception &) {
		leaf_now();
		return 2;
	}
}

struct shape {
	virtual ~shape() = default;
	virtual int size(int value) = 0;
};

struct square : shape {
	int size(int value) override
	{
		alignas(32) char bytes[32] = { static_cast<char>(value) };

		__asm__ volatile("" : : "r"(bytes) : "memory");
		leaf_now();
		return bytes[0];
	}
};

__attribute__((noinline)) int under_templates()
{
	std::vector<int> numbers = { 5, 3, 9, 1, 7, 2 };
	std::function<bool(int, int)> less = [](int a, int b) {
		leaf_now();
		return a < b;
	};

	std::sort(numbers.begin(), numbers.end(), less);
	return numbers[0];
}

} // namespace

void stack_shapes_cxx(stack_leaf *call, bool with_large_frames)
{
	std::unique_ptr<shape> object = std::make_unique<square>();

	leaf_now = call;
	catches(with_large_frames ? 40 : 3);
	rethrows(5);
	object->size(3);
	under_templates();
}
