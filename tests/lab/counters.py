# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel's own tools say: readers of conntrack(8) and nft(8)."""

import json
import re
from dataclasses import dataclass

from .node import wait_until

NETLINK_NETFILTER = "12"


@dataclass(frozen=True)
class Count:
    bytes: int = 0
    packets: int = 0

    def __add__(self, other):
        return Count(self.bytes + other.bytes, self.packets + other.packets)

    def __sub__(self, other):
        return Count(self.bytes - other.bytes, self.packets - other.packets)


@dataclass(frozen=True)
class Flow:
    """A conntrack entry; index 0 is the original direction, 1 the reply."""
    ipv: int
    proto: str
    state: str  # TCP only, else None
    src: tuple
    dst: tuple
    counts: tuple
    id: str


def _flow(line):
    words = re.sub(r"^\s*\[\w+\]\s*", "", line).split()
    fields = {}
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            fields.setdefault(key, []).append(value)
    plain = [word for word in words if "=" not in word and not word.startswith("[")]
    counts = tuple(Count(int(b), int(p)) for b, p in zip(fields.get("bytes", ()), fields.get("packets", ())))
    state = next((word for word in plain[4:] if word.isupper() or "_" in word), None) if plain[2] == "tcp" else None
    return Flow({"ipv4": 4, "ipv6": 6}[plain[0]], plain[2], state, tuple(fields["src"]), tuple(fields["dst"]), counts,
                fields["id"][0])


def conntrack_list(node):
    """The living flows of both families."""
    flows = []
    for family in "ipv4", "ipv6":
        text = node.output("conntrack", "-L", "-f", family, "-o", "extended,id")
        flows += [_flow(line) for line in text.splitlines() if "src=" in line]
    return flows


def conntrack_follow(node):
    """conntrack -E of ended flows, once it listens; before the meter does. It has a large buffer and no more."""
    process = node.spawn("conntrack", "-E", "-e", "DESTROY", "-o", "extended,id", "-b", "8388608")

    def subscribed():
        rows = [line.split() for line in node.output("cat", "/proc/net/netlink").splitlines()[1:]]
        return any(row[1] == NETLINK_NETFILTER and int(row[3], 16) for row in rows)

    wait_until(subscribed, what="conntrack -E listens")
    return process


def conntrack_events(text):
    """The flows in the output of conntrack_follow(); one that is there twice counts once."""
    # The last line may be half written.
    lines = text[:text.rfind("\n") + 1].splitlines()
    return list({flow.id: flow for flow in (_flow(line) for line in lines if "src=" in line)}.values())


def host_sums(lab, flows):
    """{(host, ipv, direction): Count} of flows with the server, by the address at the LAN end, whoever began."""
    sums = {}
    for flow in flows:
        began, answered = lab.host_of(flow.src[0]), lab.host_of(flow.src[1])
        host = began or answered
        if host is None or not {flow.src[0], flow.dst[0]} & {lab.server_v4, lab.server_v6}:
            continue
        ways = ("out", "in") if began else ("in", "out")
        for way, count in zip(ways, flow.counts):
            key = (host.name, flow.ipv, way)
            sums[key] = sums.get(key, Count()) + count
    return {key: count for key, count in sums.items() if count != Count()}


def nft_counters(node, family, table):
    """{name: Count} of the named counters of a table."""
    listing = json.loads(node.output("nft", "-j", "list", "counters", "table", family, table))
    return {entry["counter"]["name"]: Count(entry["counter"]["bytes"], entry["counter"]["packets"])
            for entry in listing["nftables"] if "counter" in entry}
