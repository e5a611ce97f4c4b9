#include "api/handlers/transfer_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers/resources_json.h"
#include "api/handlers/roa_json.h"
#include "ca/base/memory.h"

/*
 * What happens in turn, so that no ROA is invalid in between. by: whose step it is. A step is done as soon as the transfer has
 * reached the state; before that it is open from `from` on.
 */
struct step {
	const char *by;
	const char *done_in;            /* states, separated by spaces */
	const char *open_in;
	const char *text;
};

static const struct step within[] = {
	{ "this registry", "issuing done", "", "Holdings and ROAs of both members are changed in one transaction." },
	{ "the engine", "done", "issuing", "Certificates, ROAs and manifests of both are published in one serial." },
	{ NULL, NULL, NULL, NULL },
};

static const struct step outwards[] = {
	{ "this registry", "prepared issuing done cancelled", "",
		"Nothing is withdrawn: the member goes on holding the resources, and its ROAs stay published." },
	{ "the other registry", "issuing done", "prepared",
		"It certifies the resources, the receiver makes its ROAs there, and a validator sees them: each that the dry run of the "
		"completion lists and that is to go on." },
	{ "this registry", "issuing done", "prepared", "Then it is completed here." },
	{ "the engine", "done", "issuing", "The resources and the ROAs under them leave, in one serial." },
	{ NULL, NULL, NULL, NULL },
};

static const struct step inwards[] = {
	{ "this registry", "issuing done", "",
		"The member holds the resources and has its ROAs for them, while the other registry goes on certifying them." },
	{ "the engine", "done", "issuing", "Certificate, ROAs and manifest of the member are published in one serial." },
	{ "everybody", "", "done", "Validators fetch that: give them an hour from then on." },
	{ "the other registry", "", "done", "Only then it shrinks its certificate and withdraws its ROAs." },
	{ NULL, NULL, NULL, NULL },
};

static bool
has_word(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = words; (at = strstr(at, word)) != NULL; at += length)
		if ((at == words || at[-1] == ' ') && (at[length] == '\0' || at[length] == ' '))
			return true;
	return false;
}

static const char *
step_state(const struct step *step, const char *state)
{
	if (has_word(step->done_in, state))
		return "done";
	if (strcmp(state, "cancelled") == 0)
		return "cancelled";
	return has_word(step->open_in, state) ? "open" : "waiting";
}

static void
write_steps(struct json_writer *writer, const struct transfer_row *row)
{
	const struct step *steps = row->from_handle == NULL ? inwards : row->to_handle == NULL ? outwards : within;
	json_writer_array(writer, "steps");
	for (const struct step *step = steps; step->by != NULL; step++) {
		json_writer_object(writer, NULL);
		json_writer_text(writer, "by", step->by);
		json_writer_text(writer, "state", step_state(step, row->state));
		json_writer_text(writer, "text", step->text);
		json_writer_end(writer);
	}
	json_writer_end(writer);
}

void
transfer_json_write(struct json_writer *writer, const struct transfer_row *row)
{
	json_writer_object(writer, NULL);
	json_writer_number(writer, "id", row->transfer_id);
	json_writer_text(writer, "state", row->state);
	json_writer_text(writer, "from", row->from_handle);
	json_writer_text(writer, "to", row->to_handle);
	resources_json_write(writer, "resources", row->resources);
	json_writer_text(writer, "roas", row->roas);
	json_writer_text(writer, "straddling", row->straddling);
	json_writer_number(writer, "roas_within", row->roas_within);
	json_writer_number(writer, "roas_straddling", row->roas_straddling);
	json_writer_number(writer, "roas_added", row->roas_added);
	json_writer_text(writer, "actor", row->actor);
	json_writer_instant(writer, "created_at", row->created_at);
	json_writer_instant(writer, "confirmed_at", row->confirmed_at);
	if (row->serial != 0)
		json_writer_number(writer, "serial", row->serial);
	else
		json_writer_text(writer, "serial", NULL);
	json_writer_instant(writer, "published_at", row->published_at);
	write_steps(writer, row);
	json_writer_end(writer);
}

