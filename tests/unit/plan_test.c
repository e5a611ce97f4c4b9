#include "ca/plan/plan.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after what it needs */
#include <cmocka.h>

#define NOW INT64_C(1795478400)
#define DAY INT64_C(86400)
#define HOUR INT64_C(3600)
#define KEY 7
#define PARENT_KEY 3

enum { CERTIFICATE_ID = 1, CRL_ID, MANIFEST_ID, ROA_ID };

static const struct plan_settings settings = {
	.timing = {
		.manifest_valid_s = 36 * HOUR, .manifest_spread_s = 4 * HOUR, .manifest_margin_s = 12 * HOUR,
		.object_valid_s = 365 * DAY, .object_spread_s = 182 * DAY, .object_margin_s = 28 * DAY, .ta_valid_s = 90 * DAY,
		.key_staging_s = DAY, .key_retiring_s = DAY,
	},
	.layout = { .by_origin_above = 100, .by_payload_below = 90, .prefixes_max = 1000 },
};

static struct payload
payload_of(uint8_t third)
{
	struct payload payload = { .asn = 64496, .prefix = { .family = FAMILY_IPV4, .length = 24 }, .max_length = 24 };
	memcpy(payload.prefix.address.bytes, (uint8_t[]){ 192, 0, third }, 3);
	return payload;
}

static void
set_resources(struct resource_set *set, const char *addresses)
{
	resource_set_clear(set);
	if (addresses != NULL)
		assert_int_equal(resource_set_parse_addresses(set, FAMILY_IPV4, addresses, NULL), FAULT_NONE);
	assert_int_equal(resource_set_normalise(set, NULL), FAULT_NONE);
}

static struct issued_object
object_of(int64_t id, enum object_kind kind, int64_t not_after_at)
{
	return (struct issued_object){ .object_id = id, .key_id = KEY, .kind = kind, .published = true, .serial_length = kind != OBJECT_CRL,
		.not_before_at = NOW - 30 * DAY, .not_after_at = not_after_at };
}

/* A member that was published an hour ago and has all that it should have: 192.0.2.0/24 for AS64496. */
static struct ca_state *
settled(void)
{
	struct ca_state *state;
	assert_int_equal(ca_state_new(&state, NULL), FAULT_NONE);
	state->ca_id = 5;
	state->kind = CA_MEMBER;
	state->current.key = (struct key_state){ .key_id = KEY, .crl_number = 41, .manifest_number = 42, .this_update_at = NOW - HOUR };
	state->parent.ca_id = 2;
	state->parent.key.key_id = PARENT_KEY;
	set_resources(&state->resources, "192.0.2.0/24");
	set_resources(&state->current.certified_resources, "192.0.2.0/24");
	state->current.certified = true;
	state->current.certificate = object_of(CERTIFICATE_ID, OBJECT_CER, NOW + 200 * DAY);
	state->current.certificate.key_id = PARENT_KEY;
	state->objects = calloc(8, sizeof *state->objects);
	state->objects[state->objects_count++] = object_of(CRL_ID, OBJECT_CRL, NOW + 30 * HOUR);
	state->objects[state->objects_count++] = object_of(MANIFEST_ID, OBJECT_MFT, NOW + 30 * HOUR);
	state->objects[0].not_before_at = state->objects[1].not_before_at = state->current.key.this_update_at;
	state->objects[state->objects_count] = object_of(ROA_ID, OBJECT_ROA, NOW + 180 * DAY);
	state->objects[state->objects_count].asn = 64496;
	state->objects[state->objects_count++].payloads_count = 1;
	state->issued_payloads = calloc(8, sizeof *state->issued_payloads);
	state->issued_payloads[0] = payload_of(2);
	state->issued_payloads_count = 1;
	state->intents = calloc(8, sizeof *state->intents);
	state->intents[state->intents_count++] = payload_of(2);
	return state;
}

static struct ca_plan *
plan_of(const struct ca_state *state, int64_t now_at)
{
	struct ca_plan *plan;
	struct fault fault = FAULT_INIT;
	assert_int_equal(plan_ca(state, &settings, now_at, 12345, &plan, &fault), FAULT_NONE);
	return plan;
}

/* What is changed in the settled state, each by its name. */

