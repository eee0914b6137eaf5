# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks that people have: which side an interface is on, who gets an answer there, and whose the bytes are.

The meter finds the sides by itself. All bytes are known before they are sent.
"""

import base64
import http.client
import json
import socket
import ssl
from contextlib import contextmanager

import pytest
from lab import RULES, Truth, Tun, Wire, answered, closed, curl, talk, udp, wait_until
from test_web import Certificates, bcrypt

PORT = 9
FOUND = {"interfaces": (), "listen": ":10060"}


def sides(meter):
    """{interface: side} of all that has one."""
    return {row["interface"]: row["side"] for row in json.loads(meter.get("/api/v1/status"))["sides"]}


def becomes(meter, **wanted):
    """Waits until these interfaces are on these sides; None: they are not there."""
    wait_until(lambda: {name: sides(meter).get(name.replace("_", "-")) for name in wanted} == wanted, what=wanted)


def exchange(lab, truth, host, ipv, address=None, times=3):
    """Talks of a host with the far server, each from a port of its own."""
    address = address or lab.far(ipv)
    server = udp(lab.inet, address, PORT)
    for _ in range(times):
        truth.asked(host, ipv, talk(udp(lab[host.name], host.address(ipv)), server, (address, PORT)))


def exact(lab, meter, truth):
    """Every byte of the hosts is there, and no host is there that is none."""
    assert {key: count for key, count in lab.settled(meter).items() if key[0] != "router"} == truth
    macs = {dict(labels)["mac"] for (name, labels), _ in meter.metrics().items() if name == "host_bytes_total"}
    assert macs <= {host.mac for host in lab.hosts} | {""}


def provider_is_refused(lab, *addresses):
    for address in addresses:
        closed(lab.inet, f"http://{address}:10060/metrics")


def lan_is_answered(lab):
    for address in lab.router_v4, f"[{lab.router_v6}]":
        answered(lab[lab.hosts[0].name], f"http://{address}:10060/metrics")


@contextmanager
def vpn(lab):
    """tun0 of the router leads to inet, without MAC addresses; no route leads there yet."""
    with Tun(lab.router, "tun0") as here, Tun(lab.inet, "tun0") as there:
        lab.router.ip("""
            address add 10.8.0.2/24 dev tun0
            address add 2001:db8:8::2/64 dev tun0 nodad
            link set tun0 up
        """)
        lab.inet.ip("""
            address add 10.8.0.1/24 dev tun0
            address add 2001:db8:8::1/64 dev tun0 nodad
            link set tun0 up
            route replace 2001:db8:77::/64 via 2001:db8:8::2 dev tun0
        """)
        lab.router.run("nft", "add", "rule", "ip", "nat", "postrouting", "oifname", "tun0", "masquerade")
        with Wire(here, there):
            yield


VPNS = {
    "halves": """
        route add 0.0.0.0/1 via 10.8.0.1 dev tun0
        route add 128.0.0.0/1 via 10.8.0.1 dev tun0
        route add ::/1 via 2001:db8:8::1 dev tun0
        route add 8000::/1 via 2001:db8:8::1 dev tun0
    """,
    "quarters": """
        route add 0.0.0.0/2 dev tun0
        route add 64.0.0.0/2 dev tun0
        route add 128.0.0.0/2 dev tun0
        route add 192.0.0.0/2 dev tun0
        route add 2000::/3 dev tun0
    """,
    # As calculators of AllowedIPs write it: all but the private networks.
    "public": "".join(f"route add {prefix} dev tun0\n" for prefix in (
        "0.0.0.0/5", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3", "64.0.0.0/2", "128.0.0.0/3",
        "160.0.0.0/5", "168.0.0.0/6", "172.0.0.0/12", "172.32.0.0/11", "172.64.0.0/10", "172.128.0.0/9", "173.0.0.0/8",
        "174.0.0.0/7", "176.0.0.0/4", "192.0.0.0/9", "192.128.0.0/11", "192.160.0.0/13", "192.169.0.0/16",
        "193.0.0.0/8", "194.0.0.0/7", "196.0.0.0/6", "200.0.0.0/5", "208.0.0.0/4", "2000::/4", "3000::/4")),
    # For some servers only, as the far ones here.
    "servers": """
        route add 192.0.2.0/24 via 10.8.0.1 dev tun0
        route add 2001:db8:1::/48 via 2001:db8:8::1 dev tun0
    """,
    # As wg-quick does it: all that is not marked, but for what the main table knows better.
    "table": """
        route add default dev tun0 table 51820
        rule add not fwmark 0xca6c table 51820 priority 32764
        rule add table main suppress_prefixlength 0 priority 32763
        -6 route add default dev tun0 table 51820
        -6 rule add not fwmark 0xca6c table 51820 priority 32764
        -6 rule add table main suppress_prefixlength 0 priority 32763
    """,
}


@pytest.mark.parametrize("routes", VPNS)
def test_a_vpn_that_takes_all_is_a_wan(lab, rules, routes):
    """Servers behind it are no hosts, and what is at its other end is not answered."""
    host, truth = lab.hosts[0], Truth()
    with vpn(lab), lab.meter(config=lab.names(), **FOUND) as meter:
        lab.router.ip(VPNS[routes])
        becomes(meter, tun0="wan", wan="wan", br_lan="lan")
        for ipv in 4, 6:
            exchange(lab, truth, host, ipv)
        exact(lab, meter, truth)
        provider_is_refused(lab, "10.8.0.2", "[2001:db8:8::2]", lab.wan_v4)
        lan_is_answered(lab)


NEXT_HOPS = {
    "inline": """
        route replace default nexthop via 198.51.100.1 dev wan nexthop via 203.0.113.1 dev wan2
        -6 route replace default nexthop via 2001:db8:ff::1 dev wan nexthop via 2001:db8:fe::1 dev wan2
    """,
    "objects": """
        nexthop add id 1 via 198.51.100.1 dev wan
        nexthop add id 2 via 203.0.113.1 dev wan2
        nexthop add id 10 group 1/2
        route replace default nhid 10
        nexthop add id 3 via 2001:db8:ff::1 dev wan
        nexthop add id 4 via 2001:db8:fe::1 dev wan2
        nexthop add id 20 group 3/4
        -6 route replace default nhid 20
    """,
}


@pytest.mark.parametrize("hops", NEXT_HOPS)
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_every_next_hop_is_a_wan(lab, hops, late):
    lab.load_rules()
    lab.second_wan()
    host, truth = lab.hosts[0], Truth()
    if not late:
        lab.router.ip(NEXT_HOPS[hops])
    with lab.meter(config=lab.names(), **FOUND) as meter:
        if late:
            lab.router.ip(NEXT_HOPS[hops])
        becomes(meter, wan="wan", wan2="wan", br_lan="lan")
        for ipv in 4, 6:
            exchange(lab, truth, host, ipv, times=12)
        exact(lab, meter, truth)
        provider_is_refused(lab, "203.0.113.2", "[2001:db8:fe::2]", lab.wan_v4, f"[{lab.wan_v6}]")
        lan_is_answered(lab)


def test_a_stray_default_route_on_the_lan(lab, rules):
    """As a misconfigured host advertises one: while it lasts the LAN is closed, and then it is a LAN again."""
    host, truth = lab.hosts[0], Truth()
    with lab.meter(config=lab.names(), **FOUND) as meter:
        becomes(meter, br_lan="lan")
        lab.router.ip(f"-6 route add default via 2001:db8:77::66 dev {lab.lan} metric 512")
        becomes(meter, br_lan="wan", wan="wan")
        lab.router.ip(f"-6 route delete default via 2001:db8:77::66 dev {lab.lan} metric 512")
        becomes(meter, br_lan="lan", wan="wan")
        lan_is_answered(lab)
        for ipv in 4, 6:
            exchange(lab, truth, host, ipv)
        exact(lab, meter, truth)


class Kept:
    """A connection of a host that is kept between requests."""

    def __init__(self, lab, host, context=None):
        sock = lab[host.name].socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect((lab.router_v4, 10060))
        self.http = http.client.HTTPConnection(lab.router_v4, 10060)
        self.http.auto_open = 0
        self.http.sock = context.wrap_socket(sock, server_hostname="localhost") if context else sock

    def ask(self, **headers):
        self.http.request("GET", "/metrics", headers=headers)

    def answer(self):
        """The status and the length of the page; None: closed without a byte."""
        try:
            answer = self.http.getresponse()
            return answer.status, len(answer.read()) > 1000
        except (ConnectionResetError, http.client.RemoteDisconnected, ssl.SSLEOFError):
            return None


@contextmanager
def stray_default_route(lab, meter):
    route = f"default via 2001:db8:77::66 dev {lab.lan} metric 512"
    lab.router.ip(f"-6 route add {route}")
    becomes(meter, br_lan="wan", wan="wan")
    yield
    lab.router.ip(f"-6 route delete {route}")
    becomes(meter, br_lan="lan", wan="wan")


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_kept_connection_is_asked_for_at_each_request(lab, tls):
    """A client that is no longer on a LAN loses the connection it has, also while its password is checked."""
    host, context, web, slow = lab.hosts[0], None, (), None
    if tls:
        certificates = Certificates(lab)
        web = "--web.config.file", certificates.write(users={"quick": bcrypt("secret"), "slow": bcrypt("secret", 15)})
        context = ssl.create_default_context(cafile=certificates.directory / "ca.crt")

    def basic(user):
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:secret".encode()).decode()} if tls else {}

    with lab.meter(*web, **FOUND) as meter:
        becomes(meter, br_lan="lan")
        kept = Kept(lab, host, context)

        def kept_is_answered():
            kept.ask(**basic("quick"))
            assert kept.answer() == (200, True)

        kept_is_answered()
        if tls:
            slow = Kept(lab, host, context)
            slow.ask(**basic("slow"))
        # The password of this one is known by now. When it is answered, the slow one has been read.
        kept_is_answered()
        kept_is_answered()
        with stray_default_route(lab, meter):
            kept.ask(**basic("quick"))
            assert kept.answer() is None
            assert not slow or slow.answer() is None
        again = Kept(lab, host, context)
        again.ask(**basic("quick"))
        assert again.answer() == (200, True)


OVERLAPS = {
    "route": """
        address add 10.5.0.2/24 dev wan
        address add 2001:db8:aa:5::2/64 dev wan nodad
    """,
    # The route is in a table for the packets of this address: only the address shows that its network is the provider's.
    "rule": """
        address add 10.5.0.2/24 dev wan noprefixroute
        route add 10.5.0.0/24 dev wan table 100
        rule add from 10.5.0.2 lookup 100 priority 1000
        address add 2001:db8:aa:5::2/64 dev wan nodad noprefixroute
        route add 2001:db8:aa:5::/64 dev wan table 100
        -6 rule add from 2001:db8:aa:5::2 lookup 100 priority 1000
    """,
}


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_where_a_wan_lies_within_the_prefix_of_a_lan(lab, overlap):
    """The provider's network is a piece of the LAN's: the longer prefix tells who is who."""
    host = lab.hosts[0]
    lab.router.ip(f"""
        address add 10.0.0.1/8 dev {lab.lan}
        address add 2001:db8:aa::1/48 dev {lab.lan} nodad
        {OVERLAPS[overlap]}
    """)
    lab[host.name].ip("""
        address add 10.0.0.7/8 dev eth0
        address add 2001:db8:aa::7/48 dev eth0 nodad
    """)
    lab.inet.ip("""
        address add 10.5.0.7/24 dev eth0
        address add 2001:db8:aa:5::7/64 dev eth0 nodad
        route add 10.0.0.1 via 10.5.0.2 src 10.5.0.7
        route add 2001:db8:aa::1 via 2001:db8:aa:5::2 src 2001:db8:aa:5::7
    """)
    with lab.meter(**FOUND) as meter:
        becomes(meter, br_lan="lan", wan="wan")
        provider_is_refused(lab, "10.5.0.2", "[2001:db8:aa:5::2]")
        if overlap == "route":  # else the router's answer from there goes to the LAN
            provider_is_refused(lab, "10.0.0.1", "[2001:db8:aa::1]")
        for address in "10.0.0.1", "[2001:db8:aa::1]":
            answered(lab[host.name], f"http://{address}:10060/metrics")
        lan_is_answered(lab)


@pytest.mark.parametrize("count", [9000])
def test_a_full_table(lab, rules, count):
    """Routes of a provider's take no room from those that tell the LAN, which came last."""
    host, truth = lab.hosts[0], Truth()
    routes = (f"route add 11.{i // 256}.{i % 256}.0/24 via {lab.server_v4} dev {lab.wan}" for i in range(count))
    lab.router.ip("\n".join(routes))
    lab.router.ip(f"""
        address add 12.200.0.1/24 dev {lab.lan}
        route add 12.201.0.0/24 via {host.v4} dev {lab.lan}
    """)
    lab[host.name].ip("""
        address add 12.201.0.1/32 dev lo
        address add 12.200.0.2/24 dev eth0
    """)
    with lab.meter(config=lab.names(), **FOUND) as meter:
        wait_until(lambda: meter.value("hostmeter_dumps_total"), what="what flows have counted so far is known")
        for address in "12.201.0.1", "12.200.0.2":
            router = udp(lab.router, lab.router_v4)
            truth.answered(host, 4, talk(router, udp(lab[host.name], address, PORT), (address, PORT)))
        lab.settled(meter)
        assert meter.local() == truth
        assert meter.hosts() == {}


