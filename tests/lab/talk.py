# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP between sockets of the test itself: the true bytes are known before a packet is sent."""

import socket
from collections import defaultdict

from .counters import Count


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def overhead(sock):
    """The bytes of the IP and UDP headers."""
    return 48 if sock.family == socket.AF_INET6 else 28


def udp(node, address, port=0, scope=0):
    """A socket in this node, bound there; closed with the test's last reference. scope: of a link-local address."""
    sock = node.socket(family(address), socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port, 0, scope) if scope else (address, port))
    return sock


def say(sock, to, size):
    """One datagram of this many bytes of payload; returns its Count."""
    sock.sendto(bytes(size), to)
    return Count(size + overhead(sock), 1)


def talk(asker, answerer, to, ask=100, answer=300):
    """A datagram to this (address, port), where answerer hears it, and its answer; (asked, answered) as Counts."""
    asked = say(asker, to, ask)
    data, back = answerer.recvfrom(65536)
    assert len(data) == ask
    answered = say(answerer, back, answer)
    assert len(asker.recv(65536)) == answer
    return asked, answered


class Truth(defaultdict):
    """{(host, ipv, direction): Count}: what a meter ought to say."""

    def __init__(self):
        super().__init__(Count)

    def asked(self, host, ipv, counts):
        """The counts of a talk() that this host began."""
        for way, count in zip(("out", "in"), counts):
            self[getattr(host, "name", host), ipv, way] += count

    def answered(self, host, ipv, counts):
        """The counts of a talk() that was with this host."""
        self.asked(host, ipv, counts[::-1])
