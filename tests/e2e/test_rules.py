# SPDX-License-Identifier: GPL-2.0-or-later
"""rules/: each file loads, loads again, and sees each flow once in each direction."""

import re

import pytest
from lab import RULES, Oracle, conntrack_list

NFT = ("nft", "-f", RULES / "hostmeter.nft")


def jump(tool, action):
    return tool, "-w", "-t", "mangle", action, "FORWARD", "-j", "HOSTMETER"


def load_tables(node, tool):
    """As the head of the file says."""
    node.run(*jump(tool, "-D"), check=False)
    node.run(f"{tool}-restore", "-w", "--noflush", RULES / f"hostmeter.{re.sub('-.*', '', tool)}")


def flows_and_directions(lab, ipv):
    flows = [flow for flow in conntrack_list(lab.router) if flow.ipv == ipv]
    return sum(1 for flow in flows for count in flow.counts if count.packets)


def traffic_of_all_kinds(lab, traffic, ipv):
    """TCP and ICMP both ways, and UDP that nobody answers: its flow stays new."""
    host = lab.hosts[0]
    traffic.http(host, ipv)
    traffic.ping(host, ipv)
    lab.inet.run("nft", "-f", "-", stdin="""
        table inet deaf {
            chain input {
                type filter hook input priority filter
                udp dport 9 drop
            }
        }""")
    lab[host.name].run("/usr/bin/python3", "-c", f"""
import socket
s = socket.socket(socket.AF_INET{'' if ipv == 4 else '6'}, socket.SOCK_DGRAM)
for _ in range(20):
    s.sendto(b'x' * 100, ('{lab.server(ipv)}', 9))
""")
    lab.quiet()


@pytest.mark.parametrize("ipv", [4, 6])
def test_nft_sees_each_flow_once_in_each_direction(lab, traffic, ipv):
    # The file itself, with a counter at each rule.
    text = (RULES / "hostmeter.nft").read_text()
    assert text.count("log group") == 2
    lab.router.run("nft", "-f", "-", stdin=re.sub("(?=log group|return)", "counter ", text))
    traffic_of_all_kinds(lab, traffic, ipv)
    assured, *logged = [int(n) for n in re.findall(r"counter packets (\d+)", lab.router.output("nft", "list", "ruleset"))]
    assert assured > 0
    assert logged == [3, 2]
    assert sum(logged) == flows_and_directions(lab, ipv)


def test_nft_loads_again(lab):
    lab.router.run(*NFT)
    once = lab.router.output("nft", "list", "ruleset")
    lab.router.run(*NFT)
    assert lab.router.output("nft", "list", "ruleset") == once
    assert once.count("log group 60") == 2
    lab.router.run("nft", "delete", "table", "inet", "hostmeter")
    assert "hostmeter" not in lab.router.output("nft", "list", "ruleset")


def test_nft_leaves_other_tables_alone(lab):
    before = lab.router.output("nft", "list", "ruleset")
    lab.router.run(*NFT)
    lab.router.run("nft", "delete", "table", "inet", "hostmeter")
    assert lab.router.output("nft", "list", "ruleset") == before


TOOLS = [("iptables-legacy", 4), ("iptables-nft", 4), ("ip6tables-legacy", 6), ("ip6tables-nft", 6)]


@pytest.mark.parametrize("tool,ipv", TOOLS)
def test_iptables_sees_each_flow_once_in_each_direction(lab, traffic, tool, ipv):
    load_tables(lab.router, tool)
    traffic_of_all_kinds(lab, traffic, ipv)
    listing = lab.router.output(tool, "-w", "-t", "mangle", "-vnxL", "HOSTMETER")
    assured, *logged = [int(line.split()[0]) for line in listing.splitlines()[2:]]
    assert assured > 0
    assert logged == [3, 2]
    assert flows_and_directions(lab, ipv) == 5


@pytest.mark.parametrize("tool,ipv", TOOLS)
def test_iptables_loads_again_and_goes(lab, tool, ipv):
    lab.router.run(tool, "-w", "-t", "mangle", "-A", "FORWARD", "-j", "ACCEPT")

    def rules():
        return [line for line in lab.router.output(f"{tool}-save", "-t", "mangle").splitlines() if line[:1] != "#"]

    def without_counters(lines):
        return [re.sub(r"\[.*", "", line) for line in lines]

    before = without_counters(rules())
    load_tables(lab.router, tool)
    load_tables(lab.router, tool)
    text = "\n".join(rules())
    assert text.count("-A FORWARD -j HOSTMETER") == 1
    assert text.count("-j NFLOG") == 2 and text.count("--nflog-group 60") == 2
    assert text.count("--nflog-size 128") == 2 and text.count("--nflog-threshold 100") == 2
    lab.router.run(*jump(tool, "-D"))
    lab.router.run(tool, "-w", "-t", "mangle", "-F", "HOSTMETER")
    lab.router.run(tool, "-w", "-t", "mangle", "-X", "HOSTMETER")
    assert without_counters(rules()) == before


@pytest.mark.parametrize("rules", ["nft", "iptables", "none"])
def test_counts_are_the_same_by_any_rules(lab, traffic, rules):
    """Without rules the neighbour table tells the hosts apart."""
    oracle = Oracle(lab)
    if rules == "nft":
        lab.load_rules()
    elif rules == "iptables":
        load_tables(lab.router, f"iptables-{oracle.variant}")
        load_tables(lab.router, f"ip6tables-{oracle.variant}")
    with lab.meter(config=lab.names()) as meter:
        for host in lab.hosts:
            for ipv in 4, 6:
                traffic.http(host, ipv)
                traffic.ping(host, ipv)
        assert lab.settled(meter) == oracle.hosts_counts()
        assert len(meter.hosts()) == 12
