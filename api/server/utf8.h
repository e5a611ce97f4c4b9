/* utf8: is it UTF-8 (RFC 3629)? Pure. */
#ifndef API_SERVER_UTF8_H
#define API_SERVER_UTF8_H

#include <stdbool.h>
#include <stddef.h>

size_t utf8_step(const char *text, size_t length);      /* bytes of the character that text begins with; 0 when it is none */
bool utf8_valid(const char *text, size_t length);

#endif
