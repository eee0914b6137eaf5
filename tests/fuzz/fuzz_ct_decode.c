/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/ct_decode.h"

#include "message_of.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *message = message_of(data, size);
	struct ct_event e;
	int ret;

	memset(&e, 0, sizeof(e));
	ret = message ? ct_decode(message, &e) : -1;
	for (int dir = CT_ORIGINAL; !ret && dir <= CT_REPLY; dir++)
		if (!addr_len(e.family) || e.tuple[dir].src.family != e.family || e.tuple[dir].dst.family != e.family)
			abort();
	free(message);
	return 0;
}
