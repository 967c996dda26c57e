#include "recorder/symbols/debug_units.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

/* Debug information may be damaged: entries may nest without end, ranges may cover everything. */
#define NESTING_MAX   64u
#define RANGES_MAX    (1u << 22)
#define FUNCTIONS_MAX (1u << 22)

/* ---- Ranges. ---- */

static bool add_range(struct range_list *list, uint64_t begin, uint64_t end, uint32_t item)
{
	if (begin >= end || list->count == RANGES_MAX)
		return true;
	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity ? 2 * list->capacity : 64;
		void *ranges = realloc(list->ranges, capacity * sizeof(*list->ranges));

		if (!ranges)
			return false;
		list->ranges = ranges;
		list->capacity = capacity;
	}
	list->ranges[list->count++] = (struct address_range){ begin, end, item };
	list->sorted = false;
	return true;
}

static bool add_ranges_of(struct range_list *list, Dwarf_Die *die, uint32_t item)
{
	ptrdiff_t offset = 0;
	Dwarf_Addr base, begin, end;
	bool added = true;

	while (added && (offset = dwarf_ranges(die, offset, &base, &begin, &end)) > 0)
		added = add_range(list, begin, end, item);
	return added;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct address_range *first = a;
	const struct address_range *second = b;

	if (first->begin != second->begin)
		return first->begin < second->begin ? -1 : 1;
	return first->end < second->end ? 1 : -1;
}

/* The range that begins last at or before the address, and holds it. */
static const struct address_range *find_range(struct range_list *list, uint64_t address)
{
	uint32_t low = 0;
	uint32_t high = list->count;

	if (!list->sorted && list->count > 0)
		qsort(list->ranges, list->count, sizeof(*list->ranges), compare_ranges);
	list->sorted = true;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list->ranges[middle].begin <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* Ranges may overlap in odd files: a few steps back are enough for sound ones. */
	for (uint32_t i = 0; i < 8 && low > i; i++)
		if (address < list->ranges[low - 1 - i].end)
			return &list->ranges[low - 1 - i];
	return NULL;
}

/* ---- Units. ---- */

void debug_units_init(struct debug_units *units, Dwfl_Module *module)
{
	*units = (struct debug_units){ .module = module };
}

void debug_units_release(struct debug_units *units)
{
	for (uint32_t i = 0; i < units->count; i++) {
		free(units->units[i].functions.ranges);
		free(units->units[i].function_dies);
	}
	free(units->units);
	free(units->ranges.ranges);
}

/* Part of the information may be in a file of its own (split DWARF). */
static Dwarf_Die body_of(Dwarf_Die *die)
{
	Dwarf_Die body;
	uint8_t type;

	if (dwarf_cu_info(die->cu, NULL, &type, NULL, &body, NULL, NULL, NULL) == 0 &&
			type == DW_UT_skeleton && body.addr)
		return body;
	return *die;
}

static struct debug_unit *add_unit(struct debug_units *units, Dwarf_Die *die)
{
	struct debug_unit *unit;

	if (units->count == units->capacity) {
		uint32_t capacity = units->capacity ? 2 * units->capacity : 16;
		void *grown = realloc(units->units, capacity * sizeof(*units->units));

		if (!grown)
			return NULL;
		units->units = grown;
		units->capacity = capacity;
	}
	unit = &units->units[units->count++];
	*unit = (struct debug_unit){ .skeleton = *die, .die = body_of(die) };
	return unit;
}

static struct debug_unit *known_unit(struct debug_units *units, Dwarf_Die *die)
{
	for (uint32_t i = 0; i < units->count; i++)
		if (units->units[i].skeleton.addr == die->addr)
			return &units->units[i];
	return NULL;
}

static void list_units(struct debug_units *units)
{
	Dwarf_Die *die = NULL;
	Dwarf_Addr bias;

	units->listed = true;
	while ((die = dwfl_module_nextcu(units->module, die, &bias))) {
		struct debug_unit *unit = known_unit(units, die);

		if (!unit)
			unit = add_unit(units, die);
		if (!unit || !add_ranges_of(&units->ranges, die, (uint32_t)(unit - units->units)))
			return;
	}
}

static struct debug_unit *unit_of(struct debug_units *units, uint64_t address, Dwarf_Addr *bias)
{
	Dwarf_Die *die = dwfl_module_addrdie(units->module, address, bias);
	const struct address_range *range;
	struct debug_unit *unit;

	if (die) {
		unit = known_unit(units, die);
		return unit ? unit : add_unit(units, die);
	}
	if (!dwfl_module_getdwarf(units->module, bias))
		return NULL;
	if (!units->listed)
		list_units(units);
	range = find_range(&units->ranges, address - *bias);
	return range ? &units->units[range->item] : NULL;
}

/* ---- Functions of a unit. ---- */

