#ifndef LOITER_NATIVE_TRACE_TABLES_H
#define LOITER_NATIVE_TRACE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/string_table.h"
#include "formats/model/module.h"
#include "formats/model/stack_table.h"
#include "formats/model/symbol_table.h"
#include "formats/model/task.h"
#include "formats/native/section_read.h"
#include "formats/native/trace_schema.h"

/* What a trace has besides events, tasks (task_pages.h) and index, in memory. Sections are added in
 * the order of the file. */
struct trace_meta {
	uint32_t key; /* string ids in `meta_strings` */
	uint32_t value;
};

/* Rows of one type, growing at the end. */
struct row_list {
	void *rows;
	uint32_t count;
	uint32_t capacity;
};

struct trace_tables {
	struct string_table *strings;
	struct stack_table *stacks;
	struct symbol_table *symbols;
	struct row_list modules;   /* struct module_info, id - 1 */
	struct row_list processes; /* struct process_info, sorted by index once finished */
	struct row_list meta;      /* struct trace_meta */
	struct string_table *meta_strings;
};

enum lo_result trace_tables_init(struct trace_tables *tables, struct lo_error *err);
void trace_tables_release(struct trace_tables *tables);

/* True for section types that trace_tables_add() takes. */
bool trace_tables_have(unsigned section_type);

/*
 * Adds the rows of one unpacked section. After LO_CORRUPT the rows before the bad one stay; the
 * caller reports and goes on.
 */
enum lo_result trace_tables_add(struct trace_tables *tables, const struct trace_schema *schema,
		const struct section_payload *section, struct lo_error *err);

/* After the last section: makes rows findable by id, the last of each id counting. */
enum lo_result trace_tables_finish(struct trace_tables *tables, struct lo_error *err);

/* NULL when there is no such row. */
const struct module_info *trace_tables_module(const struct trace_tables *tables, uint32_t id);
const struct process_info *trace_tables_process(const struct trace_tables *tables, uint32_t index);

#endif
