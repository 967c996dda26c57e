#include "viewer/ui/view.h"

const struct view_ops *const view_table[VIEW_COUNT] = {
	[VIEW_FINDINGS] = &findings_view,
	[VIEW_TIMELINE] = &timeline_view,
	[VIEW_FLAME] = &flame_view,
	[VIEW_TASKS] = &tasks_view,
	[VIEW_DETAIL] = &detail_view,
	[VIEW_HELP] = &help_view,
};
