#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/cli/init.h"
#include "api/server/config.h"
#include "ca/base/atomic_file.h"
#include "ca/base/base64.h"
#include "ca/ceremony/offline_anchor.h"
#include "ca/der/certificate.h"
#include "ca/der/tal.h"
#include "ca/keys/passphrase.h"
#include "ca/resources/resource_list.h"
#include "tests/unit/scratch.h"

#define FILE_MAX 100000

#define PATH_SIZE 4096

static const char *
join(char ret_path[PATH_SIZE], const char *directory, const char *name)
{
	(void)snprintf(ret_path, PATH_SIZE, "%s/%s", directory, name);
	return ret_path;
}

/* A request that is right, for a directory in the case's own. */
static struct init_request
right(void **state)
{
	static char data[PATH_SIZE];
	return (struct init_request){
		.data = join(data, *state, "registry"), .rrdp_uri = "https://rrdp.example.net/rrdp/",
		.rsync_uri = "rsync://rsync.example.net/repo/", .batch_window_s = -1,
	};
}

static enum fault_code
run(const struct init_request *request, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) warnings = BYTES_INIT;
	return init_run(request, &warnings, fault);
}

static void
must_run(const struct init_request *request)
{
	struct fault fault = FAULT_INIT;
	if (run(request, &fault) != FAULT_NONE)
		fail_msg("%s (%s:%d)", fault.message, fault.file, fault.line);
}

static void
must_fail(const struct init_request *request, enum fault_code expected)
{
	struct fault fault = FAULT_INIT;
	enum fault_code code = run(request, &fault);
	if (code != expected)
		fail_msg("fault %d instead of %d: %s", (int)code, (int)expected, fault.message);
	assert_true(fault.message[0] != '\0');
}