def macvlan_wan(lab):
    """The WAN is a macvlan over the port, which has an address of its own to reach the modem."""
    lab.router.ip(f"""
        -6 route delete default dev {lab.wan}
        address flush dev {lab.wan}
        link add link {lab.wan} name mv0 type macvlan mode bridge
        address add {lab.wan_v4}/24 dev mv0
        address add {lab.wan_v6}/64 dev mv0 nodad
        address add 192.168.100.2/24 dev {lab.wan}
        link set mv0 up
        route add default via {lab.server_v4} dev mv0
        route add default via {lab.server_v6} dev mv0
    """)
    lab.inet.ip("address add 192.168.100.1/24 dev eth0")
    lab.router.run("nft", "add", "rule", "ip", "nat", "postrouting", "oifname", "mv0", "masquerade")


def test_what_a_wan_runs_over_is_closed(lab, rules):
    host, truth = lab.hosts[0], Truth()
    macvlan_wan(lab)
    with lab.meter(config=lab.names(), **FOUND) as meter:
        becomes(meter, mv0="wan", br_lan="lan", wan="carrier")
        for ipv in 4, 6:
            exchange(lab, truth, host, ipv)
        # The modem talks to the router: neither a host nor the router's WAN traffic.
        talk(udp(lab.inet, "192.168.100.1"), udp(lab.router, "192.168.100.2", PORT), ("192.168.100.2", PORT))
        exact(lab, meter, truth)
        provider_is_refused(lab, "192.168.100.2", lab.wan_v4, f"[{lab.wan_v6}]")
        lan_is_answered(lab)


