/* Damages of files, and those that only the database can tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "publish/rrdp_xml.h"
#include "tests/check/mutation.h"
#include "tests/support/der_builder.h"

#define NOTIFICATION "rrdp/notification.xml"
#define LAST 3 /* the serial that is served; 2 and 3 have deltas */

/* The notification. */

static void
notification_missing(struct forge *forge)
{
	assert_int_equal(unlinkat(forge->directory, NOTIFICATION, 0), 0);
}

static void
notification_empty(struct forge *forge)
{
	forge_write_file(forge, NOTIFICATION, SPAN("", 0));
}

static void
notification_cut_off(struct forge *forge)
{
	forge_replace(forge, NOTIFICATION, "</notification>", "");
}

static void
notification_doctype(struct forge *forge)
{
	forge_replace(forge, NOTIFICATION, "<notification", "<!DOCTYPE notification [<!ENTITY x \"y\">]>\n<notification");
}

static void
notification_version(struct forge *forge)
{
	forge_replace(forge, NOTIFICATION, " version=\"1\"", " version=\"2\"");
}

static void
notification_element(struct forge *forge)
{
	forge_replace(forge, NOTIFICATION, "</notification>", "<more/></notification>");
}

static void
notification_session(struct forge *forge)
{
	forge_replace(forge, NOTIFICATION, "session_id=\"", "session_id=\"00000000-0000-4000-8000-000000000000\" x=\"");
	forge_replace(forge, NOTIFICATION, " x=\"", " serial=\"3\"><!-- \"");
	forge_replace(forge, NOTIFICATION, "serial=\"3\">\n", "-->\n");
}

static void
notification_serial(struct forge *forge)
{
	forge_replace(forge, NOTIFICATION, "serial=\"3\">", "serial=\"4\">");
}

static void
notification_old_serial(struct forge *forge)
{
	forge_replace(forge, NOTIFICATION, "serial=\"3\">", "serial=\"2\">");
}

/* What was right a serial ago, as a mirror that stands still would serve it. */
static void
notification_of_before(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) snapshot = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	struct check_repository repository;
	uint8_t hash[SHA256_SIZE];
	const char *path = forge_rrdp_path(forge, LAST - 1, "snapshot.xml");
	WORLD_OK(check_view_repository(forge->served->world->db, forge->served->world->repository_id, &repository, fault));
	forge_read_file(forge, path, &snapshot);
	WORLD_OK(digest_sha256(bytes_span(&snapshot), hash, fault));
	WORLD_OK(rrdp_xml_open(&text, RRDP_NOTIFICATION, repository.session, LAST - 1, fault));
	WORLD_OK(rrdp_xml_name_snapshot(&text, repository.rrdp_uri, path + sizeof "rrdp", SPAN(hash, SHA256_SIZE), fault));
	WORLD_OK(rrdp_xml_close(&text, RRDP_NOTIFICATION, fault));
	forge_write_file(forge, NOTIFICATION, bytes_span(&text));
}

static void
delta_gap(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	forge_read_file(forge, NOTIFICATION, &text);
	char *line = strstr((char *)text.data, "<delta serial=\"3\"");
	assert_non_null(line);
	memset(line, ' ', (size_t)(strchr(line, '\n') - line));
	forge_write_file(forge, NOTIFICATION, bytes_span(&text));
}

static void
other_origin(struct forge *forge)
{
	forge_replace(forge, NOTIFICATION, "<delta serial=\"2\" uri=\"https://rrdp.example.net/", "<delta serial=\"2\" "
		"uri=\"https://elsewhere.example.net/");
}

/* Snapshot and deltas. */

static void
hash_in_notification(struct forge *forge, const char *element)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	forge_read_file(forge, NOTIFICATION, &text);
	char *hash = strstr(strstr((char *)text.data, element), "hash=\"");
	assert_non_null(hash);
	hash[6] = hash[6] == '0' ? '1' : '0';
	forge_write_file(forge, NOTIFICATION, bytes_span(&text));
}

