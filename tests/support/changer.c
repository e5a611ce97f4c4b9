#include "tests/support/changer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cli/client.h"
#include "ca/base/clock.h"
#include "ca/base/memory.h"

#define FIRST_ASN 64512 /* for private use (RFC 6996): from here on */

struct changer {
	struct client *client;
	char handle[32], roas[64];      /* its name; the path of its ROAs */
	char prefix[48];
	json_int_t asn;                 /* of the ROA that is there; 0: none */
};

void
changer_free(struct changer *changer)
{
	if (changer == NULL)
		return;
	client_free(changer->client);
	free(changer);
}

/* That it is there already is fine. */
static enum fault_code
make_ca(struct changer *changer, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	AUTO(json_t, json_decref) body = json_pack("{s:s,s:{s:[],s:[],s:[s]}}", "handle", changer->handle, "resources", "asns", "ipv4",
		"ipv6", changer->prefix);
	if (body == NULL)
		return fault_set(fault, FAULT_MEMORY, "out of memory");
	enum fault_code code = client_call(changer->client, "POST", "/api/v1/cas", body, &answer, fault);
	return code == FAULT_CONFLICT ? FAULT_NONE : code;
}

static enum fault_code
look(struct changer *changer, json_int_t *ret_asn, bool *ret_published, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	const char *status = NULL;
	*ret_asn = 0;
	TRY(client_call(changer->client, "GET", changer->roas, NULL, &answer, fault));
	json_t *roa = json_array_get(json_object_get(answer, "roas"), 0);
	if (roa != NULL && json_unpack(roa, "{s:I,s:s}", "asn", ret_asn, "status", &status) != 0)
		return fault_set(fault, FAULT_MALFORMED, "the list of ROAs of %s is not as expected", changer->handle);
	*ret_published = status != NULL && strcmp(status, "published") == 0;
	return FAULT_NONE;
}

enum fault_code
changer_open(const char *data, size_t number, struct changer **ret_changer, struct fault *fault)
{
	AUTO(struct changer, changer_free) changer = NULL;
	struct arguments arguments = { .common = { [COMMON_DATA] = data } };
	bool published;
	TRY(memory_new(1, sizeof *changer, &changer, fault));
	(void)snprintf(changer->handle, sizeof changer->handle, "bench-%zu", number);
	(void)snprintf(changer->roas, sizeof changer->roas, "/api/v1/cas/%s/roas", changer->handle);
	(void)snprintf(changer->prefix, sizeof changer->prefix, "2001:db8:%zx::/48", number + 1);
	TRY(client_open(&arguments, &changer->client, fault));
	TRY(make_ca(changer, fault));
	TRY(look(changer, &changer->asn, &published, fault));
	*ret_changer = MOVE(changer);
	return FAULT_NONE;
}

enum fault_code
changer_change(struct changer *changer, double *ret_ms, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	json_int_t asn = changer->asn == 0 ? FIRST_ASN : changer->asn + 1;
	AUTO(json_t, json_decref) body = json_pack("{s:[{s:I,s:s}],s:[]}", "added", "asn", asn, "prefix", changer->prefix, "removed");
	AUTO(json_t, json_decref) removed = json_pack("{s:I,s:s,s:i}", "asn", changer->asn, "prefix", changer->prefix, "max_length", 48);
	if (body == NULL || removed == NULL)
		return fault_set(fault, FAULT_MEMORY, "out of memory");
	if (changer->asn != 0)
		(void)json_array_append(json_object_get(body, "removed"), removed);
	int64_t began_us = clock_monotonic_us();
	TRY(client_call(changer->client, "POST", changer->roas, body, &answer, fault));
	*ret_ms = (double)(clock_monotonic_us() - began_us) / 1000;
	changer->asn = asn;
	return FAULT_NONE;
}

enum fault_code
changer_published(struct changer *changer, bool *ret_published, struct fault *fault)
{
	json_int_t asn;
	TRY(look(changer, &asn, ret_published, fault));
	*ret_published = *ret_published && asn == changer->asn;
	return FAULT_NONE;
}

enum fault_code
changer_publication(struct changer *changer, struct changer_publication *ret_publication, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	json_int_t serial, rsync_serial, waiting;
	TRY(client_call(changer->client, "GET", "/api/v1/publication", NULL, &answer, fault));
	if (json_unpack(answer, "{s:I,s:{s:I},s:I}", "serial", &serial, "rsync", "serial", &rsync_serial, "cas_waiting", &waiting) != 0)
		return fault_set(fault, FAULT_MALFORMED, "the server's word on its publication is not as expected");
	*ret_publication = (struct changer_publication){ .serial = serial, .rsync_serial = rsync_serial, .cas_waiting = waiting };
	return FAULT_NONE;
}
