/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interfaces: logs the sides of interfaces, at the start and when one changes, and tells the meter what rtnetlink does
 * not: over which interfaces PPPoE sessions run.
 */
#pragma once

#include <stddef.h>

struct ifnames;
struct loop;
struct meter;

struct interfaces {
	struct loop *loop;
	struct meter *meter;
	const struct ifnames *names;
	size_t ppp_links;
};

/* Logs which are WAN and LAN, and from now on each change of a side. */
void interfaces_start(struct interfaces *interfaces);

/* To be called at the end of each turn of the loop: reads /proc/net/pppoe anew if interfaces of PPP came or went. */
void interfaces_turn(struct interfaces *interfaces);
