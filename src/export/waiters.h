/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waiters: requests whose answer waits for a new reading of the kernel's counters. Each is a suspended connection; the
 * server calls its handler again after waiters_wake().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct http_request;

struct waiter {
	struct waiter *next;
	struct http_server *http;
	void *connection;
	uint64_t from; /* when the dump has to begin */
	bool woken;    /* kept until its handler is called, or the next are woken: the connection may have ended */
};

/* The request, which is to be answered with HTTP_LATER, and waits for a dump from that time on. 0 or -ENOMEM. */
int waiters_add(struct waiter **waiters, const struct http_request *request, uint64_t from);

/* Whether the request has waited. It is forgotten. */
bool waiters_take(struct waiter **waiters, const struct http_request *request);

/* Whether a dump that began then is what somebody waits for. */
bool waiters_have(const struct waiter *waiters, uint64_t began);

/* Wakes those that wait for a dump until that time. True: others still wait. */
bool waiters_wake(struct waiter **waiters, uint64_t until);

/* Forgets all without waking them. */
void waiters_free(struct waiter **waiters);
