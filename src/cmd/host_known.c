/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host_known.h"

#include "hostmeter/base/json.h"
#include "hostmeter/config/config.h"
#include "hostmeter/http/client.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { ANSWER_MS = 10000, NAME_MOST = 64, SIMILAR_MOST = 3 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters have to be added, left out or replaced to make one name of the other. */
static size_t distance(const char *one, const char *other)
{
	size_t width = least(strlen(one), NAME_MOST), row[NAME_MOST + 1];

	for (size_t i = 0; i <= width; i++)
		row[i] = i;
	for (size_t j = 1; other[j - 1]; j++) {
		size_t before = row[0];

		row[0] = j;
		for (size_t i = 1; i <= width; i++) {
			bool same = tolower((unsigned char)one[i - 1]) == tolower((unsigned char)other[j - 1]);
			size_t replaced = before + !same;

			before = row[i];
			row[i] = least(replaced, least(row[i], row[i - 1]) + 1);
		}
	}
	return row[width];
}

/* Up to a third of the letters may differ; or one name is the start of the other. */
static bool is_similar(const char *name, const char *host)
{
	size_t len = strlen(name), shorter = least(len, strlen(host));

	return distance(name, host) <= (len + 2) / 3 || (shorter >= 2 && !strncasecmp(name, host, shorter));
}

struct search {
	const char *name;
	struct buf *similar;
	size_t found;
};

/* True: it is this one. */
static bool look_at(struct search *search, const char *host, const char *mac)
{
	if (!strcasecmp(search->name, host) || !strcasecmp(search->name, mac))
		return true;
	if (search->found < SIMILAR_MOST && *host && is_similar(search->name, host))
		buf_printf(search->similar, "%s\"%s\"", search->found++ ? ", " : "", host);
	return false;
}

/* The meter's hosts, to be freed with json_decref(); NULL: it does not say. */
static json_t *ask(const char *socket)
{
	struct buf page = BUF_INIT;
	json_t *document = NULL;
	int error;

	if (http_get(socket, "/api/v1/hosts?local=0&fresh=0", &page, ANSWER_MS) == 200)
		document = json_open(page.data, page.len, &error);
	buf_free(&page);
	return document;
}

bool host_known(const struct config *config, const char *name, struct buf *similar)
{
	struct search search = { .name = name, .similar = similar };
	json_t *document, *host;
	bool known = false;
	size_t i;

	for (i = 0; i < config->hosts; i++)
		if (!strcasecmp(name, config->host[i].name))
			return true;
	document = ask(config->socket);
	if (!document)
		return true;
	json_array_foreach (json_object_get(document, "hosts"), i, host)
		known = known || look_at(&search, json_get_text(host, "host"), json_get_text(host, "mac"));
	json_decref(document);
	return known;
}
