/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/wireguard_decode.h"

#include "netlink_build.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { FAMILY = 0x1d };

static struct nlmsghdr *start(union message *m, uint16_t type, uint8_t command)
{
	const struct genlmsghdr fixed = { .cmd = command, .version = 1 };

	return build_start(m, type, &fixed, sizeof(fixed));
}

/* As wg_get_device_dump() orders them; the keys are 32 bytes each. */
static struct nlmsghdr *device(union message *m, uint32_t ifindex, uint16_t port)
{
	static const uint8_t key[32];
	struct nlmsghdr *head = start(m, FAMILY, WG_CMD_GET_DEVICE);

	mnl_attr_put_u16(head, WGDEVICE_A_LISTEN_PORT, port);
	mnl_attr_put_u32(head, WGDEVICE_A_FWMARK, 51820);
	mnl_attr_put_u32(head, WGDEVICE_A_IFINDEX, ifindex);
	mnl_attr_put_strz(head, WGDEVICE_A_IFNAME, "wg0");
	mnl_attr_put(head, WGDEVICE_A_PRIVATE_KEY, sizeof(key), key);
	return head;
}

static void a_device_has_a_port(void **state)
{
	struct wireguard_device got;
	union message m;

	(void)state;
	assert_int_equal(wireguard_decode_device(device(&m, 7, 51820), FAMILY, &got), 0);
	assert_int_equal(got.ifindex, 7);
	assert_int_equal(got.port, 51820);
	assert_int_equal(wireguard_decode_device(device(&m, 7, 0), FAMILY, &got), 0);
	assert_int_equal(got.port, 0);
}

/* A device with many peers takes several messages; only the first one has the port. */
static void further_peers_are_no_device(void **state)
{
	struct wireguard_device got;
	union message m;
	struct nlmsghdr *head = start(&m, FAMILY, WG_CMD_GET_DEVICE);

	(void)state;
	mnl_attr_put_u32(head, WGDEVICE_A_IFINDEX, 7);
	mnl_attr_put_strz(head, WGDEVICE_A_IFNAME, "wg0");
	assert_int_equal(wireguard_decode_device(head, FAMILY, &got), -ENOMSG);
	assert_int_equal(wireguard_decode_device(device(&m, 7, 1), FAMILY + 1, &got), -ENOMSG);
	assert_int_equal(wireguard_decode_device(start(&m, FAMILY, WG_CMD_SET_DEVICE), FAMILY, &got), -ENOMSG);
}

static void the_family_has_a_number(void **state)
{
	uint16_t family = 0;
	union message m;
	struct nlmsghdr *head = start(&m, GENL_ID_CTRL, CTRL_CMD_NEWFAMILY);

	(void)state;
	assert_int_equal(wireguard_decode_family(head, &family), -EBADMSG);
	mnl_attr_put_strz(head, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
	mnl_attr_put_u16(head, CTRL_ATTR_FAMILY_ID, FAMILY);
	assert_int_equal(wireguard_decode_family(head, &family), 0);
	assert_int_equal(family, FAMILY);
	assert_int_equal(wireguard_decode_family(start(&m, GENL_ID_CTRL, CTRL_CMD_DELFAMILY), &family), -ENOMSG);
	assert_int_equal(wireguard_decode_family(device(&m, 7, 1), &family), -ENOMSG);
}

/* Cut anywhere, in memory of just that size: refused, or without the port, and nothing behind it is read. */
static void a_cut_message_is_refused(void **state)
{
	struct wireguard_device got;
	union message m;
	struct nlmsghdr *whole = device(&m, 7, 51820);

	(void)state;
	for (size_t len = NLMSG_HDRLEN; len < whole->nlmsg_len; len++) {
		struct nlmsghdr *cut = build_cut(whole, len);
		int ret = wireguard_decode_device(cut, FAMILY, &got);

		assert_true(ret == -EBADMSG || ret == -ENOMSG || (!ret && got.port == 51820 && got.ifindex == 7));
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_has_a_port),
		cmocka_unit_test(further_peers_are_no_device),
		cmocka_unit_test(the_family_has_a_number),
		cmocka_unit_test(a_cut_message_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
