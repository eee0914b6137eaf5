# SPDX-License-Identifier: GPL-2.0-or-later
"""What is not WAN traffic: host_local_bytes_total has it, host_bytes_total never; and what is the router's own."""

import socket

import pytest
from lab import Truth, say, talk, udp

# Nothing but the end of a flow tells its bytes: without rules everything is decided by what is known then.
NO_DUMPS = "--dump-interval", "3600"
ECHO = 7


def settled_local(lab, meter):
    """All that was counted is local."""
    assert lab.settled(meter) == {}
    return meter.local()


def test_between_two_lans_each_host_has_its_own_direction(lab, rules):
    desktop, tv, truth = lab.hosts[0], lab.second_lan(), Truth()
    with lab.meter("--lan", "guest", *NO_DUMPS, config=lab.names([*lab.hosts, tv])) as meter:
        for asker, answerer in (desktop, tv), (tv, desktop):
            for ipv in 4, 6:
                service = udp(lab[answerer.name], answerer.address(ipv), ECHO)
                counts = talk(udp(lab[asker.name], asker.address(ipv)), service, (answerer.address(ipv), ECHO))
                truth.asked(asker, ipv, counts)
                truth.answered(answerer, ipv, counts)
        assert settled_local(lab, meter) == truth


@pytest.mark.parametrize("masqueraded", [True, False], ids=["masqueraded", "plain"])
def test_hairpin_is_local_for_both(lab, rules, masqueraded):
    """A LAN client asks the WAN address for a LAN server; it may be on the same LAN only if its address is hidden."""
    desktop, laptop, _ = lab.hosts
    tv, truth = lab.second_lan(), Truth()
    client = desktop if masqueraded else tv
    lab.router.run("nft", "-f", "-", stdin=f"""
        add rule ip nat prerouting ip daddr {lab.wan_v4} udp dport 8007 dnat to {laptop.v4}:{ECHO}
    """)
    if masqueraded:
        lab.router.run("nft", "add", "rule", "ip", "nat", "postrouting", "oifname", lab.lan, "masquerade")
    with lab.meter("--lan", "guest", config=lab.names([*lab.hosts, tv])) as meter:
        service = udp(lab[laptop.name], laptop.v4, ECHO)
        counts = talk(udp(lab[client.name], client.v4), service, (lab.wan_v4, 8007))
        truth.asked(client, 4, counts)
        truth.answered(laptop, 4, counts)
        assert settled_local(lab, meter) == truth


def test_to_the_router_is_local(lab, rules):
    """Its LAN address, its WAN address, and its link-local one."""
    desktop, truth = lab.hosts[0], Truth()
    words = lab.router.output("ip", "-6", "-o", "address", "show", "dev", lab.lan, "scope", "link").split()
    link_local = words[3].split("/")[0]
    with lab.meter(config=lab.names()) as meter:
        for ipv, address in (4, lab.router_v4), (4, lab.wan_v4), (6, lab.router_v6), (6, lab.wan_v6):
            asker = udp(lab[desktop.name], desktop.address(ipv))
            truth.asked(desktop, ipv, talk(asker, udp(lab.router, address, 53), (address, 53)))
        dns = udp(lab.router, link_local, 53, lab.router.ifindex(lab.lan))
        asker = udp(lab[desktop.name], desktop.v6)
        truth.asked(desktop, 6, talk(asker, dns, (link_local, 53, 0, lab[desktop.name].ifindex("eth0"))))
        assert settled_local(lab, meter) == truth


def test_from_the_router_is_local(lab, rules):
    desktop, truth = lab.hosts[0], Truth()
    with lab.meter(config=lab.names()) as meter:
        for ipv in 4, 6:
            service = udp(lab[desktop.name], desktop.address(ipv), ECHO)
            asker = udp(lab.router, lab.router_v4 if ipv == 4 else lab.router_v6)
            truth.answered(desktop, ipv, talk(asker, service, (desktop.address(ipv), ECHO)))
        assert settled_local(lab, meter) == truth


def test_dns_redirected_to_the_router_is_local(lab, rules):
    """The host believes to have asked a server on the WAN."""
    desktop, truth = lab.hosts[0], Truth()
    lab.router.run("nft", "add", "rule", "ip", "nat", "prerouting", "iifname", lab.lan, "udp", "dport", "53",
                   "redirect", "to", ":5353")
    with lab.meter(config=lab.names()) as meter:
        dns = udp(lab.router, lab.router_v4, 5353)
        truth.asked(desktop, 4, talk(udp(lab[desktop.name], desktop.v4), dns, (lab.server_v4, 53)))
        assert settled_local(lab, meter) == truth


def test_groups_and_broadcast_are_local(lab, rules):
    """The router hears them, so it tracks them. They are not forwarded: it must have talked with the host before."""
    desktop, truth = lab.hosts[0], Truth()
    eth0 = lab[desktop.name].ifindex("eth0")
    with lab.meter(config=lab.names()) as meter:
        for ipv, own in (4, lab.router_v4), (6, lab.router_v6):
            dns = udp(lab.router, own, 53)
            truth.asked(desktop, ipv, talk(udp(lab[desktop.name], desktop.address(ipv)), dns, (own, 53)))
        for ipv, group in (4, "224.0.0.1"), (4, "192.168.77.255"), (4, "255.255.255.255"), (6, "ff02::1"):
            heard = udp(lab.router, "0.0.0.0" if ipv == 4 else "::", 5353)
            sock = udp(lab[desktop.name], desktop.address(ipv))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            to = (group, 5353) if ipv == 4 else (group, 5353, 0, eth0)
            truth[desktop.name, ipv, "out"] += say(sock, to, 100)
            assert len(heard.recv(2000)) == 100
            heard.close()
        assert settled_local(lab, meter) == truth


def test_the_routers_own_wan_traffic(lab, rules):
    """Begun by it or by a stranger: host="router", without a MAC, and never local."""
    truth = Truth()
    with lab.meter(config=lab.names()) as meter:
        for ipv, own in (4, lab.wan_v4), (6, lab.wan_v6):
            server, here = udp(lab.inet, lab.server(ipv), ECHO), udp(lab.router, own, ECHO)
            truth.asked("router", ipv, talk(udp(lab.router, own), server, (lab.server(ipv), ECHO)))
            truth.answered("router", ipv, talk(udp(lab.inet, lab.server(ipv)), here, (own, ECHO), 50, 900))
        assert lab.settled(meter) == truth
        assert meter.local() == {}
        assert {dict(labels)["mac"] for (name, labels), value in meter.metrics().items()
                if name == "host_bytes_total" and value} == {""}
        assert meter.attributed() == {"router": 4}
