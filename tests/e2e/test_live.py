# SPDX-License-Identifier: GPL-2.0-or-later
"""The network changes while the meter runs; nothing is restarted, and it finds its interfaces by itself."""

import json

import pytest
from lab import Truth, say, talk, udp, wait_until

NO_DUMPS = "--dump-interval", "3600"
ECHO = 7


def sides(meter):
    """{interface: side}"""
    return {dict(labels)["interface"]: dict(labels)["side"] for name, labels in meter.metrics()
            if name == "hostmeter_interface_info"}


def ask_far(lab, host, truth, families=(4, 6), ask=100):
    """The host asks what only the default route leads to."""
    for ipv in families:
        server, to = udp(lab.inet, lab.far(ipv), ECHO), (lab.far(ipv), ECHO)
        truth.asked(host, ipv, talk(udp(lab[host.name], host.address(ipv)), server, to, ask))


def packets_through(lab, name):
    return json.loads(lab.router.output("ip", "-j", "-s", "link", "show", name))[0]["stats64"]["tx"]["packets"]


def test_finds_its_interfaces_and_new_ones(lab, rules):
    desktop, truth = lab.hosts[0], Truth()
    with lab.meter(interfaces=(), config=lab.names()) as meter:
        assert sides(meter) == {"br-lan": "lan", "wan": "wan"}
        ask_far(lab, desktop, truth)
        tv = lab.second_lan()
        lab.second_wan()
        wait_until(lambda: sides(meter) == {"br-lan": "lan", "wan": "wan", "guest": "lan"},
                   what="the new interfaces are found; that with a public address is not taken for a LAN")
        lab.default_routes("wan2")
        wait_until(lambda: sides(meter).get("wan2") == "wan", what="a default route makes it a WAN")
        assert sides(meter)["wan"] == "wan", "a WAN remains one"
        ask_far(lab, desktop, truth)
        ask_far(lab, tv, truth, families=(4,))
        metered = lab.settled(meter)
        assert metered == {(tv.mac if host == "tv" else host, *rest): count for (host, *rest), count in truth.items()}
        assert meter.local() == {}


# Faults: wan.c keeps the account of an interface that is gone, and it is printed beside that of the new one of its
# name; and with the rules, locate() of attribute.c takes an interface that is gone for one that is left out
# (SIDE_OTHER), so a flow that was seen there and ended with it becomes a local one.
@pytest.mark.parametrize("dumps", [(), NO_DUMPS], ids=["dumps", "ends"])
def test_default_route_moves_and_the_wan_goes_and_comes_back(lab, rules, dumps):
    """Named in the configuration: the second WAN is another interface of the same name each time."""
    desktop, truth = lab.hosts[0], Truth()
    lab.second_wan()
    lab.default_routes("wan2")
    with lab.meter("--wan", "wan2", *dumps, config=lab.names()) as meter:
        for _ in range(2):
            before = packets_through(lab, "wan2")
            ask_far(lab, desktop, truth)
            assert packets_through(lab, "wan2") > before, "it was to leave by the second WAN"
            lab.default_routes("wan")
            ask_far(lab, desktop, truth, ask=500)
            lab.router.ip("link del wan2")
            wait_until(lambda: "wan2" not in sides(meter), what="the meter has heard that it is gone")
            ask_far(lab, desktop, truth, ask=700)
            lab.second_wan()
            lab.default_routes("wan2")
            wait_until(lambda: sides(meter).get("wan2") == "wan", what="the meter has heard that it is back")
        ask_far(lab, desktop, truth)
        assert lab.settled(meter) == truth
        assert meter.local() == {}


def test_line_is_down_for_a_moment(lab, rules):
    """Without a default route flows end and begin; they are no local ones, and nothing is counted twice."""
    desktop, truth = lab.hosts[0], Truth()
    with lab.meter(interfaces=(), config=lab.names()) as meter:
        ask_far(lab, desktop, truth)
        lab.router.ip(f"link set {lab.wan} down")
        lab.router.run("conntrack", "-F")
        assert meter.steady() == truth
        lab.router.ip(f"link set {lab.wan} up")
        # IPv6 addresses and routes went with the line.
        lab.router.ip(f"""
            address replace {lab.wan_v6}/64 dev {lab.wan} nodad
            route replace default via {lab.server_v4} dev {lab.wan}
            route replace default via {lab.server_v6} dev {lab.wan}
        """)
        ask_far(lab, desktop, truth)
        assert lab.settled(meter) == truth
        assert meter.local() == {}
        assert sides(meter) == {"br-lan": "lan", "wan": "wan"}