static void
write_file(const char *path, const char *text)
{
	assert_int_equal(atomic_file_put(AT_FDCWD, path, SPAN(text, strlen(text)), 0600, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
}

static struct bytes
read_file(const char *directory, const char *name)
{
	struct bytes content = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	char path[PATH_SIZE];
	if (atomic_file_read(AT_FDCWD, join(path, directory, name), FILE_MAX, &content, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	return content;
}

static int
entries(const char *path)
{
	DIR *directory = opendir(path);
	int count = 0;
	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	(void)closedir(directory);
	return count - 2;
}

/* Runs OpenSSL's command line in the case's directory. */
static void
openssl(void **state, const char *arguments)
{
	char command[5000];
	(void)snprintf(command, sizeof command, "cd %s && openssl %s >/dev/null 2>&1", (const char *)*state, arguments);
	assert_int_equal(system(command), 0);
}

static struct certificate
read_certificate(const char *directory, const char *name)
{
	AUTO_CLEAR(struct bytes, bytes_clear) der = read_file(directory, name);
	struct certificate certificate = CERTIFICATE_INIT;
	assert_int_equal(certificate_decode(bytes_span(&der), &certificate, NULL), FAULT_NONE);
	return certificate;
}

static void
init__refuses_wrong_requests(void **state)
{
	struct init_request wrong[] = { right(state), right(state), right(state), right(state), right(state), right(state),
		right(state) };
	enum fault_code codes[] = { FAULT_INVALID, FAULT_INVALID, FAULT_INVALID, FAULT_CONFIG, FAULT_CONFIG, FAULT_CONFIG, FAULT_INVALID };
	wrong[0].rrdp_uri = "http://rrdp.example.net/rrdp/";
	wrong[1].rsync_uri = "rsync://rsync.example.net/";
	wrong[2].ta_resources = "192.0.2.1/24";
	wrong[3].listen = "nowhere";
	wrong[4].listen = "127.0.0.1:65536";
	wrong[5].batch_window_s = 86401;
	wrong[6].ta_resources = "";
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		must_fail(&wrong[i], codes[i]);
		/* The directory was not there before, so it isn't now. */
		assert_int_not_equal(access(wrong[i].data, F_OK), 0);
	}
	assert_int_equal(entries(*state), 0);
}

static void
init__refuses_a_directory_that_holds_anything(void **state)
{
	struct init_request request = right(state);
	const char *file = scratch_path(state, "registry/.hidden");
	assert_int_equal(mkdir(request.data, 0755), 0);
	write_file(file, "mine");
	must_fail(&request, FAULT_CONFLICT);
	assert_int_equal(entries(request.data), 1);
	AUTO_CLEAR(struct bytes, bytes_clear) kept = read_file(request.data, ".hidden");
	assert_string_equal(bytes_text(&kept), "mine");
}

static void
init__refuses_what_is_no_directory(void **state)
{
	struct init_request request = right(state);
	struct fault fault = FAULT_INIT;
	write_file(request.data, "a file");
	assert_int_not_equal(run(&request, &fault), FAULT_NONE);
	assert_int_equal(entries(*state), 1);
}

/* An empty directory that was there is there afterwards, and empty, however far init got. */
static void
init__cleans_up_after_a_failure(void **state)
{
	struct init_request request = right(state);
	assert_int_equal(mkdir(request.data, 0700), 0);
	request.ta_key = scratch_path(state, "no-key");
	write_file(request.ta_key, "this is no key");
	must_fail(&request, FAULT_KEY);
	assert_int_equal(entries(request.data), 0);
	request.ta_key = scratch_path(state, "missing");
	must_fail(&request, FAULT_NOT_FOUND);
	assert_int_equal(entries(request.data), 0);
	request.listen = "nowhere";
	must_fail(&request, FAULT_CONFIG);
	assert_int_equal(entries(request.data), 0);
}

static void
init__refuses_keys_that_no_trust_anchor_may_have(void **state)
{
	static const char *const made[] = {
		"genrsa -out key.pem 1024", "genrsa -out key.pem 3072", "ecparam -name prime256v1 -genkey -noout -out key.pem",
		"genpkey -algorithm ed25519 -out key.pem",
	};
	struct init_request request = right(state);
	request.ta_key = scratch_path(state, "key.pem");
	for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
		openssl(state, made[i]);
		must_fail(&request, FAULT_KEY);
		assert_int_not_equal(access(request.data, F_OK), 0);
	}
}

static void
assert_mode(const char *directory, const char *name, mode_t mode)
{
	struct stat status;
	char path[PATH_SIZE];
	if (stat(join(path, directory, name), &status) != 0)
		fail_msg("there is no %s", name);
	if ((status.st_mode & 07777) != mode)
		fail_msg("%s has mode %04o", name, (unsigned)(status.st_mode & 07777));
}

/* Whatever the umask is: what is secret is the owner's alone, what is published can be read by a daemon. */
static void
assert_modes(const char *data)
{
	static const struct { const char *name; mode_t mode; } files[] = {
		{ ".", 0700 }, { "admin.token", 0600 }, { "cadastre.conf", 0600 }, { "cadastre.db", 0600 }, { "master.key", 0600 },
		{ "tls-key.pem", 0600 }, { "tls-certificate.pem", 0644 }, { "rsyncd.conf", 0644 }, { "ta/ta.tal", 0644 },
		{ "ta/ta.cer", 0644 }, { "rrdp/notification.xml", 0644 }, { "imports", 0700 }, { "tmp", 0700 }, { "ta", 0755 },
		{ "rrdp", 0755 }, { "rsync", 0755 }, { "rsync/current/ta/ta.cer", 0644 },
	};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		assert_mode(data, files[i].name, files[i].mode);
	char path[PATH_SIZE];
	assert_int_equal(entries(join(path, data, "imports")), 0);
	assert_int_equal(entries(join(path, data, "tmp")), 0);
}

static void
assert_tal(const char *data)
{
	AUTO_CLEAR(struct bytes, bytes_clear) tal = read_file(data, "ta/ta.tal");
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	static const char uris[] = "https://rrdp.example.net:8443/ta/ta.cer\nrsync://rsync.example.net/repo/ta/ta.cer\n\n";
	/* RFC 8630 §2.2: comments, URIs, an empty line, the key. */
	const char *start = strstr(bytes_text(&tal), uris);
	assert_non_null(start);
	for (const char *at = bytes_text(&tal); at < start; at = strchr(at, '\n') + 1)
		assert_int_equal(*at, '#');
	for (const char *at = start + sizeof uris - 1; *at != '\0'; at++)
		if (*at != '\n' && *at != '\r')
			assert_int_equal(bytes_append(&text, at, 1, NULL), FAULT_NONE);
	assert_int_equal(base64_decode(bytes_text(&text), text.length, &spki, NULL), FAULT_NONE);
	AUTO_CLEAR(struct certificate, certificate_clear) anchor = read_certificate(data, "ta/ta.cer");
	assert_true(span_equal(bytes_span(&spki), bytes_span(&anchor.spki)));
}

static void
assert_rsyncd(const char *data)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = read_file(data, "rsyncd.conf");
	char line[4200];
	(void)snprintf(line, sizeof line, "\nuid = %ld\ngid = %ld\n", (long)getuid(), (long)getgid());
	assert_non_null(strstr(bytes_text(&file), line));
	(void)snprintf(line, sizeof line, "\n[repo]\ncomment = RPKI repository\npath = %s/rsync/current\n", data);
	assert_non_null(strstr(bytes_text(&file), line));
	assert_non_null(strstr(bytes_text(&file), "\nread only = yes\n"));
}

static void
assert_settings(const char *data)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	char path[PATH_SIZE];
	assert_int_equal(config_load(join(path, data, CONFIG_FILE), &config, NULL), FAULT_NONE);
	assert_string_equal(config.rrdp_uri, "https://rrdp.example.net:8443/rrdp/");
	assert_string_equal(config.rsync_uri, "rsync://rsync.example.net/repo/");
	assert_string_equal(config.listen, "127.0.0.1:8443");
	assert_int_equal(config.batch_window_s, 0);
}