static void
snapshot_hash(struct forge *forge)
{
	hash_in_notification(forge, "<snapshot");
}

static void
delta_hash(struct forge *forge)
{
	hash_in_notification(forge, "<delta serial=\"2\"");
}

static void
snapshot_missing(struct forge *forge)
{
	assert_int_equal(unlinkat(forge->directory, forge_rrdp_path(forge, LAST, "snapshot.xml"), 0), 0);
}

static void
delta_missing(struct forge *forge)
{
	assert_int_equal(unlinkat(forge->directory, forge_rrdp_path(forge, 2, "delta.xml"), 0), 0);
}

/* Replaces text in a file of RRDP and sets its hash in the notification right. */
static void
alter(struct forge *forge, int64_t serial, const char *name, const char *from, const char *to)
{
	AUTO_CLEAR(struct bytes, bytes_clear) before = BYTES_INIT;
	forge_read_file(forge, forge_rrdp_path(forge, serial, name), &before);
	forge_replace(forge, forge_rrdp_path(forge, serial, name), from, to);
	forge_rehash(forge, serial, name, bytes_span(&before));
}

static void
snapshot_session(struct forge *forge)
{
	alter(forge, LAST, "snapshot.xml", "session_id=\"", "session_id=\"00000000-0000-4000-8000-000000000000\" serial=\"3\"><!-- ");
	alter(forge, LAST, "snapshot.xml", "serial=\"3\">\n", "-->");
}

static void
snapshot_serial(struct forge *forge)
{
	alter(forge, LAST, "snapshot.xml", "serial=\"3\"", "serial=\"2\"");
}

static void
snapshot_base64(struct forge *forge)
{
	alter(forge, LAST, "snapshot.xml", "</publish>", "*</publish>");
}

static void
snapshot_cut_off(struct forge *forge)
{
	alter(forge, LAST, "snapshot.xml", "</snapshot>", "");
}

static void
snapshot_flipped(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	forge_read_file(forge, forge_rrdp_path(forge, LAST, "snapshot.xml"), &text);
	text.data[text.length - 3] ^= 1;
	forge_write_file(forge, forge_rrdp_path(forge, LAST, "snapshot.xml"), bytes_span(&text));
}

static void
gzip_flipped(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) packed = BYTES_INIT;
	char path[300];
	(void)snprintf(path, sizeof path, "%s.gz", forge_rrdp_path(forge, LAST, "snapshot.xml"));
	forge_read_file(forge, path, &packed);
	packed.data[packed.length / 2] ^= 1;
	forge_write_file(forge, path, bytes_span(&packed));
}

static void
gzip_cut_off(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) packed = BYTES_INIT;
	forge_read_file(forge, NOTIFICATION ".gz", &packed);
	forge_write_file(forge, NOTIFICATION ".gz", SPAN(packed.data, packed.length - 9));
}

/* The packed form of an older file. */
static void
gzip_of_another(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) packed = BYTES_INIT;
	char path[300];
	(void)snprintf(path, sizeof path, "%s.gz", forge_rrdp_path(forge, 2, "delta.xml"));
	forge_read_file(forge, path, &packed);
	(void)snprintf(path, sizeof path, "%s.gz", forge_rrdp_path(forge, LAST, "delta.xml"));
	forge_write_file(forge, path, bytes_span(&packed));
}

static void
delta_session(struct forge *forge)
{
	alter(forge, 2, "delta.xml", "session_id=\"", "session_id=\"00000000-0000-4000-8000-000000000000\" serial=\"2\"><!-- ");
	alter(forge, 2, "delta.xml", "serial=\"2\">\n", "-->");
}

static void
delta_serial(struct forge *forge)
{
	alter(forge, 2, "delta.xml", "serial=\"2\"", "serial=\"9\"");
}

static void
delta_base64(struct forge *forge)
{
	alter(forge, 2, "delta.xml", "</publish>", "*</publish>");
}

