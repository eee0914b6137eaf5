/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/ct_decode.h"

#include "message_of.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *message = message_of(data, size);
	struct ct_event e;

	if (message && ct_decode(message, &e) == 0)
		for (int dir = CT_ORIGINAL; dir <= CT_REPLY; dir++)
			if (!addr_len(e.family) || e.tuple[dir].src.family != e.family ||
				e.tuple[dir].dst.family != e.family)
				abort();
	free(message);
	return 0;
}
