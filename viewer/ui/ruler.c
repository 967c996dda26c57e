#include "viewer/ui/ruler.h"

#include <string.h>

void ruler_draw_map(const struct app *app, const struct time_axis *axis, struct pane strip)
{
	struct time_axis whole;
	struct time_span window = time_axis_span(axis);
	int first;
	int last;

	time_axis_init(&whole, app->analysis->duration_ns, strip.columns);
	first = time_axis_column(&whole, window.begin_ns);
	last = time_axis_column(&whole, window.end_ns - 1);
	if (last >= strip.columns)
		last = strip.columns - 1;
	pane_fill(strip, 0, 0, strip.columns, STYLE_DIM, '.');
	pane_fill(strip, 0, first, last - first + 1, STYLE_TEXT, '=');
	pane_put(strip, 0, first, STYLE_TEXT, '[');
	pane_put(strip, 0, last, STYLE_TEXT, ']');
	for (uint32_t i = app->analysis->finding_count; i-- > 0;) {
		const struct finding *finding = &app->analysis->findings[i];

		pane_put(strip, 0, time_axis_column(&whole, finding->since_ns),
				finding->severity >= 4 ? STYLE_BAD : STYLE_WARNING,
				finding->severity >= 4 ? '!' : '*');
	}
}

/*
 * Where events were lost, block by block: letters first, under the labels of the ruler; then once
 * more the colour alone, for labels that stand on them.
 */
static void mark_losses(const struct app *app, const struct time_axis *axis, struct pane strip,
		bool letters)
{
	struct trace_section section;
	int begin;
	int end;

	if (app->analysis->lost_total == 0)
		return;
	for (uint32_t i = 0; trace_reader_section(app->reader, i, &section); i++) {
		uint64_t lost = 0;

		for (int cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
			lost += section.lost[cause];
		if (!lost || !time_axis_columns(axis, section.span, &begin, &end))
			continue;
		if (letters)
			pane_fill(strip, 0, begin, end - begin, STYLE_BAD, 'L');
		else
			pane_restyle(strip, 0, begin, end - begin, STYLE_BAD);
	}
}

void ruler_draw(const struct app *app, const struct time_axis *axis, struct pane strip)
{
	struct time_span window = time_axis_span(axis);
	char text[TIME_LABEL_MAX];
	int width = (int)strlen(time_axis_label(axis, axis->limit_ns, axis->column_ns, text));
	uint64_t step = time_axis_tick_step(axis, width + 3);
	uint64_t first = axis->begin_ns + (step - axis->begin_ns % step) % step;

	mark_losses(app, axis, strip, true);
	for (uint64_t time = first; time < window.end_ns && time >= first; time += step) {
		int column = time_axis_column(axis, time);

		pane_put(strip, 0, column, STYLE_DIM, strip.canvas->glyphs->vertical);
		time_axis_label(axis, time, step, text);
		if (column + 1 + (int)strlen(text) <= strip.columns)
			pane_text(strip, 0, column + 1, STYLE_DIM, text);
	}
	mark_losses(app, axis, strip, false);
	pane_restyle(strip, 0, time_axis_column(axis, app->place.cursor_ns), 1, STYLE_CURSOR);
}
