/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libconfuse 3.3 counts two lines for a comment, takes none inside a list, takes the end of the file for a missing
 * brace or quote, and puts the environment into "${…}". So comments become spaces here, and the rest is refused.
 */
#include "hostmeter/base/addr.h"
#include "hostmeter/base/array.h"
#include "hostmeter/base/buf.h"
#include "hostmeter/base/file_error.h"
#include "hostmeter/base/utf8.h"
#include "hostmeter/config/config.h"
#include "hostmeter/os/file.h"
#include "options.h"
#include "values.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_BYTES = 1 << 20, NAME_BYTES = 63, KEYS = 64 };

/* State of the reading. libconfuse gives no context to its callbacks, and its lexer is global too: one at a time. */
static struct reading {
	struct config *config;
	struct config scratch;  /* takes the values that the command line has decided already */
	uint64_t decided, seen; /* options_bit(): given on the command line, found in the file */
	struct config_origin origin;
	cfg_t *root;
	bool failed; /* one line has been written: no second one */
} reading;

/* ---- Hosts */

/* What is wrong with a host's name, NULL if nothing. */
static const char *fault_of(const char *name)
{
	if (!*name)
		return "the name is empty";
	if (!strcmp(name, "router") || !strcmp(name, "unknown") || !strcmp(name, "other"))
		return "the name is reserved";
	if (strlen(name) > NAME_BYTES)
		return "the name is longer than 63 bytes";
	for (size_t len; *name; name += len) {
		uint32_t code;

		len = utf8_char(name, strlen(name), &code);
		if (!len || !utf8_is_visible(code))
			return "the name has control characters or is not UTF-8";
	}
	return NULL;
}

/* Gives the host a MAC address or an IP address that no other host has. */
static int add_address(struct config *config, struct config_host *host, bool is_mac, const char *text,
	const struct config_origin *origin)
{
	const char *kind = is_mac ? "MAC address" : "address";
	struct mac mac = { 0 };
	struct addr addr = { 0 };
	void *grown;

	if (is_mac ? mac_parse(&mac, text) : addr_parse(&addr, text))
		return config_error(origin, "bad %s \"%s\"", kind, text);
	if (is_mac ? !mac_is_host(&mac) :
		     addr_is_unspecified(&addr) || addr_is_multicast(&addr) || addr_is_loopback(&addr))
		return config_error(origin, "%s \"%s\" cannot be a host's", kind, text);
	for (struct config_host *other = config->host; other < config->host + config->hosts; other++)
		for (size_t i = 0; i < (is_mac ? other->macs : other->addresses); i++)
			if (is_mac ? mac_equal(&other->mac[i], &mac) : addr_equal(&other->address[i], &addr))
				return config_error(origin, "%s \"%s\" is already given to host \"%s\"", kind, text,
					other->name);
	grown = is_mac ? array_grow(host->mac, host->macs, sizeof(mac)) :
			 array_grow(host->address, host->addresses, sizeof(addr));
	if (!grown)
		return config_error(origin, "out of memory");
	if (is_mac) {
		host->mac = grown;
		host->mac[host->macs++] = mac;
	} else {
		host->address = grown;
		host->address[host->addresses++] = addr;
	}
	return 0;
}

/* ---- Interfaces */

static int add_alias(struct config *config, const char *interface, const char *name, const struct config_origin *origin)
{
	struct config_interface *grown;

	if (!value_is_interface(interface) || !value_is_interface(name))
		return config_error(origin, "\"%s\" is not an interface name",
			value_is_interface(interface) ? name : interface);
	for (size_t i = 0; i < config->interfaces; i++) {
		if (!strcmp(config->interface[i].interface, interface))
			return config_error(origin, "has two names");
		if (!strcmp(config->interface[i].name, name))
			return config_error(origin, "name \"%s\" is already given to interface \"%s\"", name,
				config->interface[i].interface);
	}
	grown = array_grow(config->interface, config->interfaces, sizeof(*grown));
	if (!grown)
		return config_error(origin, "out of memory");
	config->interface = grown;
	/* Counted first, so that config_free() finds whichever of the two there is. */
	grown += config->interfaces++;
	*grown = (struct config_interface){ strdup(interface), strdup(name) };
	return grown->interface && grown->name ? 0 : config_error(origin, "out of memory");
}

/* ---- What libconfuse calls */

/* The origin of what is read now: a key, or a section with its name; what "": nothing particular. */
static const struct config_origin *origin_at(int line, const char *what, const char *name)
{
	const char *quote = name ? "\"" : "";

	reading.origin.line = line;
	snprintf(reading.origin.what, sizeof(reading.origin.what), "%s%s%s%.64s%s", what, name ? " " : "", quote,
		name ? name : "", quote);
	return &reading.origin;
}

/* Remembers that a line was written. A result that is not 0 makes libconfuse stop. */
static int verdict(int ret)
{
	if (ret)
		reading.failed = true;
	return ret;
}