def test_closed_until_a_wan_is_known(lab, rules):
    """Boot: addresses are there, the provider has not answered yet."""
    host, truth = lab.hosts[0], Truth()
    lab.router.ip("route delete default\n-6 route delete default")
    with lab.meter(config=lab.names(), **FOUND) as meter:
        assert not set(sides(meter).values()) & {"wan", "lan"}
        assert "LAN: none: no interface is a LAN until a WAN is known" in meter.log()
        provider_is_refused(lab, lab.wan_v4, f"[{lab.wan_v6}]")
        closed(lab[host.name], f"http://{lab.router_v4}:10060/metrics")
        lab.router.ip(f"route add default via {lab.server_v4} dev {lab.wan}")
        becomes(meter, wan="wan", br_lan="lan")
        lan_is_answered(lab)
        provider_is_refused(lab, lab.wan_v4, f"[{lab.wan_v6}]")
        exchange(lab, truth, host, 4)
        exact(lab, meter, truth)


def test_a_wan_made_anew_is_closed(lab):
    """Its new interface has no route yet, and the number of the old one means nothing."""
    with lab.meter(config=lab.names(), **FOUND) as meter:
        becomes(meter, wan="wan", br_lan="lan")
        lab.router.ip(f"link delete {lab.wan}")
        lab.router.ip(f"link add {lab.wan} type veth peer name eth0 netns inet")
        lab.inet.ip(f"""
            address add {lab.server_v4}/24 dev eth0
            link set eth0 up
        """)
        lab.router.ip(f"""
            address add {lab.wan_v4}/24 dev {lab.wan}
            link set {lab.wan} up
        """)
        wait_until(lambda: curl(lab.inet, f"http://{lab.wan_v4}:10060/metrics")[0] in (52, 56))
        assert sides(meter)["wan"] == "wan"  # remembered by its name
        provider_is_refused(lab, lab.wan_v4)
        lab.router.ip(f"route add default via {lab.server_v4} dev {lab.wan}")
        becomes(meter, wan="wan", br_lan="lan")
        provider_is_refused(lab, lab.wan_v4)
        lan_is_answered(lab)