/* Withdraws an object that is there afterwards. */
static void
delta_withdraws(struct forge *forge)
{
	char element[400];
	(void)snprintf(element, sizeof element, "<withdraw uri=\"rsync://rsync.example.net/repo/%s\" "
		"hash=\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"/>\n</delta>",
		forge_find(forge, forge->ta, ".mft")->path);
	alter(forge, LAST, "delta.xml", "</delta>", element);
}

static void
delta_empty(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) before = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) after = BYTES_INIT;
	const char *path = forge_rrdp_path(forge, 2, "delta.xml");
	forge_read_file(forge, path, &before);
	const char *text = bytes_text(&before), *head = strchr(strchr(text, '\n') + 1, '\n') + 1;
	WORLD_OK(bytes_append(&after, text, (size_t)(head - text), fault));
	WORLD_OK(bytes_append_text(&after, "</delta>\n", fault));
	forge_write_file(forge, forge_rrdp_path(forge, 2, "delta.xml"), bytes_span(&after));
	forge_rehash(forge, 2, "delta.xml", bytes_span(&before));
}

/* The snapshot without one object, all hashes right. */
static void
snapshot_object_missing(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) before = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) after = BYTES_INIT;
	char start[300];
	forge_read_file(forge, forge_rrdp_path(forge, LAST, "snapshot.xml"), &before);
	(void)snprintf(start, sizeof start, "<publish uri=\"rsync://rsync.example.net/repo/%s\">",
		forge_find(forge, forge->beta, ".roa")->path);
	const char *text = bytes_text(&before), *from = strstr(text, start), *to = strstr(from, "\n") + 1;
	WORLD_OK(bytes_append(&after, text, (size_t)(from - text), fault));
	WORLD_OK(bytes_append_text(&after, to, fault));
	forge_write_file(forge, forge_rrdp_path(forge, LAST, "snapshot.xml"), bytes_span(&after));
	forge_rehash(forge, LAST, "snapshot.xml", bytes_span(&before));
}

static void
snapshot_object_twice(struct forge *forge)
{
	(void)forge_add(forge, forge_find(forge, forge->beta, ".roa")->path, bytes_span(&forge_find(forge, forge->beta, ".roa")->der));
	forge_write(forge);
}

/* rsync. */

static void
rsync_path(struct forge *forge, char path[400])
{
	(void)snprintf(path, 400, "rsync/current/%s", forge_find(forge, forge->alpha, ".roa")->path);
}

static void
rsync_flipped(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	struct stat status;
	char path[400];
	rsync_path(forge, path);
	assert_int_equal(fstatat(forge->directory, path, &status, 0), 0);
	forge_read_file(forge, path, &content);
	content.data[content.length / 2] ^= 1;
	forge_write_file(forge, path, bytes_span(&content));
	const struct timespec times[2] = { status.st_atim, status.st_mtim };
	assert_int_equal(utimensat(forge->directory, path, times, 0), 0);
}

/* A manifest of before in the place of the one that is served. */
static void
rsync_stale(struct forge *forge)
{
	char path[400];
	struct bytes *other = &forge_find(forge, forge->beta, ".mft")->der;
	(void)snprintf(path, sizeof path, "rsync/current/%s", forge_find(forge, forge->alpha, ".mft")->path);
	forge_write_file(forge, path, bytes_span(other));
}

static void
rsync_missing(struct forge *forge)
{
	char path[400];
	rsync_path(forge, path);
	assert_int_equal(unlinkat(forge->directory, path, 0), 0);
}

static void
rsync_extra(struct forge *forge)
{
	forge_write_file(forge, "rsync/current/stray.roa", SPAN("stray", 5));
}

static void
rsync_link(struct forge *forge)
{
	assert_int_equal(symlinkat("nowhere", forge->directory, "rsync/current/stray.roa"), 0);
}

static void
rsync_time(struct forge *forge)
{
	static const struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	char path[400];
	rsync_path(forge, path);
	assert_int_equal(utimensat(forge->directory, path, times, 0), 0);
}

static void
rsync_gone(struct forge *forge)
{
	assert_int_equal(unlinkat(forge->directory, "rsync/current", 0), 0);
}

/* The trust anchor. */