static void nothing(struct ca_state *s) { (void)s; }
static void marked_only(struct ca_state *s) { s->changed = true; }
static void new_member(struct ca_state *s)
{
	s->current.certified = false;
	s->current.key = (struct key_state){ .key_id = 0 };
	s->current.certificate = (struct issued_object){ .object_id = 0 };
	s->objects_count = s->issued_payloads_count = 0;
}
static void added_roa(struct ca_state *s)
{
	set_resources(&s->resources, "192.0.2.0-192.0.3.255");
	set_resources(&s->current.certified_resources, "192.0.2.0-192.0.3.255");
	s->intents[s->intents_count++] = payload_of(3);
}
static void removed_roa(struct ca_state *s) { s->intents_count = 0; }
static void not_held_roa(struct ca_state *s) { s->intents[s->intents_count++] = payload_of(3); }
static void shrunk_to_other(struct ca_state *s) { set_resources(&s->resources, "198.51.100.0/24"); }
static void grown(struct ca_state *s) { set_resources(&s->resources, "192.0.2.0-192.0.3.255"); }
static void lost_all(struct ca_state *s) { set_resources(&s->resources, NULL); }
static void leaving(struct ca_state *s) { s->deleting = true; }
static void manifest_due(struct ca_state *s) { s->objects[0].not_after_at = s->objects[1].not_after_at = NOW + 12 * HOUR; }
static void manifest_expired(struct ca_state *s) { s->objects[0].not_after_at = s->objects[1].not_after_at = NOW - 400 * DAY; }
static void only_crl_due(struct ca_state *s) { s->objects[0].not_after_at = NOW; }
/* After a restore: there may have been later manifests than the one that stands. */
static void manifest_not_the_last(struct ca_state *s) { s->current.key.this_update_at = NOW - 60; }
static void crl_not_the_last(struct ca_state *s) { s->objects[0].not_before_at -= 1; }
/* The last thisUpdate is one of a wrong clock: it says nothing about the one that stands. */
static void last_never_was(struct ca_state *s) { s->current.key.this_update_at = NOW + DAY; }
static void manifest_missing(struct ca_state *s) { s->objects[1].kind = OBJECT_CRL; }
static void roa_due(struct ca_state *s) { s->objects[2].not_after_at = NOW + 28 * DAY; }
static void certificate_due(struct ca_state *s) { s->current.certificate.not_after_at = NOW + 28 * DAY; }
static void certificate_long_gone(struct ca_state *s) { s->current.certificate.not_after_at = NOW - 100 * DAY; }
static void parent_rolled(struct ca_state *s) { s->parent.key.key_id = PARENT_KEY + 1; }
static void everything_due(struct ca_state *s)
{
	manifest_expired(s);
	roa_due(s);
	certificate_due(s);
}
static void issuing(struct ca_state *s)
{
	s->kind = CA_ISSUING;
	s->inherits = s->current.certified_inherits = true;
	s->intents_count = 0;
	s->objects_count = 2;
}
static void issuing_child_changed(struct ca_state *s)
{
	issuing(s);
	s->changed = true;
}
static void ta(struct ca_state *s)
{
	issuing(s);
	s->kind = CA_TA;
	s->inherits = s->current.certified_inherits = false;
	s->current.certificate.not_before_at = NOW - 59 * DAY;
	s->current.certificate.not_after_at = NOW + 31 * DAY;
}
static void ta_two_thirds(struct ca_state *s)
{
	ta(s);
	s->current.certificate.not_before_at = NOW - 60 * DAY;
	s->current.certificate.not_after_at = NOW + 30 * DAY;
}

static void suspended(struct ca_state *s) { s->suspended = true; }
static void clock_was_ahead(struct ca_state *s)
{
	s->current.key.this_update_at = NOW + DAY;
	for (size_t i = 0; i < s->objects_count; i++)
		s->objects[i].not_before_at = NOW + DAY;
	s->current.certificate.not_before_at = NOW + DAY;
}
static void offline_parent(struct ca_state *s)
{
	certificate_due(s);
	s->parent.key.offline = true;
}
static void offline_ta(struct ca_state *s)
{
	ta_two_thirds(s);
	s->changed = s->current.key.offline = true;
	manifest_expired(s);
}

struct row {
	const char *name;
	void (*change)(struct ca_state *state);
	bool key, certificate, no_certificate;
	size_t roas, withdrawn;
	bool manifest, no_products;
};