static void
init__lays_all_that_a_server_needs(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) warnings = BYTES_INIT;
	struct init_request request = right(state);
	struct fault fault = FAULT_INIT;
	request.rrdp_uri = "https://rrdp.example.net:8443/rrdp/";
	request.batch_window_s = 0;
	mode_t before = umask(077);
	enum fault_code code = init_run(&request, &warnings, &fault);
	(void)umask(before);
	if (code != FAULT_NONE)
		fail_msg("%s", fault.message);
	assert_non_null(strstr(bytes_text(&warnings), "--rrdp-uri names a port"));
	assert_null(strstr(bytes_text(&warnings), "--rsync-uri"));
	assert_modes(request.data);
	assert_tal(request.data);
	assert_rsyncd(request.data);
	assert_settings(request.data);
	AUTO_CLEAR(struct bytes, bytes_clear) token = read_file(request.data, "admin.token");
	assert_true(token.length > 40 && token.data[token.length - 1] == '\n');
	AUTO_CLEAR(struct certificate, certificate_clear) anchor = read_certificate(request.data, "ta/ta.cer");
	AUTO_CLEAR(struct resource_set, resource_set_clear) all = RESOURCE_SET_INIT;
	assert_int_equal(resource_set_all(&all, NULL), FAULT_NONE);
	assert_true(resource_set_equal(&anchor.resources, &all));
	/* A second time it is a directory that holds something. */
	must_fail(&request, FAULT_CONFLICT);
	AUTO_CLEAR(struct bytes, bytes_clear) still = read_file(request.data, "admin.token");
	assert_true(span_equal(bytes_span(&token), bytes_span(&still)));
}

