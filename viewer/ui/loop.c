#include "viewer/ui/loop.h"

#include <poll.h>
#include <time.h>

#include "viewer/ui/input.h"
#include "viewer/ui/work.h"

/* Keys that are waiting are all acted on before anything is drawn. */
static void take_keys(struct app *app)
{
	uint32_t key;

	while (!app->quit && !app->suspend && (key = input_next()) != KEYCODE_NONE)
		app_key(app, key);
}

static void show(struct app *app, struct screen *screen)
{
	struct lo_error err;
	struct canvas *canvas = screen_canvas(screen);

	if (screen_follow_size(screen, &err) != LO_OK) {
		app->quit = true;
		return;
	}
	work_step(app, canvas->columns);
	app_draw(app, canvas);
	if (app->repaint)
		screen_repaint(screen);
	app->repaint = false;
	screen_show(screen);
}

/* A short trace is read before the first screen is drawn: nothing flickers. */
#define FIRST_SCREEN_MS 100

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Sleeps until a key, a signal, a change of size, or news from the worker. False: hung up. */
static bool wait_for_news(struct app *app, struct screen *screen, int timeout_ms)
{
	struct pollfd sources[] = {
		{ .fd = input_descriptor(), .events = POLLIN },
		{ .fd = screen_wake_descriptor(screen), .events = POLLIN },
		{ .fd = app->background.wake_fd, .events = POLLIN },
	};

	poll(sources, LO_COUNT_OF(sources), timeout_ms);
	screen_take_wake(screen);
	return !(sources[0].revents & (POLLHUP | POLLERR | POLLNVAL));
}

static void wait_for_first_screen(struct app *app, struct screen *screen)
{
	uint64_t begin = now_ms();
	uint64_t passed = 0;

	work_step(app, screen_canvas(screen)->columns);
	while (app->working != APP_WORK_NONE && passed < FIRST_SCREEN_MS) {
		wait_for_news(app, screen, (int)(FIRST_SCREEN_MS - passed));
		work_step(app, screen_canvas(screen)->columns);
		passed = now_ms() - begin;
	}
}

int loop_run(struct app *app, struct screen *screen)
{
	bool connected = true;

	input_open();
	wait_for_first_screen(app, screen);
	while (connected && !app->quit && !screen_signal(screen)) {
		show(app, screen);
		connected = wait_for_news(app, screen, -1);
		take_keys(app);
		if (app->suspend)
			screen_suspend(screen);
		app->suspend = false;
	}
	return screen_signal(screen);
}