static const struct row rows[] = {
	{ "nothing", nothing, .key = false },
	{ "marked_only", marked_only, .key = false },
	{ "new_member", new_member, .key = true, .certificate = true, .roas = 1, .manifest = true },
	{ "added_roa", added_roa, .roas = 1, .manifest = true },
	{ "removed_roa", removed_roa, .withdrawn = 1, .manifest = true },
	{ "not_held_roa", not_held_roa, .key = false },
	{ "shrunk_to_other", shrunk_to_other, .certificate = true, .withdrawn = 1, .manifest = true },
	{ "grown", grown, .certificate = true },
	{ "lost_all", lost_all, .no_certificate = true, .withdrawn = 1, .no_products = true },
	{ "leaving", leaving, .no_certificate = true, .withdrawn = 1, .no_products = true },
	{ "manifest_due", manifest_due, .manifest = true },
	{ "manifest_not_the_last", manifest_not_the_last, .manifest = true },
	{ "crl_not_the_last", crl_not_the_last, .manifest = true },
	{ "last_never_was", last_never_was, .key = false },
	{ "manifest_expired", manifest_expired, .manifest = true },
	{ "only_crl_due", only_crl_due, .manifest = true },
	{ "manifest_missing", manifest_missing, .manifest = true },
	{ "roa_due", roa_due, .roas = 1, .manifest = true },
	{ "certificate_due", certificate_due, .certificate = true },
	{ "certificate_long_gone", certificate_long_gone, .certificate = true },
	{ "parent_rolled", parent_rolled, .certificate = true },
	{ "everything_due", everything_due, .certificate = true, .roas = 1, .manifest = true },
	{ "suspended", suspended, .no_certificate = true, .withdrawn = 1, .no_products = true },
	{ "clock_was_ahead", clock_was_ahead, .certificate = true, .roas = 1, .manifest = true },
	{ "offline_parent", offline_parent, .key = false },
	{ "issuing", issuing, .key = false },
	{ "issuing_child_changed", issuing_child_changed, .manifest = true },
	{ "ta", ta, .key = false },
	{ "ta_two_thirds", ta_two_thirds, .certificate = true },
};

static void
check_row(const struct row *row)
{
	struct ca_state *state = settled();
	row->change(state);
	struct ca_plan *plan = plan_of(state, NOW);
	bool acts = row->certificate || row->no_certificate || row->manifest || row->no_products;
	if (plan->active.make_key != row->key || plan->active.issue_certificate != row->certificate ||
		plan->active.withdraw_certificate != row->no_certificate ||
		plan->layout.roas_count != row->roas || plan->layout.withdrawn_count != row->withdrawn ||
		plan->active.issue_manifest != row->manifest || plan->active.withdraw_products != row->no_products || plan->nothing == acts)
		fail_msg("%s: key %d certificate %d/%d roas %zu withdrawn %zu manifest %d/%d nothing %d", row->name, plan->active.make_key,
			plan->active.issue_certificate, plan->active.withdraw_certificate, plan->layout.roas_count, plan->layout.withdrawn_count,
			plan->active.issue_manifest, plan->active.withdraw_products, plan->nothing);
	if (row->no_certificate)
		assert_int_equal(plan->renew_at, 0);
	else
		assert_true(plan->renew_at > NOW);
	ca_plan_free(plan);
	ca_state_free(state);
}

static void
plan__does_what_each_state_asks_for(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_row(&rows[i]);
}

static void
plan__numbers_follow_the_published_ones_by_one(void **unused)
{
	(void)unused;
	struct ca_state *state = settled();
	added_roa(state);
	struct ca_plan *plan = plan_of(state, NOW);
	assert_int_equal(plan->active.manifest_number, 43);
	assert_int_equal(plan->active.crl_number, 42);
	assert_in_range(plan->active.next_update_at, NOW + 36 * HOUR, NOW + 40 * HOUR);
	ca_plan_free(plan);
	ca_state_free(state);
}

static void
plan__refuses_to_sign_in_the_second_of_the_last_manifest_or_before(void **unused)
{
	(void)unused;
	struct ca_state *state = settled();
	struct ca_plan *plan = NULL;
	struct fault fault = FAULT_INIT;
	assert_int_equal(plan_ca(state, &settings, state->current.key.this_update_at, 0, &plan, &fault), FAULT_CLOCK);
	assert_int_equal(plan_ca(state, &settings, state->current.key.this_update_at - 120, 0, &plan, &fault), FAULT_CLOCK);
	assert_null(plan);
	ca_state_free(state);
}

static void
plan__not_before_of_a_certificate_in_place_of_another_rises(void **unused)
{
	(void)unused;
	struct ca_state *state = settled();
	grown(state);
	state->current.certificate.not_before_at = NOW - 10;
	struct ca_plan *plan = plan_of(state, NOW);
	assert_int_equal(plan->active.certificate_not_before_at, NOW - 9);
	ca_plan_free(plan);
	ca_state_free(state);
}

