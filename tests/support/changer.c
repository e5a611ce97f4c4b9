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
	char space[48], prefix[48];     /* what the CA holds; of that, what this one changes */
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
		"ipv6", changer->space);
	if (body == NULL)
		return fault_set(fault, FAULT_MEMORY, "out of memory");
	enum fault_code code = client_call(changer->client, "POST", "/api/v1/cas", body, &answer, fault);
	return code == FAULT_CONFLICT ? FAULT_NONE : code;
}

/* The ROA of its prefix in the list, if there is one. */
static enum fault_code
look(struct changer *changer, json_int_t *ret_asn, bool *ret_published, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	const char *prefix, *status;
	json_int_t asn;
	size_t place;
	json_t *roa;
	*ret_asn = 0;
	*ret_published = false;
	TRY(client_call(changer->client, "GET", changer->roas, NULL, &answer, fault));
	json_array_foreach(json_object_get(answer, "roas"), place, roa) {
		if (json_unpack(roa, "{s:I,s:s,s:s}", "asn", &asn, "prefix", &prefix, "status", &status) != 0)
			return fault_set(fault, FAULT_MALFORMED, "the list of ROAs of %s is not as expected", changer->handle);
		if (strcmp(prefix, changer->prefix) != 0)
			continue;
		*ret_asn = asn;
		*ret_published = strcmp(status, "published") == 0;
	}
	return FAULT_NONE;
}

static void
name_member(struct changer *changer, size_t number)
{
	(void)snprintf(changer->handle, sizeof changer->handle, "bench-%zu", number);
	(void)snprintf(changer->prefix, sizeof changer->prefix, "2001:db8:%zx::/48", number + 1);
	(void)snprintf(changer->space, sizeof changer->space, "%s", changer->prefix);
}

static void
name_shared(struct changer *changer, size_t number)
{
	(void)snprintf(changer->handle, sizeof changer->handle, "bench-shared");
	(void)snprintf(changer->prefix, sizeof changer->prefix, "2001:db8:%zx::/48", 0xf000 + number);
	(void)snprintf(changer->space, sizeof changer->space, "2001:db8:f000::/36");
}

static void
name_roas(struct changer *changer)
{
	(void)snprintf(changer->roas, sizeof changer->roas, "/api/v1/cas/%s/roas", changer->handle);
}

static enum fault_code
begin(struct changer *changer, struct fault *fault)
{
	bool published;
	name_roas(changer);
	TRY(make_ca(changer, fault));
	return look(changer, &changer->asn, &published, fault);
}

static enum fault_code
open_client(const char *data, struct changer **ret_changer, struct fault *fault)
{
	AUTO(struct changer, changer_free) changer = NULL;
	struct arguments arguments = { .common = { [COMMON_DATA] = data } };
	TRY(memory_new(1, sizeof *changer, &changer, fault));
	TRY(client_open(&arguments, &changer->client, fault));
	*ret_changer = MOVE(changer);
	return FAULT_NONE;
}

enum fault_code
changer_open(const char *data, size_t number, struct changer **ret_changer, struct fault *fault)
{
	AUTO(struct changer, changer_free) changer = NULL;
	TRY(open_client(data, &changer, fault));
	name_member(changer, number);
	TRY(begin(changer, fault));
	*ret_changer = MOVE(changer);
	return FAULT_NONE;
}

enum fault_code
changer_open_shared(const char *data, size_t number, struct changer **ret_changer, struct fault *fault)
{
	AUTO(struct changer, changer_free) changer = NULL;
	TRY(open_client(data, &changer, fault));
	name_shared(changer, number);
	TRY(begin(changer, fault));
	*ret_changer = MOVE(changer);
	return FAULT_NONE;
}

enum fault_code
changer_turn(struct changer *changer, size_t number, int64_t *ret_asn, struct fault *fault)
{
	name_member(changer, number);
	TRY(begin(changer, fault));
	*ret_asn = changer->asn;
	return FAULT_NONE;
}

void
changer_turn_back(struct changer *changer, size_t number, int64_t asn)
{
	name_member(changer, number);
	name_roas(changer);
	changer->asn = asn;
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
changer_withdraw(struct changer *changer, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	if (changer->asn == 0)
		return FAULT_NONE;
	AUTO(json_t, json_decref) body = json_pack("{s:[],s:[{s:I,s:s,s:i}]}", "added", "removed", "asn", changer->asn, "prefix",
		changer->prefix, "max_length", 48);
	if (body == NULL)
		return fault_set(fault, FAULT_MEMORY, "out of memory");
	TRY(client_call(changer->client, "POST", changer->roas, body, &answer, fault));
	changer->asn = 0;
	return FAULT_NONE;
}

enum fault_code
changer_read(struct changer *changer, const char *path, double *ret_ms, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	int64_t began_us = clock_monotonic_us();
	TRY(client_call(changer->client, "GET", path != NULL ? path : changer->roas, NULL, &answer, fault));
	*ret_ms = (double)(clock_monotonic_us() - began_us) / 1000;
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
	struct changer_publication publication = { .serial = 0 };
	json_int_t serial, rsync_serial, waiting;
	size_t place;
	json_t *repository;
	TRY(client_call(changer->client, "GET", "/api/v1/publication", NULL, &answer, fault));
	bool read = json_unpack(answer, "{s:I}", "cas_waiting", &waiting) == 0;
	json_array_foreach(json_object_get(answer, "repositories"), place, repository) {
		read = read && json_unpack(repository, "{s:I,s:{s:I}}", "serial", &serial, "rsync", "serial", &rsync_serial) == 0;
		if (!read)
			break;
		publication.serial += serial;
		publication.rsync_serial += rsync_serial;
	}
	if (!read)
		return fault_set(fault, FAULT_MALFORMED, "the server's word on its publication is not as expected");
	publication.cas_waiting = waiting;
	*ret_publication = publication;
	return FAULT_NONE;
}
