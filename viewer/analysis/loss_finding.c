#include "viewer/analysis/loss_finding.h"

#include <inttypes.h>

#include "viewer/analysis/name.h"

static void tell_causes(
		const struct evidence *evidence, struct finding_list *list, struct finding *finding)
{
	const struct trace_info *info = trace_reader_info(evidence->reader);

	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		if (info->lost[cause] > 0)
			finding_why(list, finding, "%" PRIu64 " lost: %s", info->lost[cause],
					loss_cause_name(cause));
	if (info->lost_unknown > 0)
		finding_why(list, finding,
				"%" PRIu64 " lost for reasons this version does not know",
				info->lost_unknown);
	if (evidence->losses.damaged > 0)
		finding_why(list, finding, "%" PRIu64 " cannot be read: the file is damaged there",
				evidence->losses.damaged);
	finding_why(list, finding,
			"a task that waited across this time is not judged: what woke it may be "
			"among the lost");
}

void loss_find(const struct evidence *evidence, struct finding_list *list)
{
	const struct losses *losses = &evidence->losses;
	struct finding *finding;

	if (losses->lost + losses->damaged == 0)
		return;
	finding = finding_list_add(list, FINDING_LOSS);
	finding->since_ns = losses->span.begin_ns;
	finding->until_ns = losses->span.end_ns;
	finding_summary(list, finding, "%s missing between %s and %s",
			name_count(losses->lost + losses->damaged, "event is", "events are").text,
			name_time(finding->since_ns).text, name_time(finding->until_ns).text);
	tell_causes(evidence, list, finding);
}
