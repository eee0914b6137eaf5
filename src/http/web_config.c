/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web_config.h"

#include "hostmeter/base/array.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* One reading. */
struct reader {
	struct web_config *config;
	const char *path;
	yaml_document_t document;
	int key_line; /* of the key that is taken */
	struct web_config_fault *fault;
};

/* A key of a mapping. take NULL: a key of other exporters that is not supported here. */
struct key {
	const char *name;
	int (*take)(struct reader *r, const struct key *key, const yaml_node_t *value);
	size_t field;             /* offset in struct web_config of what take() fills in */
	const char *const *words; /* for take_word() */
};

static int line_of(const yaml_node_t *node)
{
	return (int)node->start_mark.line + 1;
}

int web_config_refuse(struct web_config_fault *fault, int line, const char *format, ...)
{
	va_list args;

	fault->line = line;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	return -EINVAL;
}

#define refuse(r, ...) web_config_refuse((r)->fault, __VA_ARGS__)

/* --- YAML */

static bool is_null(const yaml_node_t *scalar)
{
	const char *text = (const char *)scalar->data.scalar.value;

	return !*text ||
		(scalar->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
			(!strcmp(text, "~") || !strcasecmp(text, "null")));
}

/* A scalar's text, or NULL after a complaint. what: the key it belongs to. */
static const char *text_of(struct reader *r, const char *what, const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE)
		refuse(r, line_of(node), "%s: a text is expected here", what);
	else if (strcmp((const char *)node->tag, YAML_STR_TAG) != 0)
		refuse(r, line_of(node), "%s: the tag \"%.40s\" is not supported", what, (const char *)node->tag);
	else if (is_null(node))
		refuse(r, line_of(node), "%s has no value", what);
	else if (strlen(text) != node->data.scalar.length)
		refuse(r, line_of(node), "%s has a NUL in it", what);
	else
		return text;
	return NULL;
}

/* Visits each pair of a mapping; no name is there twice. where: the mapping's key, NULL for the file itself. */
static int each_pair(struct reader *r, const char *where, const yaml_node_t *map,
	int (*visit)(struct reader *r, const char *name, int line, const yaml_node_t *value, const void *arg),
	const void *arg)
{
	const yaml_node_pair_t *first = map->data.mapping.pairs.start, *top = map->data.mapping.pairs.top;

	if (map->type != YAML_MAPPING_NODE)
		return refuse(r, line_of(map), "%s%skeys with values are expected here", where ? where : "",
			where ? ": " : "");
	if (first == top && where)
		return refuse(r, line_of(map), "%s is empty", where);
	for (const yaml_node_pair_t *pair = first; pair < top; pair++) {
		const yaml_node_t *node = yaml_document_get_node(&r->document, pair->key);
		const char *name = text_of(r, where ? where : "a key", node);

		if (!name)
			return -EINVAL;
		for (const yaml_node_pair_t *other = first; other < pair; other++) {
			const yaml_node_t *before = yaml_document_get_node(&r->document, other->key);

			if (!strcmp((const char *)before->data.scalar.value, name))
				return refuse(r, line_of(node), "\"%.80s\" is given twice", name);
		}
		if (visit(r, name, line_of(node), yaml_document_get_node(&r->document, pair->value), arg))
			return -EINVAL;
	}
	return 0;
}

static int visit_key(struct reader *r, const char *name, int line, const yaml_node_t *value, const void *table)
{
	for (const struct key *key = table; key->name; key++) {
		if (strcmp(key->name, name) != 0)
			continue;
		r->key_line = line;
		return key->take ? key->take(r, key, value) : refuse(r, line, "%s is not supported by hostmeter", name);
	}
	return refuse(r, line, "unknown key \"%.80s\"", name);
}

static void *field_of(const struct reader *r, const struct key *key)
{
	return (char *)r->config + key->field;
}

/* --- tls_server_config */

