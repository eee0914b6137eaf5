/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wireguard: asks the kernel on which UDP ports WireGuard interfaces listen. No event tells when a port changes, so the
 * caller asks again now and then. Questions and answers go by a socket of generic netlink in the event loop; nothing
 * waits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct loop;
struct wireguard;

/* listens: called for each answer; port 0: the interface listens on none, or the kernel does not say. NULL: no memory.
 */
struct wireguard *wireguard_new(struct loop *loop, void (*listens)(void *ctx, uint32_t ifindex, uint16_t port),
	void *ctx);
void wireguard_free(struct wireguard *wireguard);

enum { WIREGUARD_MOST = 64 };

/* Asks for these interfaces, at most WIREGUARD_MOST. While earlier questions are open, nothing is asked. */
void wireguard_ask(struct wireguard *wireguard, const uint32_t *ifindex, size_t count);
