# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's crowd, made for numbers: neighbours that never age, and forwarding in threads of its own."""

import os
import time
from pathlib import Path

from lab import PROGRAM, Crowd
from lab.crowd import TRAFFIC, Run

from .measure import METER_CORE, TRAFFIC_CORE, pin, thread_cpu

CTREAD = str(Path(PROGRAM).with_name("ctread"))
MKTRACE = str(Path(PROGRAM).with_name("mktrace"))

# Long enough that no flow ends by itself.
LONG = {"netfilter__nf_conntrack_udp_timeout": 3600, "netfilter__nf_conntrack_udp_timeout_stream": 3600}
# So short that a flow ends as soon as the kernel looks.
SHORT = {"netfilter__nf_conntrack_udp_timeout": 1, "netfilter__nf_conntrack_udp_timeout_stream": 1}


class Field(Crowd):
    """Crowd with one IPv6 address a host. The traffic programs run on their own core."""

    # Names of its own: the threads are found by them.
    lan, wan = f"lan{os.getpid() % 10000}", f"wan{os.getpid() % 10000}"

    def __init__(self, count=50, known=True, **keywords):
        super().__init__(count, **keywords)
        self.known = known  # every host is in the neighbour table

    def _introduce(self):
        if not self.known:
            return
        # Permanent entries do not count towards the kernel's limit of 1024, and are never asked for again.
        report = self.start("--flows", self.count * 2, "--rate", 0, "--limit", 1, "--linger", 0).result(check=False)
        self.router.ip("\n".join(f"neigh replace {address} lladdr {host['mac']} dev {self.lan} nud permanent"
                                 for host in report["hosts"] for ipv in (4, 6)
                                 for address in host[f"ipv{ipv}"]["addresses"]))
        self.router.ip(f"""
            neigh replace {self.server_v4} lladdr {self.server_mac} dev {self.wan} nud permanent
            neigh replace {self.server_v6} lladdr {self.server_mac} dev {self.wan} nud permanent
        """)
        self.flush()

    def reflect(self, *options):
        super().reflect(*options)
        pin(self.reflector.process.pid, TRAFFIC_CORE)

    def start(self, *options, count=None):
        run = super().start("--addresses6", 1, *options, count=count)
        pin(run.process.pid, TRAFFIC_CORE)
        return run

    def forward_in_threads(self):
        """Each interface's packets are handled by a kernel thread, whose CPU time is the router's cost and nothing else."""
        ports = (self.router, self.lan), (self.router, self.wan), (self.inet, "eth0"), (self["crowd"], "eth0")
        for node, device in ports:
            # veth has a NAPI of its own only for peers without segmentation offload.
            node.run("ethtool", "-K", device, "gro", "on", "tso", "off", "gso", "off")
            node.run("unshare", "-m", "sh", "-c",
                     f"mount -t sysfs sysfs /sys && echo 1 > /sys/class/net/{device}/threaded")
        for node, device in ports:
            for pid in self._threads(device):
                pin(pid, METER_CORE if node is self.router else TRAFFIC_CORE)

    @staticmethod
    def _threads(device):
        found = []
        for comm in Path("/proc").glob("[0-9]*/comm"):
            try:
                if comm.read_text().startswith(f"napi/{device}-"):
                    found.append(int(comm.parent.name))
            except OSError:
                pass
        return found

    def forwarding_cpu(self):
        """ns that the router has spent on packets; for forward_in_threads()."""
        return sum(thread_cpu(pid) for device in (self.lan, self.wan) for pid in self._threads(device))

    def forwarded(self):
        """Packets that came into the router."""
        rows = [line.split() for line in self.router.output("cat", "/proc/net/dev").splitlines()]
        return sum(int(row[2]) for row in rows if row[0] in (f"{self.lan}:", f"{self.wan}:"))

    def assured(self):
        """Flows that have had traffic both ways for long enough."""
        return sum(self.router.output("conntrack", "-L", "-f", family).count("[ASSURED]") for family in ("ipv4", "ipv6"))

    def fill(self, flows, rate=40000):
        """So many live flows."""
        self.router.sysctl(**LONG)
        self.generate("--flows", flows, "--rate", rate, "--linger", 100, deadline=300)
        return self.live()

    def room(self):
        """Flows that the kernel's table takes before the meter's valve opens."""
        return self.flow_limit() * 85 // 100


def timed(action):
    """Seconds that it took."""
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


__all__ = ["CTREAD", "Field", "LONG", "MKTRACE", "Run", "SHORT", "TRAFFIC", "timed"]
