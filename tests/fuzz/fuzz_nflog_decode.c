/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/nflog_decode.h"

#include "message_of.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sighting *s)
{
	if (!addr_len(s->family) || s->src.family != s->family || s->dst.family != s->family)
		abort();
	if (!s->has_ports && (s->sport || s->dport))
		abort();
}

/* The input is tried as a message, and as a packet that ends where memory ends. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *message = message_of(data, size);
	struct sighting s;
	void *packet;

	if (message && nflog_decode(message, &s) == 0) {
		check(&s);
		if (s.has_mac && !mac_is_host(&s.mac))
			abort();
	}
	free(message);

	packet = malloc(size);
	if (packet && size) {
		memcpy(packet, data, size);
		if (nflog_decode_packet(packet, size, &s) == 0)
			check(&s);
	}
	free(packet);
	return 0;
}