def renumber(lab, old, new):
    """The provider delegates another prefix: the router, the desktop and the way back."""
    desktop = lab.hosts[0].name
    lab.router.ip(f"""
        address add {new}::1/64 dev {lab.lan} nodad
        address del {old}::1/64 dev {lab.lan}
    """)
    lab[desktop].ip(f"""
        address add {new}::11/64 dev eth0 nodad
        address del {old}::11/64 dev eth0
        route replace default via {new}::1 dev eth0
    """)
    lab.inet.ip(f"""
        route add {new}::/64 via {lab.wan_v6} dev eth0
        route del {old}::/64
    """)


def test_new_prefix(lab, rules):
    """A flow of the old one is open, and a dump has told of it."""
    desktop, truth = lab.hosts[0], Truth()
    server, to = udp(lab.inet, lab.far_v6, ECHO), (lab.far_v6, ECHO)
    with lab.meter(interfaces=(), config=lab.names()) as meter:
        truth.asked(desktop, 6, talk(udp(lab[desktop.name], desktop.v6), server, to))
        wait_until(lambda: meter.hosts() == truth, what="a dump brings the flow of the old prefix")
        renumber(lab, "2001:db8:77", "2001:db8:99")
        truth.asked(desktop, 6, talk(udp(lab[desktop.name], "2001:db8:99::11"), server, to))
        assert lab.settled(meter) == truth
        assert meter.local() == {}


@pytest.mark.parametrize("rules", [
    "nflog",
    "neighbour",
], indirect=True)
def test_prefix_goes_before_its_flow_was_told_of(lab, rules, warm):
    """No route leads to the old prefix any more when its flow ends: who had the address is remembered."""
    desktop, truth = lab.hosts[0], Truth()
    server, to = udp(lab.inet, lab.far_v6, ECHO), (lab.far_v6, ECHO)
    with lab.meter(*NO_DUMPS, interfaces=(), config=lab.names()) as meter:
        warm(meter, truth)
        truth.asked(desktop, 6, talk(udp(lab[desktop.name], desktop.v6), server, to))
        renumber(lab, "2001:db8:77", "2001:db8:99")
        truth.asked(desktop, 6, talk(udp(lab[desktop.name], "2001:db8:99::11"), server, to))
        assert lab.settled(meter) == truth


def test_renamed_interfaces(lab, rules):
    """Found by themselves, they are followed by index; flows that are open stay what they are."""
    desktop, truth = lab.hosts[0], Truth()
    server = udp(lab.inet, lab.server_v4, ECHO)
    old = udp(lab[desktop.name], desktop.v4, 4000)
    with lab.meter(interfaces=(), config=lab.names()) as meter:
        truth.asked(desktop, 4, talk(old, server, (lab.server_v4, ECHO)))
        for name, new in ("wan", "ppp-wan"), ("br-lan", "br-home"):
            lab.router.ip(f"link set {name} name {new}")
        wait_until(lambda: sides(meter) == {"br-home": "lan", "ppp-wan": "wan"}, what="the new names are heard of")
        lab.router.run("nft", "add", "rule", "ip", "nat", "postrouting", "oifname", "ppp-wan", "masquerade")
        ask_far(lab, desktop, truth)
        truth[desktop.name, 4, "in"] += say(server, (lab.wan_v4, 4000), 500)
        assert len(old.recv(2000)) == 500
        assert lab.settled(meter) == truth
        assert meter.local() == {}


@pytest.mark.parametrize("rules", [
    "nflog",
    "neighbour",
], indirect=True)
def test_interface_joins_the_bridge(lab, rules, warm):
    """A LAN of its own becomes a port of the bridge: its host is the bridge's, and stays one host."""
    tv, truth = lab.second_lan(), Truth()
    with lab.meter(*NO_DUMPS, interfaces=(), config=lab.names([*lab.hosts, tv])) as meter:
        warm(meter, truth)
        ask_far(lab, tv, truth)
        lab.router.ip(f"""
            address del 192.168.78.1/24 dev guest
            address del 2001:db8:78::1/64 dev guest
            link set guest master {lab.lan}
            address add 192.168.78.1/24 dev {lab.lan}
            address add 2001:db8:78::1/64 dev {lab.lan} nodad
        """)
        wait_until(lambda: sides(meter) == {"br-lan": "lan", "wan": "wan"}, what="the port is no LAN any more")
        # Its gateway has another MAC now.
        lab["tv"].ip("neighbour flush dev eth0")
        ask_far(lab, tv, truth)
        assert lab.settled(meter) == truth
        assert meter.local() == {}
