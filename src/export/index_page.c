/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "index_page.h"

#include "hostmeter/base/version.h"

#include <string.h>

static const struct {
	const char *path, *what;
} links[] = {
	{ "/metrics", "the metrics, for Prometheus" },
	{ "/api/v1/hosts", "each host and its counts, as JSON" },
	{ "/api/v1/status", "the state of the meter and its warnings, as JSON" },
	{ "/-/healthy", "whether it answers" },
	{ "/-/ready", "whether the first reading of all connections is in" },
};

/* Appends text with what HTML would take for markup escaped. */
static void put_escaped(struct buf *out, const char *text)
{
	for (size_t len; *text; text += len + 1) {
		len = strcspn(text, "<>&\"'");
		buf_add(out, text, len);
		if (!text[len])
			return;
		buf_printf(out, "&#%d;", text[len]);
	}
}

static void put_interfaces(struct buf *out, const struct snapshot *snapshot, enum side side, const char *what)
{
	bool any = false;

	buf_printf(out, "<dt>%s</dt>\n<dd>", what);
	for (size_t i = 0; i < snapshot->links; i++) {
		if (snapshot->link[i].side != side)
			continue;
		buf_puts(out, any ? ", " : "");
		put_escaped(out, snapshot->link[i].name);
		any = true;
	}
	buf_puts(out, any ? "</dd>\n" : "none</dd>\n");
}

void index_page_render(struct buf *out, const struct snapshot *snapshot)
{
	buf_puts(out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>hostmeter</title>\n"
		"<meta name=\"viewport\" content=\"width=device-width\">\n</head>\n<body>\n"
		"<h1>hostmeter " HOSTMETER_VERSION "</h1>\n"
		"<p>Counts the bytes and packets of every host behind this router.</p>\n<dl>\n");
	put_interfaces(out, snapshot, SIDE_WAN, "WAN");
	put_interfaces(out, snapshot, SIDE_LAN, "LAN");
	buf_printf(out, "<dt>Hosts</dt>\n<dd>%zu</dd>\n<dt>Connections</dt>\n<dd>", snapshot->hosts);
	buf_put_u64(out, snapshot->flows);
	buf_puts(out, "</dd>\n</dl>\n<ul>\n");
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		buf_printf(out, "<li><a href=\"%s\">%s</a>: %s</li>\n", links[i].path, links[i].path, links[i].what);
	buf_puts(out, "</ul>\n</body>\n</html>\n");
}
