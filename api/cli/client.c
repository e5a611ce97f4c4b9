#include "api/cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/cli/init_uri.h"
#include "api/server/config.h"
#include "ca/base/atomic_file.h"
#include "ca/base/bytes.h"
#include "ca/base/memory.h"

#define TOKEN_FILE_LIMIT 4096
#define CONNECT_TIMEOUT_S 10L

struct client {
	CURL *curl;
	char *server;                    /* https://host:port, no slash at its end */
	char *ca_cert;                   /* file; NULL: the system's */
	struct curl_slist *connect_to;   /* where the name in server really is; NULL: ask the resolver */
	char *authorization;             /* header line; NULL: no token */
	struct bytes answer;
	bool too_large;
	json_t *problem;
	char error[CURL_ERROR_SIZE];
};

void
client_free(struct client *client)
{
	if (client == NULL)
		return;
	curl_easy_cleanup(client->curl);
	curl_slist_free_all(client->connect_to);
	free(client->server);
	free(client->ca_cert);
	if (client->authorization != NULL)
		explicit_bzero(client->authorization, strlen(client->authorization));
	free(client->authorization);
	bytes_clear(&client->answer);
	json_decref(client->problem);
	free(client);
}

const json_t *
client_problem(const struct client *client)
{
	return client->problem;
}

/* ---- which server ---- */

static enum fault_code
set_token(struct client *client, const char *token, struct fault *fault)
{
	size_t length = strcspn(token, " \t\r\n");
	return memory_printf(&client->authorization, fault, "Authorization: Bearer %.*s", (int)length, token);
}

static enum fault_code
read_token(struct client *client, const char *file, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	TRY(atomic_file_read(AT_FDCWD, file, TOKEN_FILE_LIMIT, &text, fault));
	return set_token(client, bytes_text(&text), fault);
}

/* The listener's address is connected to, under the name that its certificate has. */
static enum fault_code
set_server_of_config(struct client *client, const struct config *config, struct fault *fault)
{
	AUTO(char, free) connect_to = NULL;
	char listen_host[INIT_HOST_SIZE], name[INIT_HOST_SIZE];
	const char *port = strrchr(config->listen, ':');
	init_uri_listen_host(config->listen, listen_host);
	init_uri_host(config->rrdp_uri, name);
	const char *host = listen_host[0] != '\0' ? listen_host : "127.0.0.1";
	bool six = strchr(host, ':') != NULL, name_six = strchr(name, ':') != NULL;
	TRY(memory_printf(&client->server, fault, name_six ? "https://[%s]%s" : "https://%s%s", name, port));
	TRY(memory_printf(&connect_to, fault, six ? "::[%s]:" : "::%s:", host));
	client->connect_to = curl_slist_append(NULL, connect_to);
	return client->connect_to != NULL ? FAULT_NONE : fault_set(fault, FAULT_MEMORY, "out of memory");
}

static enum fault_code
open_data(struct client *client, const char *data, struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	AUTO(char, free) path = NULL;
	AUTO(char, free) token = NULL;
	TRY(memory_printf(&path, fault, "%s/%s", data, CONFIG_FILE));
	TRY(config_load(path, &config, fault));
	TRY(set_server_of_config(client, &config, fault));
	TRY(memory_printf(&client->ca_cert, fault, "%s%s%s", config.tls_certificate[0] == '/' ? "" : data,
		config.tls_certificate[0] == '/' ? "" : "/", config.tls_certificate));
	TRY(memory_printf(&token, fault, "%s/admin.token", data));
	return client->authorization != NULL ? FAULT_NONE : read_token(client, token, fault);
}

static const char *
option_or_environment(const char *option, const char *variable)
{
	return option != NULL ? option : getenv(variable);
}