static void
tal_gone(struct forge *forge)
{
	assert_int_equal(unlinkat(forge->directory, "ta/ta.tal", 0), 0);
}

static void
tal_garbage(struct forge *forge)
{
	forge_write_file(forge, "ta/ta.tal", SPAN("https://rrdp.example.net/ta/ta.cer\n\nno key\n", 43));
}

/* The locator of another key: one octet of the modulus, in base64. */
static void
tal_other_key(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	forge_read_file(forge, "ta/ta.tal", &text);
	uint8_t *at = text.data + text.length - 20;
	*at = *at == 'A' ? 'B' : 'A';
	forge_write_file(forge, "ta/ta.tal", bytes_span(&text));
}

static void
ta_gone(struct forge *forge)
{
	assert_int_equal(unlinkat(forge->directory, "ta/ta.cer", 0), 0);
}

static void
ta_garbage(struct forge *forge)
{
	forge_write_file(forge, "ta/ta.cer", SPAN("garbage", 7));
}

static void
remake_ta(struct forge *forge, forge_edit edit, bool flip)
{
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	forge_read_file(forge, "ta/ta.cer", &der);
	if (edit != NULL)
		forge_certificate(forge, &der, edit);
	if (flip)
		der.data[der.length - 1] ^= 1;
	forge_write_file(forge, "ta/ta.cer", bytes_span(&der));
}

static void
edit_expired(struct forge *forge, struct certificate_fields *fields)
{
	fields->not_before_at = forge->now_at - 172800;
	fields->not_after_at = forge->now_at - 86400;
}

static void
edit_early(struct forge *forge, struct certificate_fields *fields)
{
	fields->not_before_at = forge->now_at + 86400;
}

static void
ta_expired(struct forge *forge)
{
	remake_ta(forge, edit_expired, false);
}

static void
ta_early(struct forge *forge)
{
	remake_ta(forge, edit_early, false);
}

static void
ta_signature(struct forge *forge)
{
	remake_ta(forge, NULL, true);
}

/* What only the database can tell. */

/* Everything valid, but a ROA less. */
static void
payload_withheld(struct forge *forge)
{
	forge_remove(forge, forge_find(forge, forge->beta, ".roa"));
	forge_manifest(forge, forge->beta, NULL);
	forge_write(forge);
}

/* Everything valid, but another origin. */
static void
payload_forged(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	der_builder_encode("SEQUENCE { INTEGER 64511 SEQUENCE { SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { BITS c63364/0 } } } } }",
		&content);
	forge_signed(forge, &forge_find(forge, forge->beta, ".roa")->der, bytes_span(&content), NULL);
	forge_manifest(forge, forge->beta, NULL);
	forge_write(forge);
}

static void
child_left_out(struct forge *forge)
{
	struct forge_object *certificate = forge_certificate_of(forge, forge->issuing, forge->alpha);
	forge_remove(forge, certificate);
	forge_manifest(forge, forge->issuing, NULL);
	forge_write(forge);
}

/* The serial before is served again as a whole: manifests are old, and all fits together. */
static void
all_of_yesterday(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) snapshot = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) old = BYTES_INIT;
	forge_read_file(forge, forge_rrdp_path(forge, LAST, "snapshot.xml"), &snapshot);
	forge_read_file(forge, forge_rrdp_path(forge, 2, "snapshot.xml"), &old);
	forge_write_file(forge, forge_rrdp_path(forge, LAST, "snapshot.xml"), bytes_span(&old));
	forge_rehash(forge, LAST, "snapshot.xml", bytes_span(&snapshot));
	alter(forge, LAST, "snapshot.xml", "serial=\"2\"", "serial=\"3\"");
}