def test_a_restart_remembers_the_sides(lab, rules):
    """The line of the second WAN is down when the meter is killed: it had its route once, and stays closed."""
    lab.second_wan()
    lab.router.ip("""
        address flush dev wan2
        address add 192.168.8.100/24 dev wan2
    """)
    lab.inet.ip("address add 192.168.8.1/24 dev eth1")
    lab.router.ip("route add default via 192.168.8.1 dev wan2 metric 100")
    with lab.meter(config=lab.names(), **FOUND) as meter:
        becomes(meter, wan="wan", wan2="wan", br_lan="lan")
        lab.router.ip("route delete default via 192.168.8.1 dev wan2 metric 100")
        for _ in range(2):
            becomes(meter, wan="wan", wan2="wan", br_lan="lan")
            provider_is_refused(lab, "192.168.8.100")
            lan_is_answered(lab)
            wait_until(lambda: meter.value("hostmeter_checkpoint_age_seconds") is not None, what="it is saved")
            meter.process.kill()
            meter.start()


def test_a_change_of_a_side_is_logged_with_its_reason(lab):
    with lab.meter(config=lab.names(), **FOUND) as meter:
        becomes(meter, wan="wan", br_lan="lan")
        lab.router.ip(f"-6 route add default via 2001:db8:77::66 dev {lab.lan} metric 512")
        becomes(meter, br_lan="wan")
        line = f"interface {lab.lan}: wan, before: lan: a default route leads out of it"
        wait_until(lambda: meter.log().count(line) == 1, what=line)
        check = lab.router.run(*meter.argv, "--check", check=False).stdout
        assert f"{lab.lan}: wan: a default route leads out of it\n" in check
        assert "wan: wan: a default route leads out of it\n" in check
        assert "to say otherwise: lan, wan, carrier, transit or ignore in the configuration" in check