static int on_key(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	const struct config_origin *origin = origin_at(cfg->line, opt->name, NULL);
	uint64_t bit = options_bit(opt->name);

	*(const char **)result = value;
	/* A list's further values come with nvalues above 1, a second assignment begins again with 1. */
	if (reading.seen & bit && opt->nvalues == 1)
		return verdict(config_error(origin, "given twice"));
	reading.seen |= bit;
	return verdict(options_set(reading.decided & bit ? &reading.scratch : reading.config, opt->name, value,
		origin));
}

/* The host of a section, begun if need be. NULL: refused. */
static struct config_host *host_of(const char *name, int line)
{
	struct config *config = reading.config;
	const char *fault = fault_of(name);
	struct config_host *grown;

	for (size_t i = 0; i < config->hosts; i++)
		if (!strcmp(config->host[i].name, name))
			return &config->host[i];
	grown = fault ? NULL : array_grow(config->host, config->hosts, sizeof(*grown));
	if (grown) {
		config->host = grown;
		grown[config->hosts] = (struct config_host){ .name = strdup(name) };
		if (grown[config->hosts].name)
			return &grown[config->hosts++];
	}
	config_error(origin_at(line, "host", name), "%s", fault ? fault : "out of memory");
	return NULL;
}

static int on_host_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	*(const char **)result = value;
	/* libconfuse takes "host|mac = …" outside of a section for the first host's. */
	if (!cfg->title)
		return verdict(config_error(origin_at(cfg->line, opt->name, NULL), "belongs into a host section"));

	/* While a section is read the root's line stays where the section began. */
	struct config_host *host = host_of(cfg->title, reading.root->line);

	if (!host)
		return verdict(-EINVAL);

	return verdict(add_address(reading.config, host, !strcmp(opt->name, "mac"), value,
		origin_at(cfg->line, "host", cfg->title)));
}

static int on_host_end(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *name = cfg_title(cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1));
	const struct config_host *host = host_of(name, cfg->line);

	if (!host)
		return verdict(-EINVAL);
	if (!host->macs && !host->addresses)
		return verdict(config_error(origin_at(cfg->line, "host", name), "has no mac and no address"));
	return 0;
}

static int on_interface_name(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	*(const char **)result = value;
	if (!cfg->title)
		return verdict(config_error(origin_at(cfg->line, opt->name, NULL),
			"belongs into an interface section"));
	return verdict(add_alias(reading.config, cfg->title, value, origin_at(cfg->line, "interface", cfg->title)));
}

static int on_interface_end(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *interface = cfg_title(cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1));

	for (size_t i = 0; i < reading.config->interfaces; i++)
		if (!strcmp(reading.config->interface[i].interface, interface))
			return 0;
	return verdict(config_error(origin_at(cfg->line, "interface", interface), "has no name"));
}

/* libconfuse's complaints in our words. Each has at most one argument, a string. */
static const struct {
	const char *format, *before, *after;
} complaints[] = {
	{ "no such option '%s'", "unknown key \"", "\"" },
	{ "unexpected token '%s'", "unexpected \"", "\"" },
	{ "missing equal sign after option '%s'", "\"=\" is missing after \"", "\"" },
	{ "attempt to append to non-list option '%s'", "\"+=\" is for lists, \"", "\" is none" },
	{ "missing title for section '%s'", "the name is missing after \"", "\"" },
	{ "missing opening brace for section '%s'", "\"{\" is missing after the name of a \"", "\"" },
	{ "no sub-section title/index for '%s'", "unknown key \"", "|\"" },
	{ "no sub-section '%s'", "unknown key \"|", "\"" },
	{ "found duplicate title '%s'", "host \"", "\" is given twice" },
	{ "invalid octal number '%s'", "bad escape \"", "\" in a string" },
	{ "bad escape sequence '%s'", "bad escape \"", "\" in a string" },
	{ "premature end of file", "the file ends where a value is expected", NULL },
};

static void on_error(cfg_t *cfg, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void on_error(cfg_t *cfg, const char *format, va_list args)
{
	const struct config_origin *origin = origin_at(cfg->line, "", NULL);
	char text[256];

	if (reading.failed)
		return;
	reading.failed = true;
	for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
		if (strcmp(complaints[i].format, format))
			continue;
		config_error(origin, "%s%.80s%s", complaints[i].before, complaints[i].after ? va_arg(args, char *) : "",
			complaints[i].after ? complaints[i].after : "");
		return;
	}
	vsnprintf(text, sizeof(text), format, args);
	config_error(origin, "%s", text);
}

/* ---- The text */

/* Past the comment that begins at p; NULL if it has no end. */
static char *comment_end(char *p)
{
	if (strncmp(p, "/*", 2))
		return p + strcspn(p, "\n");
	p = strstr(p + 2, "*/");
	return p ? p + 2 : NULL;
}

/* Past the string that begins at p; NULL if it has no end. */
static char *string_end(char *p)
{
	for (char quote = *p++; *p; p++) {
		if (*p == quote)
			return p + 1;
		if (*p == '\\' && p[1])
			p++;
	}
	return NULL;
}