static const struct mutation mutations[] = {
	{ "no notification", notification_missing, "notification_missing" },
	{ "an empty notification", notification_empty, "notification_malformed" },
	{ "a notification cut off", notification_cut_off, "notification_malformed" },
	{ "a notification with a document type", notification_doctype, "notification_malformed" },
	{ "a notification of another version", notification_version, "notification_malformed" },
	{ "a notification with a strange element", notification_element, "notification_malformed" },
	{ "a notification of another session", notification_session, "notification_differs snapshot_session delta_session" },
	{ "a notification of the serial after", notification_serial,
		"notification_differs notification_deltas snapshot_serial" },
	{ "a notification of the serial before", notification_old_serial,
		"notification_differs notification_deltas snapshot_serial rrdp_differs rrdp_extra" },
	{ "the notification of before", notification_of_before, "notification_differs" },
	{ "a gap in the deltas", delta_gap, "notification_deltas delta_chain" },
	{ "a delta at another origin", other_origin, "notification_origin delta_missing" },
	{ "a wrong hash of the snapshot", snapshot_hash, "snapshot_hash" },
	{ "a wrong hash of a delta", delta_hash, "delta_hash" },
	{ "no snapshot", snapshot_missing, "snapshot_missing" },
	{ "a delta missing", delta_missing, "delta_missing" },
	{ "a snapshot of another session", snapshot_session, "snapshot_session" },
	{ "a snapshot of another serial", snapshot_serial, "snapshot_serial" },
	{ "a snapshot whose base64 is none", snapshot_base64, "snapshot_malformed" },
	{ "a snapshot cut off", snapshot_cut_off, "snapshot_malformed" },
	{ "a byte flipped in the snapshot", snapshot_flipped, "snapshot_hash snapshot_malformed" },
	{ "a byte flipped in a packed snapshot", gzip_flipped, "gzip_differs" },
	{ "a packed notification cut off", gzip_cut_off, "gzip_differs" },
	{ "a packed delta of another serial", gzip_of_another, "gzip_differs" },
	{ "a delta of another session", delta_session, "delta_session" },
	{ "a delta of another serial", delta_serial, "delta_serial" },
	{ "a delta whose base64 is none", delta_base64, "delta_malformed" },
	{ "a delta that withdraws what stays", delta_withdraws, "delta_chain" },
	{ "a delta without elements", delta_empty, "delta_malformed" },
	{ "an object left out of the snapshot", snapshot_object_missing, "rrdp_missing delta_chain manifest_file payload_missing ca_missing" },
	{ "an object in the snapshot twice", snapshot_object_twice, "snapshot_twice" },
	{ "a byte flipped in rsync", rsync_flipped, "rsync_differs" },
	{ "a stale file in rsync", rsync_stale, "rsync_differs" },
	{ "a file missing in rsync", rsync_missing, "rsync_missing" },
	{ "a file too many in rsync", rsync_extra, "rsync_extra" },
	{ "a link in rsync", rsync_link, "rsync_extra" },
	{ "another time in rsync", rsync_time, "rsync_time" },
	{ "no rsync tree", rsync_gone, "rsync_unreadable" },
	{ "no locator", tal_gone, "tal_malformed" },
	{ "a locator that is none", tal_garbage, "tal_malformed" },
	{ "the locator of another key", tal_other_key, "tal_key" },
	{ "no trust anchor", ta_gone, "ta_missing" },
	{ "a trust anchor that is none", ta_garbage, "object_malformed" },
	{ "a trust anchor expired", ta_expired, "certificate_expired payload_missing ca_missing" },
	{ "a trust anchor of tomorrow", ta_early, "certificate_future payload_missing ca_missing" },
	{ "a trust anchor's signature", ta_signature, "certificate_signature payload_missing ca_missing" },
	{ "a payload withheld", payload_withheld, "payload_missing rrdp_missing rrdp_differs" },
	{ "a payload forged", payload_forged, "payload_missing payload_extra rrdp_differs" },
	{ "a CA withheld", child_left_out, "ca_missing object_unlisted rrdp_missing rrdp_differs" },
	{ "yesterday's objects", all_of_yesterday, "manifest_old rrdp_missing rrdp_differs payload_missing delta_chain" },
};

const struct mutation *
mutation_files(size_t *ret_count)
{
	*ret_count = sizeof mutations / sizeof *mutations;
	return mutations;
}