static enum fault_code
choose(struct client *client, const struct arguments *arguments, struct fault *fault)
{
	const char *data = option_or_environment(arguments->common[COMMON_DATA], "CADASTRE_DATA");
	const char *server = option_or_environment(arguments->common[COMMON_SERVER], "CADASTRE_SERVER");
	const char *ca_cert = option_or_environment(arguments->common[COMMON_CA_CERT], "CADASTRE_CA_CERT");
	const char *token = getenv("CADASTRE_TOKEN");
	if (arguments->common[COMMON_TOKEN_FILE] != NULL)
		TRY(read_token(client, arguments->common[COMMON_TOKEN_FILE], fault));
	else if (token != NULL)
		TRY(set_token(client, token, fault));
	if (server == NULL && data != NULL)
		return open_data(client, data, fault);
	if (server == NULL)
		return fault_set(fault, FAULT_USAGE, "which server? Give --data DIR, or --server URL with --token-file FILE");
	if (ca_cert != NULL)
		TRY(memory_copy_string(ca_cert, &client->ca_cert, fault));
	TRY(memory_copy_string(server, &client->server, fault));
	for (size_t length = strlen(client->server); length > 0 && client->server[length - 1] == '/'; length--)
		client->server[length - 1] = '\0';
	return FAULT_NONE;
}

enum fault_code
client_open(const struct arguments *arguments, struct client **ret_client, struct fault *fault)
{
	AUTO(struct client, client_free) client = NULL;
	TRY(memory_new(1, sizeof *client, &client, fault));
	TRY(choose(client, arguments, fault));
	client->curl = curl_easy_init();
	if (client->curl == NULL)
		return fault_set(fault, FAULT_MEMORY, "libcurl could not be started");
	*ret_client = MOVE(client);
	return FAULT_NONE;
}

enum fault_code
client_escape(struct client *client, const char *text, char **ret_escaped, struct fault *fault)
{
	char *escaped = curl_easy_escape(client->curl, text, 0);
	if (escaped == NULL)
		return fault_set(fault, FAULT_MEMORY, "out of memory");
	enum fault_code code = memory_copy_string(escaped, ret_escaped, fault);
	curl_free(escaped);
	return code;
}

/* ---- one call ---- */

static size_t
take_answer(char *data, size_t size, size_t count, void *argument)
{
	struct client *client = argument;
	client->too_large = client->answer.length + size * count > CLIENT_ANSWER_MAX;
	if (client->too_large || bytes_append(&client->answer, data, size * count, NULL) != FAULT_NONE)
		return 0;
	return size * count;
}

static enum fault_code
fault_of_type(const char *type)
{
	const char *slug = strrchr(type, ':');
	slug = slug != NULL ? slug + 1 : type;
	for (int code = FAULT_NONE + 1; code < FAULT_CODES; code++)
		if (strcmp(fault_type((enum fault_code)code), slug) == 0)
			return (enum fault_code)code;
	return FAULT_IO;
}

static enum fault_code
refusal(struct client *client, long status, struct fault *fault)
{
	client->problem = json_loadb((const char *)client->answer.data, client->answer.length, 0, NULL);
	const char *type = json_string_value(json_object_get(client->problem, "type"));
	const char *detail = json_string_value(json_object_get(client->problem, "detail"));
	if (type == NULL)
		return fault_set(fault, FAULT_NETWORK, "the server answered %ld without saying why: is it Cadastre?", status);
	return fault_set(fault, fault_of_type(type), "%s", detail != NULL ? detail : "refused");
}