/* Writes spaces over the comments of a terminated text; its lines stay. NULL, or what is wrong, and *at where. */
static const char *blank_comments(char *text, const char **at)
{
	const char *brace = NULL;
	bool in_word = false; /* where "//" is part of a path */
	int depth = 0;

	for (char *p = text, *end; *p; p = end) {
		bool comment = *p == '#' || !strncmp(p, "/*", 2) || (!in_word && !strncmp(p, "//", 2));
		bool string = *p == '"' || *p == '\'';

		end = comment ? comment_end(p) : string ? string_end(p) : p + 1;
		*at = p;
		if (!end)
			return comment ? "this comment has no end" : "this string has no end";
		if (!comment && memmem(p, (size_t)(end - p) + 1, "${", 2))
			return "\"${\" is not supported: the environment does not configure";
		if (*p == '{' && !depth++)
			brace = p;
		if (*p == '}' && depth)
			depth--;
		in_word = !comment && !string && !strchr(" \t\r\n={}()+,", *p);
		for (; comment && p < end; p++)
			if (*p != '\n')
				*p = ' ';
	}
	*at = brace;
	return depth ? "this \"{\" has no \"}\"" : NULL;
}

/* ---- The file */

static int clean(char *text)
{
	const char *at, *fault = blank_comments(text, &at);
	int line = 1;

	if (!fault)
		return 0;
	for (; text < at; text++)
		line += *text == '\n';
	return config_error(origin_at(line, "", NULL), "%s", fault);
}

/* libconfuse has no callback for an empty list, which replaces the default as well. */
static int note_empty_lists(void)
{
	const char *key;
	bool list;

	for (size_t row = 0; (key = options_next_key(&row, &list));) {
		const cfg_opt_t *opt = cfg_getopt(reading.root, key);

		if (!(opt->flags & CFGF_MODIFIED) || opt->nvalues)
			continue;
		if (reading.seen & options_bit(key))
			return config_error(origin_at(0, key, NULL), "given twice");
		reading.seen |= options_bit(key);
	}
	return 0;
}

static int parse_text(char *text)
{
	cfg_opt_t in_host[] = {
		CFG_STR_LIST_CB("mac", NULL, CFGF_NODEFAULT, on_host_value),
		CFG_STR_LIST_CB("address", NULL, CFGF_NODEFAULT, on_host_value),
		CFG_END(),
	};
	cfg_opt_t in_interface[] = {
		CFG_STR_CB("name", NULL, CFGF_NODEFAULT, on_interface_name),
		CFG_END(),
	};
	cfg_opt_t opts[KEYS + 3], *opt = opts;
	const char *key;
	bool list;

	for (size_t row = 0; (key = options_next_key(&row, &list));)
		if (list)
			*opt++ = (cfg_opt_t)CFG_STR_LIST_CB(key, NULL, CFGF_NODEFAULT, on_key);
		else
			*opt++ = (cfg_opt_t)CFG_STR_CB(key, NULL, CFGF_NODEFAULT, on_key);
	*opt++ = (cfg_opt_t)CFG_SEC("host", in_host, CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES);
	*opt++ = (cfg_opt_t)CFG_SEC("interface", in_interface, CFGF_TITLE | CFGF_MULTI);
	*opt = (cfg_opt_t)CFG_END();

	reading.root = cfg_init(opts, CFGF_NONE);
	if (!reading.root)
		return config_error(origin_at(0, "", NULL), "out of memory");
	cfg_set_error_function(reading.root, on_error);
	cfg_set_validate_func(reading.root, "host", on_host_end);
	cfg_set_validate_func(reading.root, "interface", on_interface_end);

	int ret = cfg_parse_buf(reading.root, text) == CFG_SUCCESS ? 0 : -EINVAL;

	if (ret && !reading.failed)
		config_error(origin_at(reading.root->line, "", NULL), "cannot be read");
	ret = ret ? ret : note_empty_lists();
	cfg_free(reading.root);
	return ret;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

int config_file_load(struct config *config, uint64_t *given, FILE *err)
{
	const char *path = config_path(config);
	struct buf text = BUF_INIT;
	int ret = file_read(path, FILE_BYTES, &text);

	reading = (struct reading){ .config = config, .decided = *given, .origin = { .err = err, .file = path } };
	if (ret == -ENOENT && !config->file)
		ret = 0;
	else if (ret)
		ret = config_error(&reading.origin, "%s",
			is_directory(path) ? strerror(EISDIR) : file_error_reading(ret));
	else if (text.len && memchr(text.data, '\0', text.len))
		ret = config_error(&reading.origin, "is not a text file");
	else {
		buf_putc(&text, '\0');
		ret = buf_error(&text) ? config_error(&reading.origin, "out of memory") : clean(text.data);
		ret = ret ? ret : parse_text(text.data);
	}
	*given |= reading.seen;
	config_free(&reading.scratch);
	reading = (struct reading){ 0 };
	buf_free(&text);
	return ret;
}
