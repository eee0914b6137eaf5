/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * array: lists that grow by one element at a time. A list doubles when its count is a power of two, so it carries no
 * field for its room: the count alone says when.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/*
 * Makes room for one more element in a list of count. Returns the list, which may have moved; or NULL when out of
 * memory, and the old list stays valid. An empty list is NULL. Free with free().
 */
static inline void *array_grow(void *list, size_t count, size_t element_size)
{
	if (count & (count - 1) || (count == 0 && list))
		return list;
	return reallocarray(list, count ? 2 * count : 1, element_size);
}

/* Appends a zeroed element to the list that a pointer of any type at list_at holds. Returns it; NULL: out of memory. */
static inline void *array_add(void *list_at, size_t *count, size_t element_size)
{
	void *list;

	memcpy(&list, list_at, sizeof(list));
	list = array_grow(list, *count, element_size);
	if (!list)
		return NULL;
	memcpy(list_at, &list, sizeof(list));
	return memset((char *)list + (*count)++ * element_size, 0, element_size);
}
