# SPDX-License-Identifier: GPL-2.0-or-later
"""
Many hosts, many flows: the traffic generator plays a LAN on one side of the router and the server on the other.

    crowd  10.77.0.16 …  2001:db8:77::…  02:00:00:00:xx:yy ── lan  router  wan ── inet  198.51.100.1

The generator counts what it sends and gets by MAC, so it is the judge: what the meter has must be that, to the byte.
"""

import json
from pathlib import Path

from .counters import NETLINK_NETFILTER, Count
from .meter import PROGRAM
from .node import wait_until
from .topology import Lab

TRAFFIC = str(Path(PROGRAM).with_name("traffic"))


def add_counts(*parts):
    """The sum of several {(host, ipv, direction): Count}."""
    total = {}
    for part in parts:
        for key, count in part.items():
            total[key] = total.get(key, Count()) + count
    return total


def _count(entry):
    return Count(entry["bytes"], entry["packets"])


class Run:
    """A generator or reflector at work."""

    def __init__(self, node, *arguments):
        self.process = node.spawn(TRAFFIC, "--interface", "eth0", *arguments)
        self.wait_for("ready")

    def wait_for(self, word, deadline=10):
        """Until it says it is there: "ready", "sent"."""

        def said():
            ended = not self.process.running()  # asked first: a short run may end between the two questions
            if f"traffic: {word}" in self.process.output():
                return True
            assert not ended or word == "sent", self.process.output()
            return False

        wait_until(said, deadline, f"the generator is {word}", step=0.01)

    def running(self):
        return self.process.running()

    def result(self, deadline=60, check=True):
        """Its report, once it has ended. With check, a frame that the lab itself lost is an error."""
        assert self.process.wait(deadline) == 0, self.process.output()
        text = self.process.output()
        report = json.loads(text[text.index("{"):])
        if check:
            lost = {key: report[key] for key in ("receive_drops", "interface_tx_dropped")}
            assert not any(lost.values()), f"the lab lost packets: {lost}"
        return report

    def finish(self, **keywords):
        """Ends it early."""
        self.process.send(15)
        return self.result(**keywords)


def counts_of(report):
    """{(MAC, ipv, direction): Count} of a generator's report."""
    counts = {}
    for host in report["hosts"]:
        for ipv in 4, 6:
            if f"ipv{ipv}" in host:
                counts[host["mac"], ipv, "out"] = _count(host[f"ipv{ipv}"]["sent"])
                counts[host["mac"], ipv, "in"] = _count(host[f"ipv{ipv}"]["received"])
    return {key: count for key, count in counts.items() if count != Count()}


class Crowd(Lab):
    """The router of Lab between two traffic programs. Its timeouts are long: flows end when they are flushed."""

    lan = "lan"
    router_v4 = "10.77.0.1"
    lan_mac = "00:00:5e:00:53:01"
    server_mac = "02:00:00:ff:ff:fe"
    hosts = ()

    def __init__(self, count=50, **keywords):
        super().__init__(**keywords)
        self.count = count
        self.reflector = None

    def _build(self):
        router, inet, crowd = self.node("router"), self.node("inet"), self.node("crowd")
        for node in inet, crowd:
            node.sysctl(ipv6__conf__all__disable_ipv6=1, ipv6__conf__default__disable_ipv6=1)
        router.ip(f"""
            link add {self.lan} address {self.lan_mac} type veth peer name eth0 netns crowd
            link add {self.wan} address 00:00:5e:00:53:02 type veth peer name eth0 netns inet
        """)
        self._address_router(prefix=16)
        crowd.ip("link set eth0 up")
        inet.ip("link set eth0 up")
        self._route()
        self.reflect()
        self._introduce()

    def reflect(self, *options):
        """The server from now on: its answers may be given another shape."""
        if self.reflector:
            self.reflector.finish()
        self.reflector = Run(self.inet, "--reflect", "--destination4", self.server_v4, "--destination6",
                             self.server_v6, "--mac", self.server_mac, *options)

    def start(self, *options, count=None):
        """Starts traffic of all hosts; its options are the generator's."""
        return Run(self["crowd"], "--gateway-mac", self.lan_mac, "--source4", "10.77.0.0/16", "--source6",
                   "2001:db8:77::/64", "--destination4", self.server_v4, "--destination6", self.server_v6, "--hosts",
                   count or self.count, *options)

    def generate(self, *options, deadline=60):
        """Traffic from its beginning to its end; the report."""
        return self.start(*options).result(deadline)

    def _introduce(self):
        """The router learns every host's addresses, so that no packet waits for a neighbour when it counts."""
        # One flow for each IPv4 and each of three IPv6 addresses.
        self.generate("--flows", self.count * 6, "--rate", 2000)
        self.flush()

    def flush(self):
        """Ends every flow: the kernel tells their final counts, as fast as somebody takes them."""
        self.router.run("conntrack", "-F")

    def live(self):
        """How many flows the router tracks, those included whose end could not be told yet."""
        return int(self.router.read_sysctl("netfilter__nf_conntrack_count"))

    def heard(self):
        """Whether every listener to conntrack's events has read all that it was told."""
        rows = [line.split() for line in self.router.output("cat", "/proc/net/netlink").splitlines()[1:]]
        return not any(int(row[4]) for row in rows if row[1] == NETLINK_NETFILTER and int(row[3], 16))

    def flow_limit(self):
        return int(self.router.read_sysctl("netfilter__nf_conntrack_max"))

    def end_one_by_one(self):
        """Ends every flow in its turn: the router's own tool lists and deletes them, tens of thousands a second."""
        for family in "ipv4", "ipv6":
            self.router.run("sh", "-c", f"conntrack -D -f {family} > /dev/null", check=False)

    def drained(self, deadline=60):
        """Ends every flow and waits until the kernel has told it to every reliable listener."""
        self.flush()
        wait_until(lambda: self.live() == 0, deadline, "every end has been told")

    def settled(self, meter, deadline=60):
        """What the meter has once every flow has ended and been told."""
        self.drained(deadline)
        return meter.steady(deadline)

    def sums(self, report, flows):
        """{(MAC, ipv, direction): Count} of conntrack's flows, by the addresses in a generator's report."""
        owner = {address: host["mac"] for host in report["hosts"] for ipv in (4, 6)
                 for address in host.get(f"ipv{ipv}", {}).get("addresses", ())}
        sums = [{(owner[flow.src[0]], flow.ipv, way): count for way, count in zip(("out", "in"), flow.counts)}
                for flow in flows if flow.src[0] in owner]
        return add_counts(*sums)

    def sent(self):
        """Packets that the crowd has sent since the lab was built."""
        table = self["crowd"].output("cat", "/proc/net/dev")
        return int(next(line for line in table.splitlines() if line.strip().startswith("eth0:")).split()[10])
