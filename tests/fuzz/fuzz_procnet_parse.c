/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of /proc/net: no crash, whatever is looked for. The first two bytes are the group and the port. */
#include "hostmeter/check/socket_owner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 2;
	uint64_t inode;
	uint32_t port;
	uint16_t number;

	if (size < 2)
		return 0;
	number = (uint16_t)(data[0] << 8 | data[1]);
	socket_owner_parse_nflog(text, size - 2, number, &port);
	socket_owner_parse_netlink(text, size - 2, 12, number, &inode);
	socket_owner_parse_tcp(text, size - 2, number, &inode);
	return 0;
}