static int take_path(struct reader *r, const struct key *key, const yaml_node_t *value)
{
	struct web_config_text *field = field_of(r, key);
	const char *text = text_of(r, key->name, value), *slash = strrchr(r->path, '/');
	int len = slash ? (int)(slash + 1 - r->path) : 0;

	if (!text)
		return -EINVAL;
	if (asprintf(&field->text, "%.*s%s", *text == '/' ? 0 : len, r->path, text) < 0) {
		field->text = NULL;
		return refuse(r, 0, "out of memory");
	}
	field->line = line_of(value);
	field->key = key->name;
	return 0;
}

static const char *const clients[] = { "NoClientCert", "RequestClientCert", "RequireAnyClientCert",
	"VerifyClientCertIfGiven", "RequireAndVerifyClientCert", NULL };
static const char *const versions[] = { "TLS10", "TLS11", "TLS12", "TLS13", NULL };

/* Stores the index of a word, as enum web_config_client, or a version as 10 to 13. */
static int take_word(struct reader *r, const struct key *key, const yaml_node_t *value)
{
	const char *text = text_of(r, key->name, value);
	bool is_version = key->words == versions;
	int i = 0;

	if (!text)
		return -EINVAL;
	while (key->words[i] && strcmp(key->words[i], text) != 0)
		i++;
	if (!key->words[i])
		return refuse(r, line_of(value), "%s: \"%.80s\" is none that is known", key->name, text);
	if (is_version && i < 2)
		return refuse(r, line_of(value), "%s: %s is broken and not supported: TLS12 or TLS13", key->name, text);
	*(int *)field_of(r, key) = is_version ? 10 + i : i;
	return 0;
}

#define FIELD(name) offsetof(struct web_config, name)

static int check_tls(struct reader *r)
{
	const struct web_config *config = r->config;
	bool verifies = web_config_verifies(config->client);

	if (!config->cert_file.text || !config->key_file.text)
		return refuse(r, config->tls_line, "tls_server_config needs %s",
			config->cert_file.text ? "key_file" : "cert_file");
	if (verifies && !config->client_ca_file.text)
		return refuse(r, config->tls_line, "this client_auth_type needs client_ca_file");
	if (config->client_ca_file.text && !verifies)
		return refuse(r, config->client_ca_file.line,
			"client_ca_file is for a client_auth_type that verifies: "
			"VerifyClientCertIfGiven or RequireAndVerifyClientCert");
	if (config->min_version == 13 && config->max_version == 12)
		return refuse(r, config->tls_line, "min_version is above max_version");
	return 0;
}

static int take_tls(struct reader *r, const struct key *key, const yaml_node_t *value)
{
	static const struct key keys[] = {
		{ "cert_file", take_path, FIELD(cert_file), NULL },
		{ "key_file", take_path, FIELD(key_file), NULL },
		{ "client_ca_file", take_path, FIELD(client_ca_file), NULL },
		{ "client_auth_type", take_word, FIELD(client), clients },
		{ "min_version", take_word, FIELD(min_version), versions },
		{ "max_version", take_word, FIELD(max_version), versions },
		{ .name = "cert" },
		{ .name = "key" },
		{ .name = "client_ca" },
		{ .name = "client_allowed_sans" },
		{ .name = "cipher_suites" },
		{ .name = "curve_preferences" },
		{ .name = "prefer_server_cipher_suites" },
		{ .name = NULL },
	};

	r->config->tls_line = r->key_line;
	return each_pair(r, key->name, value, visit_key, keys) ? -EINVAL : check_tls(r);
}

/* --- basic_auth_users */