static void
plan__an_end_that_is_not_due_is_kept_by_what_takes_its_place(void **unused)
{
	(void)unused;
	struct ca_state *state = settled();
	grown(state);
	struct ca_plan *plan = plan_of(state, NOW);
	assert_int_equal(plan->active.certificate_not_after_at, NOW + 200 * DAY);
	ca_plan_free(plan);
	certificate_due(state);
	plan = plan_of(state, NOW);
	assert_int_equal(plan->active.certificate_not_after_at, NOW + 365 * DAY);
	ca_plan_free(plan);
	ca_state_free(state);
}

static void
plan__renewal_is_due_with_the_first_object(void **unused)
{
	(void)unused;
	struct ca_state *state = settled();
	struct ca_plan *plan = plan_of(state, NOW);
	assert_int_equal(plan->renew_at, NOW + 18 * HOUR);
	ca_plan_free(plan);
	state->objects[2].not_after_at = NOW + 28 * DAY + HOUR;
	plan = plan_of(state, NOW);
	assert_int_equal(plan->renew_at, NOW + HOUR);
	ca_plan_free(plan);
	ca_state_free(state);
}

static void
plan__signs_nothing_where_the_key_is_on_another_machine(void **unused)
{
	(void)unused;
	struct ca_state *state = settled();
	offline_ta(state);
	struct ca_plan *plan = plan_of(state, NOW);
	assert_true(plan->nothing);
	assert_int_equal(plan->renew_at, 0);
	ca_plan_free(plan);
	ca_state_free(state);
}

/* A CA on hold is planned as if what it has were what is wanted: renewals go on, its changes wait. */
static void
plan__on_hold_renews_and_changes_nothing(void **unused)
{
	(void)unused;
	static void (*const waiting[])(struct ca_state *) = { added_roa, removed_roa, shrunk_to_other, grown, lost_all, leaving, suspended };
	for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++) {
		struct ca_state *state = settled();
		set_resources(&state->parent.resources, "0.0.0.0/0");
		waiting[i](state);
		set_resources(&state->current.certified_resources, "192.0.2.0/24");
		assert_int_equal(ca_state_hold(state, NULL), FAULT_NONE);
		struct ca_plan *plan = plan_of(state, NOW);
		assert_true(plan->nothing);
		ca_plan_free(plan);
		everything_due(state);
		plan = plan_of(state, NOW);
		assert_true(plan->active.issue_certificate && plan->active.issue_manifest && plan->layout.roas_count == 1);
		assert_int_equal(plan->layout.payloads_count, 1);
		assert_int_equal(plan->layout.withdrawn_count, 0);
		ca_plan_free(plan);
		ca_state_free(state);
	}
}

/* What the CA above has lost can't be kept by a hold: that would over-claim. */
static void
plan__on_hold_never_over_claims(void **unused)
{
	(void)unused;
	struct ca_state *state = settled();
	set_resources(&state->parent.resources, "198.51.100.0/24");
	assert_int_equal(ca_state_hold(state, NULL), FAULT_NONE);
	struct ca_plan *plan = plan_of(state, NOW);
	assert_true(plan->active.withdraw_certificate);
	ca_plan_free(plan);
	ca_state_free(state);
}

static void
plan__first_ends_are_spread_over_half_a_year(void **unused)
{
	(void)unused;
	int64_t low = INT64_MAX, high = 0;
	for (uint64_t i = 0; i < 1000; i++) {
		int64_t end_at = timing_first_end(&settings.timing, NOW, timing_mix(i, 1));
		low = end_at < low ? end_at : low;
		high = end_at > high ? end_at : high;
		assert_in_range(end_at, NOW + 183 * DAY, NOW + 365 * DAY);
	}
	assert_true(high - low > 170 * DAY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan__does_what_each_state_asks_for),
		cmocka_unit_test(plan__numbers_follow_the_published_ones_by_one),
		cmocka_unit_test(plan__refuses_to_sign_in_the_second_of_the_last_manifest_or_before),
		cmocka_unit_test(plan__not_before_of_a_certificate_in_place_of_another_rises),
		cmocka_unit_test(plan__an_end_that_is_not_due_is_kept_by_what_takes_its_place),
		cmocka_unit_test(plan__renewal_is_due_with_the_first_object),
		cmocka_unit_test(plan__signs_nothing_where_the_key_is_on_another_machine),
		cmocka_unit_test(plan__on_hold_renews_and_changes_nothing),
		cmocka_unit_test(plan__on_hold_never_over_claims),
		cmocka_unit_test(plan__first_ends_are_spread_over_half_a_year),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
