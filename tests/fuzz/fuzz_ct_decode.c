/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/ct_decode.h"

#include "message_of.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* What was learned of the inputs before must not change what this one says. */
	static struct ct_shapes shapes;
	struct nlmsghdr *message = message_of(data, size);
	struct ct_event e, learned;
	int ret;

	memset(&e, 0, sizeof(e));
	memset(&learned, 0, sizeof(learned));
	ret = message ? ct_decode(message, &e) : -1;
	if (message &&
		(ct_decode_with(&shapes, message, &learned) != ret || (!ret && memcmp(&e, &learned, sizeof(e)) != 0)))
		abort();
	for (int dir = CT_ORIGINAL; !ret && dir <= CT_REPLY; dir++)
		if (!addr_len(e.family) || e.tuple[dir].src.family != e.family || e.tuple[dir].dst.family != e.family)
			abort();
	free(message);
	return 0;
}
