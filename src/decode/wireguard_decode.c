/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Follows wg_get_device_dump() of drivers/net/wireguard/netlink.c and ctrl_fill_info() of net/netlink/genetlink.c. */
#include "hostmeter/decode/wireguard_decode.h"

#include "hostmeter/decode/nlattr.h"

#include <linux/genetlink.h>
#include <linux/wireguard.h>

/* The attributes of a message of this family and command. */
static int attributes(const struct nlmsghdr *message, uint16_t family, uint8_t command, struct nlattr_walk *walk)
{
	int ret = message->nlmsg_type == family ? nlattr_message(message, GENL_HDRLEN, walk) : -ENOMSG;

	if (ret)
		return ret;
	return ((const struct genlmsghdr *)NLMSG_DATA(message))->cmd == command ? 0 : -ENOMSG;
}

int wireguard_decode_family(const struct nlmsghdr *message, uint16_t *family)
{
	struct nlattr_walk walk;
	struct nlattr_item item;
	int ret = attributes(message, GENL_ID_CTRL, CTRL_CMD_NEWFAMILY, &walk);

	if (ret)
		return ret;
	*family = 0;
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		if (item.type == CTRL_ATTR_FAMILY_ID && nlattr_copy(&item, family, sizeof(*family)))
			return -EBADMSG;
	}
	return ret < 0 || *family ? ret : -EBADMSG;
}

int wireguard_decode_device(const struct nlmsghdr *message, uint16_t family, struct wireguard_device *device)
{
	struct nlattr_walk walk;
	struct nlattr_item item;
	bool has_port = false;
	int ret = attributes(message, family, WG_CMD_GET_DEVICE, &walk);

	if (ret)
		return ret;
	*device = (struct wireguard_device){ 0 };
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		if (item.type == WGDEVICE_A_IFINDEX) {
			ret = nlattr_copy(&item, &device->ifindex, sizeof(device->ifindex));
		} else if (item.type == WGDEVICE_A_LISTEN_PORT) {
			ret = nlattr_copy(&item, &device->port, sizeof(device->port));
			has_port = true;
		}
		if (ret < 0)
			return ret;
	}
	if (ret < 0)
		return ret;
	return has_port && device->ifindex ? 0 : -ENOMSG;
}