static enum fault_code
perform(struct client *client, const char *url, struct curl_slist *headers, json_t **ret_answer, struct fault *fault)
{
	long status = 0;
	bytes_reset(&client->answer);
	json_decref(client->problem);
	client->problem = NULL;
	client->error[0] = '\0';
	curl_easy_setopt(client->curl, CURLOPT_URL, url);
	curl_easy_setopt(client->curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, client);
	curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, client->error);
	curl_easy_setopt(client->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(client->curl, CURLOPT_CAINFO, client->ca_cert);
	/* Who names a certificate trusts no other: the system's, some hundred files, would be read beside it at each connection. */
	if (client->ca_cert != NULL)
		curl_easy_setopt(client->curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(client->curl, CURLOPT_CONNECT_TO, client->connect_to);
	CURLcode code = curl_easy_perform(client->curl);
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (client->too_large)
		return fault_set(fault, FAULT_TOO_LARGE, "the answer is larger than %d MiB", CLIENT_ANSWER_MAX >> 20);
	if (code != CURLE_OK)
		return fault_set(fault, FAULT_NETWORK, "%s: %s", client->server,
			client->error[0] != '\0' ? client->error : curl_easy_strerror(code));
	if (status >= 400)
		return refusal(client, status, fault);
	if (client->answer.length == 0)
		return FAULT_NONE;
	json_error_t where;
	json_t *answer = json_loadb((const char *)client->answer.data, client->answer.length, JSON_DECODE_ANY, &where);
	if (answer == NULL)
		return fault_set(fault, FAULT_NETWORK, "the server's answer is not JSON: %s", where.text);
	*ret_answer = answer;
	return FAULT_NONE;
}

static enum fault_code
add_header(struct curl_slist **headers, const char *line, struct fault *fault)
{
	struct curl_slist *longer = line != NULL ? curl_slist_append(*headers, line) : *headers;
	if (line != NULL && longer == NULL)
		return fault_set(fault, FAULT_MEMORY, "out of memory");
	*headers = longer;
	return FAULT_NONE;
}

SCOPED(struct curl_slist, curl_slist_free_all)

enum fault_code
client_call(struct client *client, const char *method, const char *path, const json_t *body, json_t **ret_answer, struct fault *fault)
{
	AUTO(struct curl_slist, curl_slist_free_all) headers = NULL;
	AUTO(char, free) url = NULL;
	AUTO(char, free) text = NULL;
	*ret_answer = NULL;
	TRY(memory_printf(&url, fault, "%s%s", client->server, path));
	TRY(add_header(&headers, client->authorization, fault));
	curl_easy_reset(client->curl);
	curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, method);
	if (body != NULL) {
		text = json_dumps(body, JSON_COMPACT);
		if (text == NULL)
			return fault_set(fault, FAULT_MEMORY, "out of memory");
		TRY(add_header(&headers, "Content-Type: application/json", fault));
		curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, text);
	}
	return perform(client, url, headers, ret_answer, fault);
}

struct upload {
	void (*progress)(void *argument, int64_t sent, int64_t total);
	void *argument;
};

static int
told(void *argument, curl_off_t unused_total, curl_off_t unused_now, curl_off_t total, curl_off_t sent)
{
	const struct upload *upload = argument;
	(void)unused_total;
	(void)unused_now;
	if (upload->progress != NULL && total > 0)
		upload->progress(upload->argument, sent, total);
	return 0;
}

static void
close_file(FILE **file)
{
	if (*file != NULL)
		(void)fclose(*file);
}

enum fault_code
client_upload(struct client *client, const char *path, const char *file, void (*progress)(void *argument, int64_t sent, int64_t total),
	void *argument, json_t **ret_answer, struct fault *fault)
{
	AUTO(struct curl_slist, curl_slist_free_all) headers = NULL;
	AUTO(char, free) url = NULL;
	AUTO_CLEAR(FILE *, close_file) stream = fopen(file, "rbe");
	struct upload upload = { .progress = progress, .argument = argument };
	struct stat status;
	*ret_answer = NULL;
	if (stream == NULL || fstat(fileno(stream), &status) != 0)
		return errno == ENOENT ? fault_set(fault, FAULT_NOT_FOUND, "there is no file %s", file) :
			fault_set_errno(fault, errno, "opening %s", file);
	TRY(memory_printf(&url, fault, "%s%s", client->server, path));
	TRY(add_header(&headers, client->authorization, fault));
	TRY(add_header(&headers, "Content-Type: application/octet-stream", fault));
	curl_easy_reset(client->curl);
	curl_easy_setopt(client->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, "POST");
	curl_easy_setopt(client->curl, CURLOPT_READDATA, stream);
	curl_easy_setopt(client->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)status.st_size);
	curl_easy_setopt(client->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(client->curl, CURLOPT_XFERINFOFUNCTION, told);
	curl_easy_setopt(client->curl, CURLOPT_XFERINFODATA, &upload);
	return perform(client, url, headers, ret_answer, fault);
}
