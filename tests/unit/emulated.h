/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emulated: what a test may expect where tests/run-foreign runs it under qemu, which lacks some of the kernel. */
#pragma once

#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>

/* What listen_arrival() says of a connection by this interface: qemu does not have IP_PKTOPTIONS, so nothing. */
static inline uint32_t emulated_arrival(const char *interface)
{
	return getenv("HOSTMETER_EMULATED") ? 0 : if_nametoindex(interface);
}
