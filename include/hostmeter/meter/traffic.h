/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traffic: bytes and packets, by address family and direction. Directions are seen from the host. */
#pragma once

#include <stdint.h>

enum traffic_direction { TRAFFIC_IN, TRAFFIC_OUT, TRAFFIC_DIRECTIONS };
enum traffic_family { TRAFFIC_IPV4, TRAFFIC_IPV6, TRAFFIC_FAMILIES };

struct traffic_count {
	uint64_t bytes, packets;
};

struct traffic {
	struct traffic_count of[TRAFFIC_FAMILIES][TRAFFIC_DIRECTIONS];
};

static inline void traffic_count_add(struct traffic_count *to, const struct traffic_count *more)
{
	to->bytes += more->bytes;
	to->packets += more->packets;
}

/* The larger of the two, bytes and packets each. */
static inline struct traffic_count traffic_count_max(const struct traffic_count *a, const struct traffic_count *b)
{
	return (struct traffic_count){
		.bytes = a->bytes > b->bytes ? a->bytes : b->bytes,
		.packets = a->packets > b->packets ? a->packets : b->packets,
	};
}

/* The smaller of the two, bytes and packets each. */
static inline struct traffic_count traffic_count_min(const struct traffic_count *a, const struct traffic_count *b)
{
	return (struct traffic_count){
		.bytes = a->bytes < b->bytes ? a->bytes : b->bytes,
		.packets = a->packets < b->packets ? a->packets : b->packets,
	};
}

/* How much a has more than b, bytes and packets each; never below 0. */
static inline struct traffic_count traffic_count_less(const struct traffic_count *a, const struct traffic_count *b)
{
	return (struct traffic_count){
		.bytes = a->bytes > b->bytes ? a->bytes - b->bytes : 0,
		.packets = a->packets > b->packets ? a->packets - b->packets : 0,
	};
}

/* *to += *more, number by number. */
static inline void traffic_add(struct traffic *to, const struct traffic *more)
{
	for (int family = 0; family < TRAFFIC_FAMILIES; family++) {
		for (int direction = 0; direction < TRAFFIC_DIRECTIONS; direction++)
			traffic_count_add(&to->of[family][direction], &more->of[family][direction]);
	}
}

/* The larger of the two, number by number. */
static inline struct traffic traffic_max(const struct traffic *a, const struct traffic *b)
{
	struct traffic max;

	for (int family = 0; family < TRAFFIC_FAMILIES; family++) {
		for (int direction = 0; direction < TRAFFIC_DIRECTIONS; direction++)
			max.of[family][direction] = traffic_count_max(&a->of[family][direction],
				&b->of[family][direction]);
	}
	return max;
}

/* Both families together in one direction. */
static inline struct traffic_count traffic_sum(const struct traffic *traffic, enum traffic_direction direction)
{
	struct traffic_count sum = traffic->of[TRAFFIC_IPV4][direction];

	traffic_count_add(&sum, &traffic->of[TRAFFIC_IPV6][direction]);
	return sum;
}
