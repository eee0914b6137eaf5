# SPDX-License-Identifier: GPL-2.0-or-later
"""
The method that hostmeter replaces, as the judge of its numbers: per-host iptables rules in mangle.

A packet from the LAN gets its host's number as mark, by the source MAC. The mark is kept in the connection, and a
packet from the WAN gets it back from there. Two chains on the WAN interface have a rule per host that counts and returns.
So a connection that is begun from the WAN has no mark until its first reply: those packets are missed.
"""

import re

from .counters import Count

LINE = re.compile(r"^\s*(\d+)\s+(\d+)\s+RETURN\s.*mark match 0x([0-9a-f]+)", re.MULTILINE)


def _rules(hosts, wan):
    numbered = list(enumerate(hosts, 1))
    return "\n".join([
        "*mangle", ":account_in - [0:0]", ":account_out - [0:0]",
        "-A PREROUTING -j CONNMARK --restore-mark",
        *(f"-A FORWARD -m mac --mac-source {host.mac} -j MARK --set-mark {mark}" for mark, host in numbered),
        f"-A FORWARD -i {wan} -j account_in",
        f"-A FORWARD -o {wan} -j account_out",
        "-A FORWARD -j CONNMARK --save-mark",
        *(f"-A account_{way} -m mark --mark {mark} -j RETURN" for way in ("in", "out") for mark, _ in numbered),
        "COMMIT", ""])


class Oracle:
    """Counts every host of the lab. Legacy iptables where the kernel has it, else the same rules through nftables."""

    def __init__(self, lab, variant=None):
        self.node, self.hosts = lab.router, lab.hosts
        self.variant = variant or self._variant()
        for tool in self._tool(4), self._tool(6):
            self.node.run(f"{tool}-restore", "-w", "--noflush", stdin=_rules(lab.hosts, lab.wan))

    def _variant(self):
        return "legacy" if self.node.run("iptables-legacy", "-w", "-t", "mangle", "-L", check=False).returncode == 0 \
            else "nft"

    def _tool(self, ipv):
        return f"{'iptables' if ipv == 4 else 'ip6tables'}-{self.variant}"

    def hosts_counts(self):
        """{(host, ipv, direction): Count}, without those still at zero."""
        counts = {}
        for ipv in 4, 6:
            for way in "in", "out":
                text = self.node.output(self._tool(ipv), "-w", "-t", "mangle", "-vnxL", f"account_{way}")
                found = LINE.findall(text)
                assert len(found) == len(self.hosts), text
                for packets, size, mark in found:
                    counts[self.hosts[int(mark, 16) - 1].name, ipv, way] = Count(int(size), int(packets))
        return {key: count for key, count in counts.items() if count != Count()}
