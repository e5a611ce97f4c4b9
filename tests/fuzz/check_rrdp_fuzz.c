/*
 * The first octet chooses which file of RRDP the rest is and how it is cut into pieces. What is given must not depend on the pieces,
 * and each element must be what the schema allows.
 */
#include <string.h>

#include "publish/check/check_rrdp_reader.h"
#include "tests/fuzz/fuzz.h"

struct seen {
	const uint8_t *data;
	size_t size;
	size_t elements;
	uint64_t sum;
};

static enum fault_code
take(void *argument, const struct check_rrdp_head *head, const struct check_rrdp_element *element, struct fault *fault)
{
	struct seen *seen = argument;
	(void)fault;
	INVARIANT(head->serial > 0 && strlen(head->session) == 36);
	INVARIANT(element->uri != NULL && strlen(element->uri) <= 2048);
	INVARIANT(element->name != CHECK_RRDP_WITHDRAW || element->has_hash);
	INVARIANT(element->name != CHECK_RRDP_NAMES_DELTA || element->serial > 0);
	if (element->name == CHECK_RRDP_PUBLISH) {
		INVARIANT(element->offset >= 0 && element->length >= 0);
		INVARIANT((size_t)(element->offset + element->length) <= seen->size);
		INVARIANT(element->object.length * 4 / 3 <= (size_t)element->length * 4);
	}
	seen->elements++;
	seen->sum = seen->sum * 31 + strlen(element->uri) + element->object.length + (uint64_t)element->offset;
	return FAULT_NONE;
}

static enum fault_code
read_in_pieces(enum check_rrdp_root root, struct seen *seen, size_t piece)
{
	AUTO(struct check_rrdp_reader, check_rrdp_reader_free) reader = NULL;
	enum fault_code code = FAULT_NONE;
	INVARIANT(check_rrdp_reader_new(root, take, seen, &reader, NULL) == FAULT_NONE);
	for (size_t at = 0; code == FAULT_NONE && at < seen->size; at += piece) {
		size_t length = seen->size - at < piece ? seen->size - at : piece;
		code = check_rrdp_reader_feed(reader, seen->data + at, length, false, NULL);
	}
	return code == FAULT_NONE ? check_rrdp_reader_feed(reader, "", 0, true, NULL) : code;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 1 << 20)
		return 0;
	struct seen whole = { .data = data + 1, .size = size - 1 }, parts = whole;
	enum check_rrdp_root root = (enum check_rrdp_root)(data[0] % CHECK_RRDP_ROOTS);
	enum fault_code first = read_in_pieces(root, &whole, size), second = read_in_pieces(root, &parts, data[0] / 8 + 1U);
	INVARIANT(first == second && whole.elements == parts.elements && whole.sum == parts.sum);
	return 0;
}
