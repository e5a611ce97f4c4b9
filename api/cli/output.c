#include "api/cli/output.h"

#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/bytes.h"
#include "ca/base/scope.h"

static enum fault_code
out_of_memory(struct fault *fault)
{
	return fault_set(fault, FAULT_MEMORY, "out of memory");
}

void
output_json(const json_t *value)
{
	if (value != NULL && json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) == 0)
		putchar('\n');
}

/* Control characters of foreign text don't reach the terminal. */
static enum fault_code
append_plain(struct bytes *text, const char *value, struct fault *fault)
{
	for (; *value != '\0'; value++) {
		char shown = (unsigned char)*value < 0x20 || *value == 0x7f ? '?' : *value;
		TRY(bytes_append(text, &shown, 1, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
append_value(struct bytes *text, const json_t *value, struct fault *fault)
{
	size_t index;
	const json_t *item;
	switch (value != NULL ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		return append_plain(text, json_string_value(value), fault);
	case JSON_INTEGER:
		return bytes_printf(text, fault, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL:
		return bytes_printf(text, fault, "%.3f", json_real_value(value));
	case JSON_TRUE:
		return bytes_append_text(text, "yes", fault);
	case JSON_FALSE:
		return bytes_append_text(text, "no", fault);
	case JSON_ARRAY:
		json_array_foreach((json_t *)value, index, item) {
			if (index > 0)
				TRY(bytes_append_text(text, " ", fault));
			TRY(append_value(text, item, fault));
		}
		return FAULT_NONE;
	default:
		return FAULT_NONE;
	}
}

static const json_t *
member(const json_t *row, const char *key)
{
	char part[64];
	for (;;) {
		size_t length = strcspn(key, ".");
		(void)snprintf(part, sizeof part, "%.*s", (int)length, key);
		row = json_object_get(row, part);
		if (key[length] == '\0')
			return row;
		key += length + 1;
	}
}

static enum fault_code
add_row(struct libscols_table *table, const struct output_column *columns, const json_t *row, struct fault *fault)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	if (line == NULL)
		return out_of_memory(fault);
	for (size_t i = 0; columns[i].key != NULL; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
		TRY(append_value(&text, member(row, columns[i].key), fault));
		if (scols_line_set_data(line, i, bytes_text(&text)) != 0)
			return out_of_memory(fault);
	}
	return FAULT_NONE;
}

static void
free_table(struct libscols_table **table)
{
	scols_unref_table(*table);
}

enum fault_code
output_table(const struct output_column *columns, const json_t *rows, struct fault *fault)
{
	AUTO_CLEAR(struct libscols_table *, free_table) table = scols_new_table();
	size_t index;
	const json_t *row;
	if (table == NULL)
		return out_of_memory(fault);
	for (size_t i = 0; columns[i].key != NULL; i++)
		if (scols_table_new_column(table, columns[i].title, 0, columns[i].right ? SCOLS_FL_RIGHT : 0) == NULL)
			return out_of_memory(fault);
	json_array_foreach((json_t *)rows, index, row)
		TRY(add_row(table, columns, row, fault));
	return scols_print_table(table) == 0 ? FAULT_NONE : out_of_memory(fault);
}

void
output_record(const struct output_column *columns, const json_t *record)
{
	for (size_t i = 0; columns[i].key != NULL; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
		if (append_value(&text, member(record, columns[i].key), NULL) == FAULT_NONE)
			printf("%-16s %s\n", columns[i].title, bytes_text(&text));
	}
}
