#include "api/handlers/handler.h"
#include "api/server/json_writer.h"

static void
write_rrdp(struct json_writer *writer, const struct publication_row *row)
{
	json_writer_text(writer, "session", row->session);
	json_writer_number(writer, "serial", row->serial);
	json_writer_instant(writer, "written_at", row->notified_at);
	json_writer_object(writer, "rrdp");
	json_writer_text(writer, "uri", row->rrdp_uri);
	json_writer_number(writer, "snapshot_size", row->snapshot_size);
	json_writer_number(writer, "deltas", row->deltas);
	json_writer_number(writer, "deltas_size", row->deltas_size);
	json_writer_end(writer);
}

static void
write_rsync(struct json_writer *writer, const struct publication_row *row)
{
	json_writer_object(writer, "rsync");
	json_writer_text(writer, "uri", row->rsync_uri);
	json_writer_number(writer, "serial", row->rsync_serial);
	json_writer_instant(writer, "written_at", row->rsync_at);
	json_writer_end(writer);
}

/* null: its guard refuses nothing. */
static void
write_refused(struct json_writer *writer, const struct publication_row *row)
{
	if (row->refused_code == NULL) {
		json_writer_text(writer, "refused", NULL);
		return;
	}
	json_writer_object(writer, "refused");
	json_writer_text(writer, "code", row->refused_code);
	json_writer_instant(writer, "at", row->refused_at);
	json_writer_number(writer, "payloads_lost", row->refused_payloads_lost);
	json_writer_number(writer, "payloads", row->refused_payloads);
	json_writer_number(writer, "cas_lost", row->refused_cas_lost);
	json_writer_number(writer, "cas", row->refused_cas);
	json_writer_truth(writer, "accepted", row->refused_accepted);
	json_writer_end(writer);
}

/* What is on disk first; the last cut may be a little ahead of it. Ends with the list of repositories begun. */
static enum fault_code
give_publication(void *argument, const struct publication_row *row, struct fault *fault)
{
	struct json_writer *writer = argument;
	json_writer_object(writer, NULL);
	write_rrdp(writer, row);
	write_rsync(writer, row);
	json_writer_number(writer, "cut_serial", row->cut_serial);
	json_writer_instant(writer, "cut_at", row->cut_at);
	json_writer_number(writer, "objects", row->objects);
	json_writer_number(writer, "bytes", row->bytes);
	json_writer_number(writer, "cas", row->cas);
	json_writer_number(writer, "cas_waiting", row->cas_waiting);
	json_writer_number(writer, "cas_set_aside", row->cas_set_aside);
	json_writer_number(writer, "roas", row->roas);
	write_refused(writer, row);
	json_writer_array(writer, "repositories");
	return json_writer_check(writer, fault);
}

static enum fault_code
give_repository(void *argument, const struct publication_row *row, struct fault *fault)
{
	struct json_writer *writer = argument;
	json_writer_object(writer, NULL);
	json_writer_number(writer, "number", row->repository_id);
	write_rrdp(writer, row);
	write_rsync(writer, row);
	json_writer_number(writer, "cut_serial", row->cut_serial);
	json_writer_instant(writer, "cut_at", row->cut_at);
	json_writer_number(writer, "objects", row->objects);
	json_writer_number(writer, "bytes", row->bytes);
	json_writer_end(writer);
	return json_writer_check(writer, fault);
}

enum fault_code
publication_get_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct json_writer writer;
	json_writer_begin(&writer, &exchange->reply->body);
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	TRY(publication_view_get(connection, give_publication, give_repository, &writer, fault));
	json_writer_end(&writer);
	json_writer_end(&writer);
	return json_writer_check(&writer, fault);
}
