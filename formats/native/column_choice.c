#include "formats/native/column_choice.h"

/* What each column takes in each of its encodings. */
struct trial {
	struct column_choice *choice;
	struct event_encoder *encoder;
	struct byte_packer *packer;
	size_t sizes[EVENT_COLUMN_COUNT][COLUMN_ENCODINGS_MAX];
	struct lo_error *err;
};

static enum lo_result try_column(struct trial *trial, enum event_column column)
{
	const struct event_column_info *info = &event_columns[column];
	struct byte_buffer *packed = &trial->choice->packed;
	enum lo_result result = LO_OK;

	for (unsigned i = 0; i < info->count && result == LO_OK; i++) {
		result = event_encoder_column(
				trial->encoder, column, info->encodings[i], trial->err);
		byte_buffer_clear(packed);
		if (result == LO_OK)
			result = byte_packer_pack_parts(trial->packer, trial->encoder->raw.bytes,
					trial->encoder->raw.size, &trial->encoder->parts, packed,
					trial->err);
		trial->sizes[column][i] = packed->size;
	}
	return result;
}

/* The smallest of the first `count`: at a tie the plainer one, which comes first. */
static unsigned smallest(const struct trial *trial, enum event_column column, unsigned count)
{
	unsigned best = 0;

	for (unsigned i = 1; i < count; i++)
		if (trial->sizes[column][i] < trial->sizes[column][best])
			best = i;
	return best;
}

static unsigned in_order_of_time(enum event_column column)
{
	unsigned count = 0;

	while (count < event_columns[column].count &&
			ORDER_OF(event_columns[column].encodings[count]) == ORDER_TIME)
		count++;
	return count;
}

/* Kinds may stand in the order of tasks, or tasks in that of kinds, but not both. */
static void settle_kinds_and_tasks(struct trial *trial)
{
	unsigned tasks_free = smallest(trial, COLUMN_TASK, event_columns[COLUMN_TASK].count);
	unsigned tasks_first = smallest(trial, COLUMN_TASK, in_order_of_time(COLUMN_TASK));
	unsigned kinds_free = smallest(trial, COLUMN_KIND, event_columns[COLUMN_KIND].count);
	unsigned kinds_first = smallest(trial, COLUMN_KIND, in_order_of_time(COLUMN_KIND));
	bool kinds_lead = trial->sizes[COLUMN_KIND][kinds_first] +
					  trial->sizes[COLUMN_TASK][tasks_free] <=
			  trial->sizes[COLUMN_KIND][kinds_free] +
					  trial->sizes[COLUMN_TASK][tasks_first];
	unsigned kind = kinds_lead ? kinds_first : kinds_free;
	unsigned task = kinds_lead ? tasks_free : tasks_first;

	trial->choice->encodings[COLUMN_KIND] = event_columns[COLUMN_KIND].encodings[kind];
	trial->choice->encodings[COLUMN_TASK] = event_columns[COLUMN_TASK].encodings[task];
}

static enum lo_result try_all(struct trial *trial)
{
	const struct event_encoder *encoder = trial->encoder;
	enum lo_result result = clock_steps_learn(&trial->encoder->steps, encoder->events,
			encoder->rows, encoder->begin_ns, trial->err);

	for (unsigned column = 0; column < EVENT_COLUMN_COUNT && result == LO_OK; column++) {
		result = try_column(trial, (enum event_column)column);
		trial->choice->encodings[column] = event_columns[column].encodings[smallest(
				trial, (enum event_column)column, event_columns[column].count)];
	}
	settle_kinds_and_tasks(trial);
	return result;
}

static bool is_due(const struct column_choice *choice, uint32_t rows)
{
	return choice->trial_rows == 0 || choice->blocks > COLUMN_TRIAL_BLOCKS ||
	       rows / 2 > choice->trial_rows;
}

enum lo_result column_choice_make(struct column_choice *choice, struct event_encoder *encoder,
		struct byte_packer *packer, struct lo_error *err)
{
	struct trial trial = { choice, encoder, packer, { { 0 } }, err };

	choice->blocks++;
	if (encoder->rows == 0 || !is_due(choice, encoder->rows))
		return LO_OK;
	choice->blocks = 1;
	choice->trial_rows = encoder->rows;
	return try_all(&trial);
}

void column_choice_release(struct column_choice *choice)
{
	byte_buffer_release(&choice->packed);
	*choice = (struct column_choice){ 0 };
}
