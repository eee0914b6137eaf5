/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/names/follow.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/meter/names.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/os/file.h"
#include "hostmeter/os/file_watch.h"
#include "hostmeter/os/loop.h"
#include "parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WARN_EVERY_NS (UINT64_C(3600) * 1000000000)

static const struct kind {
	enum names_source source;
	enum names_format format;
	size_t paths; /* struct config_strings in struct config */
} kinds[] = {
	{ NAMES_ETHERS, NAMES_FORMAT_ETHERS, offsetof(struct config, names_ethers) },
	{ NAMES_LEASES, NAMES_FORMAT_LEASES, offsetof(struct config, names_leases) },
	{ NAMES_ODHCPD, NAMES_FORMAT_ODHCPD, offsetof(struct config, names_odhcpd) },
	{ NAMES_HOSTS, NAMES_FORMAT_HOSTS, offsetof(struct config, names_hosts) },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct names_file {
	const struct kind *kind;
	unsigned int file; /* the number of its path among those of its kind */
	char *path;
	struct log_limit limit;
};

struct names_follow {
	struct loop *loop;
	struct names *names;
	struct file_watch *files;
	struct names_file *source;
	struct snapshot_names *state; /* of each source */
	size_t count;
	void (*changed)(void *ctx);
	void *ctx;
};

/* A list on its way, and the first thing that went wrong with it. */
struct filling {
	struct names_list *list;
	int error;
};

static void fill(void *ctx, const struct mac *mac, const struct addr *addr, const char *name)
{
	struct filling *filling = ctx;
	int error = mac ? names_list_mac(filling->list, mac, name) : names_list_address(filling->list, addr, name);

	if (!filling->error)
		filling->error = error;
}

static void warn(struct names_follow *naming, struct names_file *source, int error)
{
	if (error)
		log_repeated(&source->limit, WARN_EVERY_NS, loop_now_ns(naming->loop),
			"%s: not all names were read: %s", source->path, strerror(-error));
}

/* True if names changed. */
static bool read_source(struct names_follow *naming, struct names_file *source)
{
	struct filling filling = { .list = names_list_new() };
	struct buf text = BUF_INIT;
	bool changed = false;
	int error = filling.list ? file_read_matching(source->path, &text) : -ENOMEM;

	if (!buf_error(&text) && filling.list && text.len)
		names_parse(source->kind->format, text.data, text.len, fill, &filling);
	error = error ? error : filling.error;
	naming->state[source - naming->source].error = error;
	warn(naming, source, error);
	/* What is too long is read in part; what could not be read leaves the names as they are. */
	if (!error || error == -EFBIG || error == -ENOSPC)
		changed = names_replace(naming->names, source->kind->source, source->file, filling.list);
	else
		names_list_free(filling.list);
	buf_free(&text);
	return changed;
}

static void on_change(void *ctx, size_t path)
{
	struct names_follow *naming = ctx;

	if (read_source(naming, &naming->source[path]))
		naming->changed(naming->ctx);
}

static int add_sources(struct names_follow *naming, const struct config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < KINDS; i++)
		count += ((const struct config_strings *)((const char *)config + kinds[i].paths))->count;
	naming->source = calloc(count ? count : 1, sizeof(*naming->source));
	naming->state = calloc(count ? count : 1, sizeof(*naming->state));
	if (!naming->source || !naming->state)
		return -ENOMEM;
	for (size_t i = 0; i < KINDS; i++) {
		const struct config_strings *paths = (const void *)((const char *)config + kinds[i].paths);

		for (size_t j = 0; j < paths->count; j++) {
			struct names_file *source = &naming->source[naming->count++];

			*source = (struct names_file){
				.kind = &kinds[i], .file = (unsigned int)j, .path = strdup(paths->item[j])
			};
			if (!source->path)
				return -ENOMEM;
			naming->state[naming->count - 1] = (struct snapshot_names){ kinds[i].source, source->path, 0 };
		}
	}
	return 0;
}

static int follow(struct names_follow *naming, uint64_t every_ns)
{
	const char **paths = calloc(naming->count ? naming->count : 1, sizeof(*paths));

	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < naming->count; i++)
		paths[i] = naming->source[i].path;
	if (naming->count)
		naming->files = file_watch_new(naming->loop, paths, naming->count, every_ns, on_change, naming);
	if (naming->count && !naming->files)
		log_warning("names are read once, their files cannot be followed: %s", strerror(errno));
	free(paths);
	return 0;
}

struct names_follow *names_follow_new(struct loop *loop, struct names *names, const struct config *config,
	uint64_t every_ns, void (*changed)(void *ctx), void *ctx)
{
	struct names_follow *naming = calloc(1, sizeof(*naming));

	if (!naming)
		return NULL;
	*naming = (struct names_follow){ .loop = loop, .names = names, .changed = changed, .ctx = ctx };
	if (add_sources(naming, config) || follow(naming, every_ns)) {
		names_follow_free(naming);
		return NULL;
	}
	/* After the first look at the files: what changes from here on is seen. */
	for (size_t i = 0; i < naming->count; i++)
		read_source(naming, &naming->source[i]);
	return naming;
}

const struct snapshot_names *names_follow_files(const struct names_follow *naming, size_t *count)
{
	*count = naming->count;
	return naming->state;
}

void names_follow_free(struct names_follow *naming)
{
	if (!naming)
		return;
	file_watch_free(naming->files);
	for (size_t i = 0; i < naming->count; i++)
		free(naming->source[i].path);
	free(naming->source);
	free(naming->state);
	free(naming);
}
