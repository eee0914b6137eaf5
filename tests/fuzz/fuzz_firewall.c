/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nft and iptables-save print; names in it are anybody's who may load rules. */
#include "hostmeter/check/firewall.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct firewall firewall = { 0 };
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	if (firewall_parse_nft(text, 60) && !strstr(text, " log group 60"))
		abort();
	if (firewall_parse_iptables(text, 60) && !strstr(text, "HOSTMETER"))
		abort();
	firewall_parse_iptables(text, 0);
	firewall_parse_flowtables(text, &firewall);
	if (firewall.uncounted.error || firewall.hardware.error || (!firewall.flowtables && firewall.uncounted.len))
		abort();
	firewall_clear(&firewall);
	free(text);
	return 0;
}
