# SPDX-License-Identifier: GPL-2.0-or-later
"""Multicast routes of the kernel, as a daemon such as smcroute sets them: they last as long as its socket."""

import socket
import struct

MRT_INIT, MRT_ADD_VIF, MRT_ADD_MFC = 200, 202, 204  # the same numbers for IPv6: interface, route
VIFF_USE_IFINDEX = 8


class MulticastRouter:
    """Forwards from the first of these interfaces to the others, once a route is added."""

    def __init__(self, node, *interfaces):
        self.count = len(interfaces)
        self.v4 = node.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
        self.v6 = node.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        self.v4.setsockopt(socket.IPPROTO_IP, MRT_INIT, 1)
        self.v6.setsockopt(socket.IPPROTO_IPV6, MRT_INIT, 1)
        for number, name in enumerate(interfaces):
            index = node.ifindex(name)
            self.v4.setsockopt(socket.IPPROTO_IP, MRT_ADD_VIF,
                               struct.pack("=HBBIi4x", number, VIFF_USE_IFINDEX, 1, 0, index))
            self.v6.setsockopt(socket.IPPROTO_IPV6, MRT_ADD_VIF, struct.pack("=HBBHxxI", number, 0, 1, index, 0))

    def route(self, source, group):
        """From the first interface to all others."""
        if ":" in group:
            ends = b"".join(struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, address), 0)
                            for address in (source, group))
            to = sum(1 << number for number in range(1, self.count))
            self.v6.setsockopt(socket.IPPROTO_IPV6, MRT_ADD_MFC,
                               ends + struct.pack("=Hxx", 0) + to.to_bytes(32, "little"))
        else:
            ttls = bytes([0] + [1] * (self.count - 1)).ljust(32, b"\0")
            self.v4.setsockopt(socket.IPPROTO_IP, MRT_ADD_MFC, socket.inet_aton(source) + socket.inet_aton(group) +
                               struct.pack("=H32sxxIIIi", 0, ttls, 0, 0, 0, 0))

    def close(self):
        self.v4.close()
        self.v6.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
