#include "viewer/ui/list.h"

static void clamp_selected(struct list *list)
{
	if (list->selected >= list->count)
		list->selected = list->count - 1;
	if (list->selected < 0)
		list->selected = 0;
}

void list_show(struct list *list, int count, int rows)
{
	int last_top = count > rows ? count - rows : 0;

	list->count = count;
	list->rows = rows > 0 ? rows : 1;
	clamp_selected(list);
	if (list->jumped &&
			(list->selected < list->top || list->selected >= list->top + list->rows))
		list->top = list->selected - list->rows / 2;
	list->jumped = false;
	if (list->top > list->selected)
		list->top = list->selected;
	if (list->top < list->selected - list->rows + 1)
		list->top = list->selected - list->rows + 1;
	if (list->top > last_top)
		list->top = last_top;
	if (list->top < 0)
		list->top = 0;
}

void list_select(struct list *list, int row)
{
	list->selected = row;
	if (list->count > 0)
		clamp_selected(list);
}

void list_jump(struct list *list, int row)
{
	list_select(list, row);
	list->jumped = true;
}

static int page(const struct list *list)
{
	return list->rows > 2 ? list->rows - 1 : 1;
}

bool list_act(struct list *list, enum action action)
{
	int step;

	switch (action) {
	case ACTION_DOWN:
		step = 1;
		break;
	case ACTION_UP:
		step = -1;
		break;
	case ACTION_HALF_DOWN:
		step = (page(list) + 1) / 2;
		break;
	case ACTION_HALF_UP:
		step = -(page(list) + 1) / 2;
		break;
	case ACTION_PAGE_DOWN:
		step = page(list);
		break;
	case ACTION_PAGE_UP:
		step = -page(list);
		break;
	case ACTION_FIRST:
	case ACTION_BEGIN:
		step = -list->selected;
		break;
	case ACTION_LAST:
	case ACTION_END:
		step = list->count - 1 - list->selected;
		break;
	default:
		return false;
	}
	list->selected += step;
	if (action >= ACTION_HALF_DOWN && action <= ACTION_PAGE_UP)
		list->top += step; /* pages turn: the selected row keeps its place on the screen */
	clamp_selected(list);
	return true;
}