/* One registry on a key of OpenSSL's making, then a second that goes on with the first one's key and certificate. */
static void
init__continues_a_trust_anchor(void **state)
{
	struct init_request first = right(state), second = right(state);
	char second_data[PATH_SIZE], certificate_path[PATH_SIZE];
	openssl(state, "genrsa -out key.pem 2048");
	openssl(state, "pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der");
	openssl(state, "genrsa -out other.pem 2048");
	first.ta_key = scratch_path(state, "key.pem");
	first.ta_resources = "AS64496-AS64511, 192.0.2.0/24, 2001:db8::/32";
	must_run(&first);
	AUTO_CLEAR(struct certificate, certificate_clear) old = read_certificate(first.data, "ta/ta.cer");
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
	assert_int_equal(resource_list_parse(first.ta_resources, &resources, NULL), FAULT_NONE);
	assert_true(resource_set_equal(&old.resources, &resources));

	second.data = join(second_data, *state, "second");
	second.ta_certificate = join(certificate_path, first.data, "ta/ta.cer");
	must_fail(&second, FAULT_USAGE);
	second.ta_key = scratch_path(state, "other.pem");
	must_fail(&second, FAULT_INVALID);
	assert_int_not_equal(access(second.data, F_OK), 0);
	second.ta_certificate = second.ta_key;
	must_fail(&second, FAULT_MALFORMED);

	second.ta_key = scratch_path(state, "key.der");
	second.ta_certificate = certificate_path;
	must_run(&second);
	AUTO_CLEAR(struct certificate, certificate_clear) new = read_certificate(second.data, "ta/ta.cer");
	assert_true(span_equal(bytes_span(&new.spki), bytes_span(&old.spki)));
	assert_true(resource_set_equal(&new.resources, &old.resources));
	assert_true(new.not_before_at > old.not_before_at);
	AUTO_CLEAR(struct bytes, bytes_clear) old_tal = read_file(first.data, "ta/ta.tal");
	AUTO_CLEAR(struct bytes, bytes_clear) new_tal = read_file(second.data, "ta/ta.tal");
	assert_true(span_equal(bytes_span(&old_tal), bytes_span(&new_tal)));
}

/* A self-signed certificate that is none of the RPKI's, and one that its own key never signed. */
static void
init__refuses_certificates_of_no_trust_anchor(void **state)
{
	struct init_request request = right(state);
	openssl(state, "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out other.pem -subj /CN=other -days 2");
	request.ta_key = scratch_path(state, "key.pem");
	request.ta_certificate = scratch_path(state, "other.pem");
	must_fail(&request, FAULT_MALFORMED);
	request.ta_certificate = scratch_path(state, "missing.pem");
	must_fail(&request, FAULT_NOT_FOUND);
	assert_int_not_equal(access(request.data, F_OK), 0);
}

/* The public half of a key on another machine: an instance whose trust anchor waits for its first ceremony. */
static void
init__leaves_the_trust_anchor_to_another_machine(void **state)
{
	AUTO(struct secret, secret_free) passphrase = NULL;
	struct init_request request = right(state);
	assert_int_equal(secret_new(PASSPHRASE_MIN, &passphrase, NULL), FAULT_NONE);
	struct offline_anchor_request anchor = {
		.path = scratch_path(state, "anchor"), .passphrase = passphrase, .cost = PASSPHRASE_COST_MIN, .source = rsa_key_source(),
	};
	assert_int_equal(offline_anchor_create(&anchor, NULL), FAULT_NONE);
	request.ta_public = scratch_path(state, "missing");
	must_fail(&request, FAULT_NOT_FOUND);
	request.ta_public = scratch_path(state, "anchor/ledger");
	must_fail(&request, FAULT_MALFORMED);
	assert_int_not_equal(access(request.data, F_OK), 0);
	request.ta_public = scratch_path(state, "anchor/ta.public");
	must_run(&request);
	AUTO_CLEAR(struct bytes, bytes_clear) public_file = read_file(scratch_path(state, "anchor"), "ta.public");
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) expected = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) tal = read_file(request.data, "ta/ta.tal");
	assert_int_equal(offline_anchor_public_parse(bytes_span(&public_file), &spki, NULL), FAULT_NONE);
	assert_int_equal(tal_print("https://rrdp.example.net/ta/ta.cer", "rsync://rsync.example.net/repo/ta/ta.cer", bytes_span(&spki),
		&expected, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&tal), bytes_span(&expected)));
	char certificate[PATH_SIZE];
	assert_int_not_equal(access(join(certificate, request.data, "ta/ta.cer"), F_OK), 0);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		CASE(init__refuses_wrong_requests),
		CASE(init__refuses_a_directory_that_holds_anything),
		CASE(init__refuses_what_is_no_directory),
		CASE(init__cleans_up_after_a_failure),
		CASE(init__refuses_keys_that_no_trust_anchor_may_have),
		CASE(init__refuses_certificates_of_no_trust_anchor),
		CASE(init__lays_all_that_a_server_needs),
		CASE(init__continues_a_trust_anchor),
		CASE(init__leaves_the_trust_anchor_to_another_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
