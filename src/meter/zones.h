/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zones: which interface a conntrack zone is of. A firewall that has two networks with the same addresses gives each
 * its own zone, but the kernel tells only the number. So it is learned from flows whose interface is known otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zones;

/* At most limit zones; further ones are not learned. NULL: out of memory. */
struct zones *zones_new(size_t limit);
void zones_free(struct zones *zones);

/* A flow of this zone began on this interface. */
void zones_learn(struct zones *zones, uint16_t zone, uint32_t ifindex);

/* The interface is gone: what was learned of it is forgotten. */
void zones_forget(struct zones *zones, uint32_t ifindex);

/*
 * The one interface on which all flows of the zone began. 0: none is known, or there were several; or no other zone is
 * known to be of another interface, so that these zones may have another meaning.
 */
uint32_t zones_interface(const struct zones *zones, uint16_t zone);
