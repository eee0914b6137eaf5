/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keyed_uthash: uthash with a secret key, for tables whose keys somebody else chooses, such as MACs. With uthash's own
 * function he could choose thousands that are all in one bucket.
 */
#pragma once

#include "hostmeter/base/hash.h"

#define HASH_FUNCTION(key, len, value) ((value) = hash_secretly(key, len))

#include <uthash.h>