static enum fault_code
give_transfer(void *argument, const struct transfer_row *row, struct fault *fault)
{
	struct json_writer *writer = argument;
	transfer_json_write(writer, row);
	return json_writer_check(writer, fault);
}

enum fault_code
transfer_json_reply(struct exchange *exchange, int64_t transfer_id, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct json_writer writer;
	json_writer_begin(&writer, &exchange->reply->body);
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	return transfer_view_get(connection, transfer_id, give_transfer, &writer, fault);
}

enum fault_code
transfer_json_id(const struct exchange *exchange, int64_t *ret_transfer_id, struct fault *fault)
{
	const char *text = exchange->arguments[0];
	size_t length = strlen(text);
	if (length == 0 || length > 18 || strspn(text, "0123456789") != length)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no transfer \"%.60s\"", text);
	*ret_transfer_id = strtoll(text, NULL, 10);
	return FAULT_NONE;
}

static void
write_proposals(struct json_writer *writer, const char *name, const struct payload *payloads, size_t count)
{
	json_writer_array(writer, name);
	for (size_t i = 0; i < count; i++) {
		json_writer_object(writer, NULL);
		roa_json_payload(writer, &payloads[i], NULL);
		json_writer_end(writer);
	}
	json_writer_end(writer);
}

static void
write_roa(struct json_writer *writer, const struct transfer_effect *effect, const struct transfer_roa *roa)
{
	json_writer_object(writer, NULL);
	roa_json_payload(writer, &roa->payload, roa->comment);
	json_writer_truth(writer, "wanted", roa->wanted);
	if (roa->straddles) {
		write_proposals(writer, "remaining", effect->replacements + roa->first_remaining, roa->remaining);
		write_proposals(writer, "transferred", effect->replacements + roa->first_transferred, roa->transferred);
	}
	json_writer_end(writer);
}

static void
write_roas(struct json_writer *writer, const char *name, const struct transfer_effect *effect, bool straddles)
{
	size_t shown = 0;
	json_writer_array(writer, name);
	for (size_t i = 0; i < effect->roas_count && shown < TRANSFER_JSON_ROAS_MAX; i++) {
		if (effect->roas[i].straddles != straddles)
			continue;
		write_roa(writer, effect, &effect->roas[i]);
		shown++;
	}
	json_writer_end(writer);
}

/* The member "effect" of an open object. */
static void
write_effect(const void *argument, struct json_writer *writer)
{
	const struct transfer_effect *effect = argument;
	if (!effect->known)
		return;
	json_writer_object(writer, "effect");
	write_roas(writer, "within", effect, false);
	json_writer_number(writer, "within_total", (int64_t)effect->within);
	write_roas(writer, "straddling", effect, true);
	json_writer_number(writer, "straddling_total", (int64_t)effect->straddling);
	json_writer_truth(writer, "undecided", effect->undecided);
	json_writer_number(writer, "gained_total", (int64_t)effect->gained);
	json_writer_end(writer);
}

static void
free_effect(void *argument)
{
	transfer_effect_clear(argument);
	free(argument);
}

enum fault_code
transfer_json_effect(struct exchange *exchange, struct transfer_effect **ret_effect, struct fault *fault)
{
	struct transfer_effect *effect;
	TRY(memory_new(1, sizeof *effect, &effect, fault));
	*effect = TRANSFER_EFFECT_INIT;
	exchange->extension = (struct reply_extension){ .write = write_effect, .free = free_effect, .argument = effect };
	*ret_effect = effect;
	return FAULT_NONE;
}

enum fault_code
transfer_json_reply_effect(struct exchange *exchange, const struct transfer_effect *effect, struct fault *fault)
{
	struct json_writer writer;
	json_writer_begin(&writer, &exchange->reply->body);
	json_writer_object(&writer, NULL);
	write_effect(effect, &writer);
	json_writer_end(&writer);
	return json_writer_check(&writer, fault);
}
