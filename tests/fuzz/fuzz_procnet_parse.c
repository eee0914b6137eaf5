/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of /proc/net: no crash, whatever is looked for. The first two bytes are the group and the port. */
#include "hostmeter/check/socket_owner.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t inode;
	uint32_t port;
	char path[SOCKET_OWNER_PATH];
	uint16_t number;
	FILE *table;

	if (size < 3)
		return 0;
	table = fmemopen((char *)data + 2, size - 2, "r");
	if (!table)
		abort();
	number = (uint16_t)(data[0] << 8 | data[1]);
	socket_owner_parse_nflog(table, number, &port);
	rewind(table);
	socket_owner_parse_netlink(table, 12, number, &inode);
	rewind(table);
	socket_owner_parse_tcp(table, number, &inode);
	rewind(table);
	if (socket_owner_parse_unix(table, number, path) && (*path != '/' || strlen(path) >= sizeof(path)))
		abort();
	fclose(table);
	return 0;
}