/* What is wrong with a bcrypt hash as crypt(5) has it, NULL if nothing. */
static const char *fault_of_hash(const char *hash)
{
	static const char letters[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	int cost;

	if (strlen(hash) != WEB_CONFIG_HASH || strncmp(hash, "$2", 2) != 0 || !strchr("aby", hash[2]) ||
		hash[3] != '$' || !isdigit((unsigned char)hash[4]) || !isdigit((unsigned char)hash[5]) ||
		hash[6] != '$' || strspn(hash + 7, letters) != WEB_CONFIG_HASH - 7)
		return "is no bcrypt hash ($2y$10$...): make one with htpasswd -nB";
	cost = (hash[4] - '0') * 10 + hash[5] - '0';
	if (cost < 4)
		return "has a bcrypt cost below 4";
	return cost > WEB_CONFIG_COST ? "has a bcrypt cost above 16, which would take too long" : NULL;
}

static const char *fault_of_name(const char *name)
{
	if (strlen(name) > WEB_CONFIG_NAME)
		return "is longer than 255 bytes";
	for (const char *c = name; *c; c++) {
		if (*c == ':' || iscntrl((unsigned char)*c))
			return "has a colon or a control character in it, which no client can send";
	}
	return NULL;
}

static int visit_user(struct reader *r, const char *name, int line, const yaml_node_t *value, const void *arg)
{
	struct web_config *config = r->config;
	const char *fault = fault_of_name(name), *hash;
	struct web_config_user *grown, *user;

	(void)arg;
	if (fault)
		return refuse(r, line, "user \"%.80s\" %s", name, fault);
	if (config->users == WEB_CONFIG_USERS)
		return refuse(r, line, "more than %d users", WEB_CONFIG_USERS);
	hash = text_of(r, "the user's hash", value);
	if (!hash)
		return -EINVAL;
	fault = fault_of_hash(hash);
	if (fault)
		return refuse(r, line_of(value), "the password of user \"%.80s\" %s", name, fault);
	grown = array_grow(config->user, config->users, sizeof(*grown));
	if (!grown)
		return refuse(r, 0, "out of memory");
	config->user = grown;
	/* Counted even if a copy fails, so that web_config_clear() frees the other. */
	user = &grown[config->users++];
	*user = (struct web_config_user){ strdup(name), strdup(hash) };
	return user->name && user->hash ? 0 : refuse(r, 0, "out of memory");
}

static int take_users(struct reader *r, const struct key *key, const yaml_node_t *value)
{
	return each_pair(r, key->name, value, visit_user, NULL);
}

/* --- The file */

static int refuse_yaml(struct reader *r, const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "out of memory";
	bool has_place = parser->error == YAML_SCANNER_ERROR || parser->error == YAML_PARSER_ERROR ||
		parser->error == YAML_COMPOSER_ERROR;

	return refuse(r, has_place ? (int)parser->problem_mark.line + 1 : 0, "is not YAML: %s", problem);
}

/* The first document is the configuration, and has to be the only one. */
static int take_documents(struct reader *r, yaml_parser_t *parser)
{
	static const struct key keys[] = {
		{ "tls_server_config", take_tls, 0, NULL },
		{ "basic_auth_users", take_users, 0, NULL },
		{ .name = "http_server_config" },
		{ .name = "rate_limit" },
		{ .name = NULL },
	};

	for (bool first = true; !parser->stream_end_produced; first = false) {
		const yaml_node_t *root;
		int error = 0;

		if (!yaml_parser_load(parser, &r->document))
			return refuse_yaml(r, parser);
		root = yaml_document_get_root_node(&r->document);
		if (root)
			error = first ? each_pair(r, NULL, root, visit_key, keys) :
					refuse(r, line_of(root), "a second document begins here");
		yaml_document_delete(&r->document);
		if (error)
			return error;
	}
	return 0;
}

int web_config_parse(struct web_config *config, const char *path, const char *text, size_t len,
	struct web_config_fault *fault)
{
	struct reader r = { .config = config, .path = path, .fault = fault };
	yaml_parser_t parser;
	int error;

	*config = (struct web_config){ 0 };
	if (len > WEB_CONFIG_BYTES)
		return refuse(&r, 0, "is larger than 64 KiB");
	if (!yaml_parser_initialize(&parser))
		return refuse(&r, 0, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	error = take_documents(&r, &parser);
	yaml_parser_delete(&parser);
	if (error)
		web_config_clear(config);
	return error;
}

void web_config_free_users(struct web_config_user *user, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(user[i].name);
		free(user[i].hash);
	}
	free(user);
}

void web_config_clear(struct web_config *config)
{
	web_config_free_users(config->user, config->users);
	free(config->cert_file.text);
	free(config->key_file.text);
	free(config->client_ca_file.text);
	*config = (struct web_config){ 0 };
}
