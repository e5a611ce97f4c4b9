/*
 * fault: how every function says that it failed, and why.
 *
 * A function that can fail returns enum fault_code, is marked CHECKED, and takes struct fault * last. On failure it has called
 * fault_set(), which records the code, one sentence for a person, and where it happened; its outputs are untouched. A NULL fault
 * is allowed everywhere: then only the code is told.
 *
 * Threads: a struct fault belongs to the caller; nothing here is shared.
 */
#ifndef CA_BASE_FAULT_H
#define CA_BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum fault_code {
	FAULT_NONE = 0,
#define FAULT(name, type, status, retry, hint) FAULT_##name,
#include "ca/base/fault.def"
#undef FAULT
	FAULT_CODES /* how many there are */
};

struct fault {
	enum fault_code code;
	int line;
	const char *file;
	char message[512];
};

#define CHECKED __attribute__((warn_unused_result))
#define PRINTF_LIKE(position, first) __attribute__((format(printf, position, first)))

/* Returns at once what a call failed with. The only control-flow macro there is. */
#define TRY(call)                                       \
	do {                                            \
		enum fault_code try_code_ = (call);     \
		if (try_code_ != FAULT_NONE)            \
			return try_code_;               \
	} while (0)

/* A programmer's error, never a matter of input. Always compiled in: prints where and aborts. */
#define INVARIANT(truth) ((truth) ? (void)0 : fault_invariant(#truth, __FILE__, __LINE__))

#define FAULT_INIT ((struct fault){ .code = FAULT_NONE })

/* Records a failure and returns its code, to be returned in turn. message: printf format, one sentence, no secrets. */
#define fault_set(fault, code, ...) fault_set_at((fault), (code), __FILE__, __LINE__, __VA_ARGS__)
enum fault_code fault_set_at(struct fault *fault, enum fault_code code, const char *file, int line, const char *format, ...)
	PRINTF_LIKE(5, 6);

/* Puts words in front of the message already there ("line 12: …"); code and place stay. Returns the code. */
enum fault_code fault_prefix(struct fault *fault, const char *format, ...) PRINTF_LIKE(2, 3);

/* Records errno (given, as errno changes) as FAULT_DISK for a full or read-only disk, else FAULT_IO: "<what>: <reason>". */
#define fault_set_errno(fault, error, ...) fault_set_errno_at((fault), (error), __FILE__, __LINE__, __VA_ARGS__)
enum fault_code fault_set_errno_at(struct fault *fault, int error, const char *file, int line, const char *format, ...)
	PRINTF_LIKE(5, 6);

/* Sets the fault back to FAULT_NONE, where a failure has been dealt with. */
void fault_clear(struct fault *fault);

const char *fault_type(enum fault_code code);   /* slug of fault.def, "none" for FAULT_NONE */
int fault_http_status(enum fault_code code);    /* 200 for FAULT_NONE */
bool fault_may_retry(enum fault_code code);
const char *fault_hint(enum fault_code code);

void fault_invariant(const char *truth, const char *file, int line) __attribute__((noreturn));

#endif
