#include "formats/import/importer.h"

extern const struct importer go_trace_v1_importer;
extern const struct importer go_trace_v2_importer;
extern const struct importer goroutine_dump_importer;

const struct importer *const importers[] = {
	&go_trace_v1_importer,
	&go_trace_v2_importer,
	&goroutine_dump_importer,
	NULL,
};
