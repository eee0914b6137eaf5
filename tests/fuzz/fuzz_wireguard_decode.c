/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/wireguard_decode.h"

#include "message_of.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *message = message_of(data, size);
	struct wireguard_device device;
	uint16_t family;

	if (message && wireguard_decode_device(message, message->nlmsg_type, &device) == 0 && !device.ifindex)
		abort();
	if (message && wireguard_decode_family(message, &family) == 0 && !family)
		abort();
	free(message);
	return 0;
}