def test_the_configuration_says_otherwise(lab, rules):
    """A carrier, an ignored bridge and a LAN of public addresses, all against the evidence."""
    host, truth = lab.hosts[0], Truth()
    lab.second_wan()
    config = lab.names() + 'ignore = {"guest"}\ncarrier = {"wan2"}\n'
    lab.second_lan()
    with lab.meter(config=config, **FOUND) as meter:
        becomes(meter, wan="wan", br_lan="lan", guest="other", wan2="carrier")
        for ipv in 4, 6:
            exchange(lab, truth, host, ipv)
        assert {key: count for key, count in lab.settled(meter).items() if key[0] != "router"} == truth
        closed(lab["tv"], "http://192.168.78.1:10060/metrics")
        provider_is_refused(lab, lab.wan_v4, "203.0.113.2")
        lan_is_answered(lab)


def test_the_link_by_which_a_client_came_tells(lab):
    """A rule for the router's own WAN address leads to the provider's network, which lies within the LAN's prefix."""
    host = lab.hosts[0]
    lab.router.ip(f"""
        address add 10.0.0.1/8 dev {lab.lan}
        route add 10.5.0.0/24 via {lab.server_v4} dev {lab.wan} table 77
        rule add from {lab.wan_v4} lookup 77
    """)
    lab[host.name].ip("address add 10.0.0.7/8 dev eth0")
    lab.inet.ip(f"""
        address add 10.5.0.7/32 dev lo
        route add {lab.wan_v4} dev eth0 src 10.5.0.7
    """)
    with lab.meter(**FOUND) as meter:
        becomes(meter, br_lan="lan", wan="wan")
        provider_is_refused(lab, lab.wan_v4)
        answered(lab[host.name], "http://10.0.0.1:10060/metrics")
        answered(lab[host.name], f"http://{lab.wan_v4}:10060/metrics", "--interface", host.v4)
        lan_is_answered(lab)


def test_a_side_router(lab, rules):
    """A router with one link, which the hosts and the gateway to the Internet share."""
    host, truth = lab.hosts[0], Truth()
    aside = lab.node("aside")
    lab.router.ip("link add aside type veth peer name eth0 address 00:00:5e:00:53:aa netns aside")
    lab.router.ip(f"link set aside master {lab.lan} up")
    aside.ip(f"""
        address add 192.168.77.5/24 dev eth0
        address add 2001:db8:77::5/64 dev eth0 nodad
        link set eth0 up
        route add default via {lab.router_v4} dev eth0
        route add default via {lab.router_v6} dev eth0
    """)
    aside.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1, ipv4__conf__all__send_redirects=0,
                 ipv4__conf__eth0__send_redirects=0)
    aside.run("nft", "-f", "-", stdin="""
        table ip nat { chain postrouting { type nat hook postrouting priority srcnat; oifname eth0 masquerade; }; }
        table ip6 nat { chain postrouting { type nat hook postrouting priority srcnat; oifname eth0 masquerade; }; }
    """)
    aside.sysctl(netfilter__nf_conntrack_acct=1, netfilter__nf_conntrack_events=1)
    if rules == "nflog":
        aside.run("nft", "-f", RULES / "hostmeter.nft")
    lab[host.name].ip("""
        route replace default via 192.168.77.5 dev eth0
        route replace default via 2001:db8:77::5 dev eth0
    """)
    with lab.meter(config=lab.names(), node=aside, **FOUND) as meter:
        becomes(meter, eth0="wan")
        for ipv in 4, 6:
            exchange(lab, truth, host, ipv)
        aside.run("conntrack", "-F")
        meter.steady()
        assert {key: count for key, count in meter.hosts().items() if key[0] != "router"} == truth
        closed(lab[host.name], "http://192.168.77.5:10060/metrics")  # it cannot be told from the provider
