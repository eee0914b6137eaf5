/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/sample.h"

#include "hostmeter/base/array.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct watch_sample_host *watch_sample_add_host(struct watch_sample *sample)
{
	struct watch_sample_host *host = array_add(&sample->host, &sample->hosts, sizeof(*host));

	if (host)
		host->address = sample->addresses;
	return host;
}

struct watch_sample_link *watch_sample_add_link(struct watch_sample *sample)
{
	return array_add(&sample->link, &sample->links, sizeof(*sample->link));
}

int watch_sample_add_address(struct watch_sample *sample, const char *text)
{
	char *address = array_add(&sample->address, &sample->addresses, ADDR_TEXT);

	if (!address)
		return -ENOMEM;
	snprintf(address, ADDR_TEXT, "%s", text);
	sample->host[sample->hosts - 1].addresses++;
	return 0;
}

int watch_sample_add_warning(struct watch_sample *sample, const char *text)
{
	char *warning = array_add(&sample->warning, &sample->warnings, WATCH_WARNING);

	if (!warning)
		return -ENOMEM;
	snprintf(warning, WATCH_WARNING, "%s", text);
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
