/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/sample.h"

#include "hostmeter/base/array.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct watch_sample_host *watch_sample_add_host(struct watch_sample *sample)
{
	struct watch_sample_host *host = array_grow(sample->host, sample->hosts, sizeof(*host));

	if (!host)
		return NULL;
	sample->host = host;
	host += sample->hosts++;
	*host = (struct watch_sample_host){ .address = sample->addresses };
	return host;
}

struct watch_sample_link *watch_sample_add_link(struct watch_sample *sample)
{
	struct watch_sample_link *link = array_grow(sample->link, sample->links, sizeof(*link));

	if (!link)
		return NULL;
	sample->link = link;
	link += sample->links++;
	*link = (struct watch_sample_link){ 0 };
	return link;
}

int watch_sample_add_address(struct watch_sample *sample, const char *text)
{
	char(*list)[ADDR_TEXT] = array_grow(sample->address, sample->addresses, sizeof(*list));

	if (!list)
		return -ENOMEM;
	sample->address = list;
	snprintf(list[sample->addresses++], sizeof(*list), "%s", text);
	sample->host[sample->hosts - 1].addresses++;
	return 0;
}

int watch_sample_add_warning(struct watch_sample *sample, const char *text)
{
	char(*list)[WATCH_WARNING] = array_grow(sample->warning, sample->warnings, sizeof(*list));

	if (!list)
		return -ENOMEM;
	sample->warning = list;
	snprintf(list[sample->warnings++], sizeof(*list), "%s", text);
	return 0;
}

void watch_sample_clear(struct watch_sample *sample)
{
	free(sample->host);
	free(sample->address);
	free(sample->link);
	free(sample->warning);
	*sample = (struct watch_sample){ 0 };
}
