# SPDX-License-Identifier: GPL-2.0-or-later
"""The home network: three hosts on a bridge, a router with masquerading, a server on the WAN."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .counters import conntrack_list
from .meter import ROOT, Meter
from .node import Node, wait_until


@dataclass(frozen=True)
class Host:
    name: str
    mac: str
    v4: str
    v6: str

    def address(self, ipv):
        return self.v4 if ipv == 4 else self.v6


def _host(name, number, lan=77):
    return Host(name, f"00:00:5e:00:53:{number:02x}", f"192.168.{lan}.{number}", f"2001:db8:{lan}::{number}")


HOSTS = tuple(_host(name, number) for number, name in enumerate(("desktop", "laptop", "phone"), 11))

# Addresses are usable at once, nobody autoconfigures or joins, and packets go where the routes say.
QUIET = {
    "ipv4__igmp_link_local_mcast_reports": 0,
    "ipv6__conf__all__accept_dad": 0, "ipv6__conf__default__accept_dad": 0,
    "ipv6__conf__all__accept_ra": 0, "ipv6__conf__default__accept_ra": 0,
    "ipv6__conf__default__router_solicitations": 0,
}

RULES = ROOT / "rules"

# TCP states after which no packet of a flow is to be expected.
ENDED = ("TIME_WAIT", "CLOSE")


class Lab:
    """Builds the network on entry, takes it down on exit. Needs to run in tests/lab/sandbox."""

    lan, wan = "br-lan", "wan"
    router_v4, router_v6 = "192.168.77.1", "2001:db8:77::1"
    wan_v4, wan_v6 = "198.51.100.2", "2001:db8:ff::2"
    server_v4, server_v6 = "198.51.100.1", "2001:db8:ff::1"
    far_v4, far_v6 = "192.0.2.1", "2001:db8:1::1"
    hosts = HOSTS

    def __init__(self, acct=1, events=1):
        self.scratch = Path(tempfile.mkdtemp(prefix="hostmeter-lab."))
        self.acct, self.events = acct, events
        self.nodes = {}

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for node in self.nodes.values():
            node.close()
        violations = [line for node in self.nodes.values() for line in node.violations()]
        self.nodes = {}
        shutil.rmtree(self.scratch, ignore_errors=True)
        assert not violations, "\n".join(violations)

    def __getitem__(self, name):
        """The node of a host, "router" or "inet"."""
        return self.nodes[name]

    @property
    def router(self):
        return self.nodes["router"]

    @property
    def inet(self):
        return self.nodes["inet"]

    def server(self, ipv):
        return self.server_v4 if ipv == 4 else self.server_v6

    def far(self, ipv):
        """An address of inet that only the default route leads to."""
        return self.far_v4 if ipv == 4 else self.far_v6

    def host_of(self, address):
        """The host that has this address; None for others."""
        return next((host for host in self.hosts if address in (host.v4, host.v6)), None)

    def node(self, name):
        """Adds an empty namespace."""
        self.nodes[name] = node = Node(name, self.scratch)
        node.sysctl(**QUIET)
        return node

    def _address_router(self, prefix=24):
        self.nodes["router"].ip(f"""
            address add {self.router_v4}/{prefix} dev {self.lan}
            address add {self.router_v6}/64 dev {self.lan} nodad
            address add {self.wan_v4}/24 dev {self.wan}
            address add {self.wan_v6}/64 dev {self.wan} nodad
            link set {self.lan} up
            link set {self.wan} up
            route add default via {self.server_v4} dev {self.wan}
            route add default via {self.server_v6} dev {self.wan}
        """)

    def _build(self):
        router, inet = self.node("router"), self.node("inet")
        # The addresses below come before forwarding is switched on where that would change how they behave.
        router.ip(f"""
            link add {self.lan} address 00:00:5e:00:53:01 type bridge stp_state 0
            link add {self.wan} address 00:00:5e:00:53:02 type veth peer name eth0 address 00:00:5e:00:53:fe netns inet
        """)
        self._address_router()
        inet.ip(f"""
            address add {self.far_v4}/32 dev lo
            address add {self.far_v6}/128 dev lo nodad
            address add {self.server_v4}/24 dev eth0
            address add {self.server_v6}/64 dev eth0 nodad
            link set eth0 up
            route add 2001:db8:77::/64 via {self.wan_v6} dev eth0
        """)
        for host in self.hosts:
            self._add_host(host)
        self._route()

    def _route(self):
        """Forwarding, masquerading and tracking."""
        router = self.router
        router.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
        # A rule that tracks is what makes conntrack work in a namespace, and its settings appear.
        router.run("nft", "-f", "-", stdin=f"""
            table ip nat {{
                chain postrouting {{
                    type nat hook postrouting priority srcnat
                    oifname "{self.wan}" masquerade
                }}
                chain prerouting {{
                    type nat hook prerouting priority dstnat
                }}
            }}
            table ip6 track {{
                chain forward {{
                    type filter hook forward priority filter
                    ct state established accept
                }}
            }}
        """)
        router.sysctl(netfilter__nf_conntrack_acct=self.acct, netfilter__nf_conntrack_events=self.events)

    def _add_host(self, host):
        self._plug(host, host.name, self.router_v4, self.router_v6)
        self.router.ip(f"link set {host.name} master {self.lan} up")

    def _plug(self, host, port, via_v4, via_v6):
        """A host's namespace, at this port of the router."""
        node = self.node(host.name)
        self.router.ip(f"link add {port} type veth peer name eth0 address {host.mac} netns {host.name}")
        node.ip(f"""
            address add {host.v4}/24 dev eth0
            address add {host.v6}/64 dev eth0 nodad
            link set eth0 up
            route add default via {via_v4} dev eth0
            route add default via {via_v6} dev eth0
        """)

    def second_lan(self):
        """Adds the interface guest, 192.168.78.1 and 2001:db8:78::1, and returns the one host behind it."""
        host = _host("tv", 14, 78)
        self._plug(host, "guest", "192.168.78.1", "2001:db8:78::1")
        self.router.ip("""
            address add 192.168.78.1/24 dev guest
            address add 2001:db8:78::1/64 dev guest nodad
            link set guest up
        """)
        self.inet.ip(f"route add 2001:db8:78::/64 via {self.wan_v6} dev eth0")
        return host

    def second_wan(self):
        """Adds the interface wan2 to inet, 203.0.113.2 and 2001:db8:fe::2; no route leads there yet."""
        self.router.ip("""
            link add wan2 type veth peer name eth1 netns inet
            address add 203.0.113.2/24 dev wan2
            address add 2001:db8:fe::2/64 dev wan2 nodad
            link set wan2 up
        """)
        self.inet.ip("""
            address add 203.0.113.1/24 dev eth1
            address add 2001:db8:fe::1/64 dev eth1 nodad
            link set eth1 up
        """)
        self.router.run("nft", "add", "rule", "ip", "nat", "postrouting", "oifname", "wan2", "masquerade")

    def default_routes(self, wan):
        """Moves both to this WAN, and the way back as well."""
        v4, v6, back, eth = {self.wan: (self.server_v4, self.server_v6, self.wan_v6, "eth0"),
                             "wan2": ("203.0.113.1", "2001:db8:fe::1", "2001:db8:fe::2", "eth1")}[wan]
        self.router.ip(f"""
            route replace default via {v4} dev {wan}
            route replace default via {v6} dev {wan}
        """)
        self.inet.ip(f"route replace 2001:db8:77::/64 via {back} dev {eth}")

    def port_forward(self, port, host, to_port, proto="tcp"):
        """WAN port → the host's, IPv4."""
        self.router.run("nft", "add", "rule", "ip", "nat", "prerouting", "iifname", self.wan, proto, "dport", port,
                        "dnat", "to", f"{host.v4}:{to_port}")

    def meter(self, *options, **keywords):
        """A Meter of this lab's router, not yet started."""
        return Meter(self, *options, **keywords)

    def names(self, hosts=HOSTS):
        """The part of a configuration file that names these hosts."""
        return "".join(f'host "{host.name}" {{ mac = {{"{host.mac}"}} }}\n' for host in hosts)

    def load_rules(self):
        self.router.run("nft", "-f", RULES / "hostmeter.nft")

    def quiet(self, deadline=20):
        """Waits until every TCP flow has said goodbye: all that may still come is silence."""
        wait_until(lambda: all(flow.state is None or flow.state in ENDED for flow in conntrack_list(self.router)),
                   deadline, "every TCP flow has ended")

    def settled(self, meter, deadline=20):
        """Ends every flow, so that the kernel tells its final counts, and waits until the meter has taken them in."""
        self.quiet(deadline)
        self.router.run("conntrack", "-F")
        return meter.steady(deadline)