static bool add_function(struct debug_unit *unit, Dwarf_Die *die)
{
	if (!dwarf_hasattr(die, DW_AT_low_pc) && !dwarf_hasattr(die, DW_AT_ranges))
		return true; /* a declaration, or only ever inlined */
	if (unit->function_count == FUNCTIONS_MAX)
		return false;
	if (unit->function_count == unit->function_capacity) {
		uint32_t capacity = unit->function_capacity ? 2 * unit->function_capacity : 64;
		void *dies = realloc(unit->function_dies, capacity * sizeof(*unit->function_dies));

		if (!dies)
			return false;
		unit->function_dies = dies;
		unit->function_capacity = capacity;
	}
	unit->function_dies[unit->function_count] = *die;
	return add_ranges_of(&unit->functions, die, unit->function_count++);
}

static bool holds_functions(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_structure_type ||
	       tag == DW_TAG_class_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_enumeration_type || tag == DW_TAG_variant_part;
}

static bool scan_functions(struct debug_unit *unit, Dwarf_Die *parent, unsigned nesting)
{
	Dwarf_Die die;

	if (nesting > NESTING_MAX || dwarf_child(parent, &die) != 0)
		return true;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram && !add_function(unit, &die))
			return false;
		if (holds_functions(tag) && !scan_functions(unit, &die, nesting + 1))
			return false;
	} while (dwarf_siblingof(&die, &die) == 0);
	return true;
}

static Dwarf_Die *function_at(struct debug_unit *unit, uint64_t address)
{
	const struct address_range *range;

	if (!unit->scanned) {
		unit->scanned = true;
		scan_functions(unit, &unit->die, 0);
	}
	range = find_range(&unit->functions, address);
	return range ? &unit->function_dies[range->item] : NULL;
}

/* ---- Places. ---- */

/* From a function inwards: itself, then what was inlined into it around the address. */
struct call_chain {
	Dwarf_Die dies[DEBUG_PLACES_MAX];
	uint32_t count;
};

static void add_inlined(
		struct call_chain *chain, Dwarf_Die *parent, uint64_t address, unsigned nesting)
{
	Dwarf_Die die;

	if (nesting > NESTING_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);

		if ((tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) ||
				dwarf_haspc(&die, address) != 1)
			continue;
		if (tag == DW_TAG_inlined_subroutine && chain->count < DEBUG_PLACES_MAX)
			chain->dies[chain->count++] = die;
		add_inlined(chain, &die, address, nesting + 1);
		return;
	} while (dwarf_siblingof(&die, &die) == 0);
}

static const char *name_of(Dwarf_Die *die)
{
	static const unsigned attributes[] = { DW_AT_linkage_name, DW_AT_MIPS_linkage_name,
		DW_AT_name };
	const char *name = NULL;

	for (size_t i = 0; i < 3 && !name; i++) {
		Dwarf_Attribute attribute;

		name = dwarf_formstring(dwarf_attr_integrate(die, attributes[i], &attribute));
	}
	return name ? name : "";
}

static uint32_t number_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) != 0 || value > UINT32_MAX)
		return 0;
	return (uint32_t)value;
}

/* Where an inlined function was called. */
static void put_call_site(struct debug_unit *unit, Dwarf_Die *inlined, struct symbol_place *place)
{
	Dwarf_Files *files;
	size_t count;
	uint32_t file = number_of(inlined, DW_AT_call_file);
	const char *name = NULL;

	if (dwarf_getsrcfiles(&unit->die, &files, &count) == 0 && file < count)
		name = dwarf_filesrc(files, file, NULL, NULL);
	place->file = name ? name : "";
	place->line = number_of(inlined, DW_AT_call_line);
}

static void put_line(struct debug_unit *unit, uint64_t address, struct symbol_place *place)
{
	Dwarf_Line *line = dwarf_getsrc_die(&unit->skeleton, address);
	const char *file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	int number = 0;

	if (line && dwarf_lineno(line, &number) == 0 && number > 0)
		place->line = (uint32_t)number;
	place->file = file ? file : "";
}

uint32_t debug_units_places(struct debug_units *units, uint64_t address,
		struct symbol_place places[DEBUG_PLACES_MAX])
{
	struct call_chain chain = { .count = 0 };
	Dwarf_Addr bias = 0;
	struct debug_unit *unit = unit_of(units, address, &bias);
	Dwarf_Die *function = unit ? function_at(unit, address - bias) : NULL;

	if (!unit)
		return 0;
	if (function) {
		chain.dies[chain.count++] = *function;
		add_inlined(&chain, function, address - bias, 0);
	}
	places[0] = (struct symbol_place){ "", "", 0 };
	put_line(unit, address - bias, &places[0]);
	for (uint32_t i = 0; i < chain.count; i++) {
		Dwarf_Die *die = &chain.dies[chain.count - 1 - i];

		places[i].function = name_of(die);
		if (i + 1 < chain.count)
			put_call_site(unit, die, &places[i + 1]);
	}
	return chain.count > 0 ? chain.count : 1;
}
