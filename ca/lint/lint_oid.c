#include "ca/lint/lint_internal.h"

static const struct {
	const char *name;
	struct span contents;
} oids[LINT_OIDS] = {
#define LINT_OID(oid, text, ...) \
	[LINT_OID_##oid] = { text, { (const uint8_t[]){ __VA_ARGS__ }, sizeof (const uint8_t[]){ __VA_ARGS__ } } },
#include "ca/lint/lint_oid.def"
#undef LINT_OID
};

bool
lint_oid_is(struct span contents, enum lint_oid oid)
{
	return span_equal(contents, oids[oid].contents);
}

enum fault_code
lint_oid_read(struct der_reader *reader, enum lint_oid oid, const char *what, struct fault *fault)
{
	struct der_element element;
	TRY(der_reader_take(reader, DER_OBJECT_IDENTIFIER, what, &element, fault));
	return LINT_RULE(lint_oid_is(element.contents, oid), fault, "%s isn't %s", what, oids[oid].name);
}
