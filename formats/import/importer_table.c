#include "formats/import/importer.h"

extern const struct importer go_trace_v1_importer;
extern const struct importer go_trace_v2_importer;

const struct importer *const importers[] = {
	&go_trace_v1_importer,
	&go_trace_v2_importer,
	NULL,
};
