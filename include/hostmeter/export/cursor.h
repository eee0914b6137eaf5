/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cursor: where a page that is written in pieces goes on. A page of ten thousand hosts takes longer than the loop may
 * stand still, so its renderer writes some of it, and the rest when it is called again.
 */
#pragma once

#include <stddef.h>

/* All zero: the beginning. What part and row mean is the renderer's affair. */
struct cursor {
	size_t part, row;
};
