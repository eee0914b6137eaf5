/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "waiters.h"

#include "hostmeter/http/server.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

static void forget(struct waiter **waiters, struct waiter *waiter)
{
	LL_DELETE(*waiters, waiter);
	free(waiter);
}

int waiters_add(struct waiter **waiters, const struct http_request *request, uint64_t from)
{
	struct waiter *waiter = malloc(sizeof(*waiter));

	if (!waiter)
		return -ENOMEM;
	*waiter = (struct waiter){ .http = request->http, .connection = request->connection, .from = from };
	LL_PREPEND(*waiters, waiter);
	return 0;
}

bool waiters_take(struct waiter **waiters, const struct http_request *request)
{
	struct waiter *waiter;

	LL_SEARCH_SCALAR(*waiters, waiter, connection, request->connection);
	if (!waiter)
		return false;
	forget(waiters, waiter);
	return true;
}

bool waiters_have(const struct waiter *waiters, uint64_t began)
{
	for (; waiters; waiters = waiters->next)
		if (!waiters->woken && waiters->from <= began)
			return true;
	return false;
}

bool waiters_wake(struct waiter **waiters, uint64_t until)
{
	struct waiter *waiter, *next;
	bool others = false;

	LL_FOREACH_SAFE(*waiters, waiter, next)
	{
		if (waiter->woken) {
			forget(waiters, waiter);
		} else if (waiter->from > until) {
			others = true;
		} else {
			waiter->woken = true;
			http_server_wake(waiter->http, waiter->connection);
		}
	}
	return others;
}

void waiters_free(struct waiter **waiters)
{
	while (*waiters)
		forget(waiters, *waiters);
}
