# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets by hand, for what the kernel's sockets do not send, and a tunnel whose far end is the test."""

import fcntl
import ipaddress
import os
import select
import socket
import struct
import threading

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(address):
    return ipaddress.ip_address(address).packed


def ip(src, dst, proto, payload):
    """A packet of the addresses' family; the kernel fills in what is zero for IPv4."""
    if ":" in src:
        return struct.pack("!IHBB", 6 << 28, len(payload), proto, 64) + packed(src) + packed(dst) + payload
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, proto, 0) + packed(src) + packed(dst)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def sum_of(src, dst, proto, payload):
    """The checksum over a pseudo header and the payload."""
    return checksum(packed(src) + packed(dst) + struct.pack("!II", len(payload), proto) + payload)


def udp_payload(src, dst, sport, dport, size):
    data = struct.pack("!HHHH", sport, dport, 8 + size, 0) + bytes(size)
    return data[:6] + struct.pack("!H", sum_of(src, dst, socket.IPPROTO_UDP, data) or 0xFFFF) + data[8:]


def udp(src, dst, sport, dport, size):
    return ip(src, dst, socket.IPPROTO_UDP, udp_payload(src, dst, sport, dport, size))


def echo_request(src, dst, number, size):
    """An ICMP or ICMPv6 echo request with this id."""
    six = ":" in src
    proto = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    data = struct.pack("!BBHHH", 128 if six else 8, 0, 0, number, 1) + bytes(size)
    check = sum_of(src, dst, proto, data) if six else checksum(data)
    return ip(src, dst, proto, data[:2] + struct.pack("!H", check) + data[4:])


def options(follows):
    """A hop-by-hop or destination header with nothing but padding, before a header of this kind."""
    return struct.pack("!BBBB", follows, 0, 1, 4) + bytes(4)


def fragments(src, dst, proto, payload, size, number=77):
    """An IPv6 packet in pieces of at most size bytes of payload (a multiple of 8)."""
    pieces = [payload[at:at + size] for at in range(0, len(payload), size)]
    return [ip(src, dst, socket.IPPROTO_FRAGMENT,
               struct.pack("!BBHI", proto, 0, index * size | (index < len(pieces) - 1), number) + piece)
            for index, piece in enumerate(pieces)]


def sctp(sport, dport, tag, kind, initiate_tag, size):
    """One INIT (1) or INIT ACK (2) chunk with size bytes of a parameter nobody knows; its checksum is not filled in."""
    chunk = struct.pack("!BBHIIHHI", kind, 0, 20 + 4 + size, initiate_tag, 65536, 1, 1, 1)
    return struct.pack("!HHII", sport, dport, tag, 0) + chunk + struct.pack("!HH", 0xC001, 4 + size) + bytes(size)


def send(node, packet):
    """From this node as it stands, whatever its source address; routes and neighbours are the kernel's."""
    six = packet[0] >> 4 == 6
    to = socket.inet_ntop(socket.AF_INET6, packet[24:40]) if six else socket.inet_ntoa(packet[16:20])
    with node.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(packet, (to, 0))


def send_frames(node, interface, packets):
    """Puts (destination MAC, source MAC, IPv4 packet) on the wire as they stand."""
    with node.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((interface, 0))
        for to, source, packet in packets:
            raw.send(bytes.fromhex((to + source).replace(":", "")) + b"\x08\x00" + packet)


class Tun:
    """An interface without MAC addresses. What is written comes in there; what the router sends out there is read."""

    def __init__(self, node, name):
        with node.entered():
            self.fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))

    def write(self, packet):
        os.write(self.fd, packet)

    def read(self, deadline=5):
        """The next packet that is for one host: the kernel itself talks to groups here."""
        while True:
            ready, _, _ = select.select([self.fd], [], [], deadline)
            assert ready, "nothing came through the tunnel"
            packet = os.read(self.fd, 65536)
            if packet[0] >> 4 == 4 or packet[24] != 0xFF:
                return packet

    def close(self):
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Wire(threading.Thread):
    """Joins two Tuns: what the one sends comes in at the other, until closed. Counts nothing, loses nothing."""

    def __init__(self, a, b):
        super().__init__(daemon=True)
        self.ends = {a.fd: b.fd, b.fd: a.fd}
        self.stopping, self.stop = os.pipe()

    def run(self):
        while True:
            ready, _, _ = select.select([*self.ends, self.stopping], [], [])
            if self.stopping in ready:
                return
            for fd in ready:
                os.write(self.ends[fd], os.read(fd, 65536))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        os.close(self.stop)
        self.join()
        os.close(self.stopping)
