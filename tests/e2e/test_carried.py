# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels and translators: a byte that crosses the WAN inside another packet is counted once, on its host.

The tunnel is the test's own, over UDP with OpenVPN's port; the translator is tayga. All bytes are known before they are
sent, or counted by nft.
"""

import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from lab import Count, Truth, Tun, Wire, answered, closed, nft_counters, talk, udp, wait_until

PORT = 9
VPN = 1194
FOUND = {"interfaces": (), "listen": ":10060"}


def sides(meter):
    return {row["interface"]: row["side"] for row in json.loads(meter.get("/api/v1/status"))["sides"]}


def becomes(meter, **wanted):
    wait_until(lambda: {name: sides(meter).get(name) for name in wanted} == wanted, what=wanted)


def wan_kinds(meter, interface):
    """{(kind, direction): bytes} of what crossed this interface."""
    return {(labels["kind"], labels["direction"]): value
            for labels, value in ((dict(labels), value) for (name, labels), value in meter.metrics().items()
                                  if name == "hostmeter_wan_bytes_total") if labels["interface"] == interface}


def exchange(lab, truth, host, ipv, to, server, overhead):
    """Three questions of a host, each from a port of its own. overhead: of the headers that the host sees."""
    for _ in range(3):
        talk(udp(lab[host.name], host.address(ipv)), server, (to, PORT))
        truth.asked(host, ipv, (Count(100 + overhead, 1), Count(300 + overhead, 1)))


def not_served(lab, *addresses):
    for address in addresses:
        closed(lab.inet, f"http://{address}:10060/metrics")
    answered(lab[lab.hosts[0].name], f"http://{lab.router_v4}:10060/metrics")


# --- Tunnels

@contextmanager
def tunnel(lab, near, far):
    """tun0 of the router leads to tun0 of inet, in UDP between their WAN addresses. near, far: what ip(8) does there."""
    outer = udp(lab.router, lab.wan_v4, VPN), udp(lab.inet, lab.server_v4, VPN)
    outer[0].connect((lab.server_v4, VPN))
    outer[1].connect((lab.wan_v4, VPN))
    ends = [SimpleNamespace(fd=sock.fileno()) for sock in outer]
    with Tun(lab.router, "tun0") as a, Tun(lab.inet, "tun0") as b:
        lab.router.ip(near)
        lab.inet.ip(far)
        with Wire(a, ends[0]), Wire(b, ends[1]):
            yield


def count_outer(lab):
    """nft counts what the router sends and receives by that port."""
    lab.router.run("nft", "-f", "-", stdin=f"""
        table ip outer {{
            counter sent {{ }}
            counter received {{ }}
            chain out {{ type filter hook output priority 0; udp dport {VPN} counter name sent; }}
            chain in {{ type filter hook input priority 0; udp sport {VPN} counter name received; }}
        }}
    """)


def test_outer_packets_of_a_vpn_are_not_the_routers(lab, rules):
    """A VPN that takes all, beside the default route of the WAN that carries it."""
    host, truth = lab.hosts[0], Truth()
    count_outer(lab)
    for node in lab.router, lab.inet:  # the kernels' own packets to groups stay out of the tunnel
        node.run("nft", "-f", "-", stdin="""
            table ip6 groups {
                chain out { type filter hook output priority 0; ip6 daddr ff00::/8 oifname tun0 drop; }
            }
        """)
    with tunnel(lab, f"""
        address add 10.8.0.2/24 dev tun0
        address add 2001:db8:8::2/64 dev tun0 nodad
        link set tun0 up
        route add {lab.server_v4}/32 dev wan
        route add 0.0.0.0/1 via 10.8.0.1 dev tun0
        route add 128.0.0.0/1 via 10.8.0.1 dev tun0
        route add 2000::/3 via 2001:db8:8::1 dev tun0
    """, """
        address add 10.8.0.1/24 dev tun0
        address add 2001:db8:8::1/64 dev tun0 nodad
        link set tun0 up
        route replace 2001:db8:77::/64 via 2001:db8:8::2 dev tun0
    """):
        lab.router.run("nft", "add", "rule", "ip", "nat", "postrouting", "oifname", "tun0", "masquerade")
        with lab.meter(config=lab.names(), **FOUND) as meter:
            becomes(meter, tun0="wan", wan="wan")
            wait_until(lambda: meter.value("hostmeter_dumps_total"), what="what flows have counted so far is known")
            for ipv, overhead in (4, 28), (6, 48):
                exchange(lab, truth, host, ipv, lab.far(ipv), udp(lab.inet, lab.far(ipv), PORT), overhead)
            lab.quiet()
            lab.router.run("conntrack", "-F")
            meter.steady()
            assert meter.hosts() == truth
            outer, inner = wan_kinds(meter, "wan"), wan_kinds(meter, "tun0")
            counted = nft_counters(lab.router, "ip", "outer")
            assert outer["tunnel", "tx"] == counted["sent"].bytes > 0
            assert outer["tunnel", "rx"] == counted["received"].bytes > 0
            assert outer["router", "tx"] == outer["attributed", "tx"] == 0
            assert inner["attributed", "tx"] == sum(c.bytes for (_, _, way), c in truth.items() if way == "out")
            assert inner["attributed", "rx"] == sum(c.bytes for (_, _, way), c in truth.items() if way == "in")


def test_the_configuration_names_the_other_end(lab):
    """A tunnel by a port that says nothing: the router's, unless it is told."""
    server = udp(lab.inet, lab.server_v4, 7777)
    for config, kind in ("", "router"), (f'tunnel = {{"{lab.server_v4}:7777"}}', "tunnel"):
        with lab.meter(config=config, **FOUND) as meter:
            wait_until(lambda: meter.value("hostmeter_dumps_total"), what="what flows have counted so far is known")
            asked, got = talk(udp(lab.router, lab.wan_v4), server, (lab.server_v4, 7777))
            lab.settled(meter)
            kinds = wan_kinds(meter, "wan")
            assert (kinds[kind, "tx"], kinds[kind, "rx"]) == (asked.bytes, got.bytes)
            assert sum(value for (name, _), value in kinds.items() if name != "unseen") == asked.bytes + got.bytes
            assert bool(meter.hosts()) == (kind == "router")


def test_road_warriors_are_hosts_by_their_addresses(lab, rules):
    """A tunnel whose other ends are this network's own: no MAC addresses, both families."""
    away, truth = lab.node("warrior"), Truth()
    with Tun(lab.router, "tun0") as near, Tun(away, "tun0") as far:
        lab.router.ip("""
            address add 10.8.0.1/24 dev tun0
            address add 2001:db8:8::1/64 dev tun0 nodad
            link set tun0 up
        """)
        away.ip("""
            address add 10.8.0.10/24 dev tun0
            address add 2001:db8:8::10/64 dev tun0 nodad
            link set tun0 up
            route add default via 10.8.0.1 dev tun0
            route add default via 2001:db8:8::1 dev tun0
        """)
        lab.inet.ip(f"route add 2001:db8:8::/64 via {lab.wan_v6} dev eth0")
        with Wire(near, far), lab.meter(config=lab.names(), **FOUND) as meter:
            becomes(meter, tun0="lan", wan="wan")
            for ipv, address in (4, "10.8.0.10"), (6, "2001:db8:8::10"):
                server = udp(lab.inet, lab.far(ipv), PORT)
                for _ in range(3):
                    truth.asked(address, ipv, talk(udp(away, address), server, (lab.far(ipv), PORT)))
            assert lab.settled(meter) == truth
            answered(away, "http://10.8.0.1:10060/metrics")
            not_served(lab, lab.wan_v4, f"[{lab.wan_v6}]")


# --- Translators: tayga keeps the well-known prefix from addresses of documentation

SERVER = "11.22.33.44"


@contextmanager
def tayga(lab, name, config, *, up):
    """A translator of the router, with an interface of this name."""
    path = lab.scratch / f"{name}.conf"
    path.write_text(f"tun-device {name}\n{config}\n")
    lab.router.run("tayga", "-c", path, "--mktun")
    lab.router.ip(up)
    process = lab.router.spawn("tayga", "-c", path, "-d")
    try:
        yield
    finally:
        process.kill()
        lab.router.run("tayga", "-c", path, "--rmtun")


@pytest.mark.parametrize("prefix", ["64:ff9b::", "2001:db8:64::"])
def test_nat64(lab, rules, prefix):
    """A host of IPv6 talks to a server of IPv4; its bytes are those that the host sees."""
    host, truth = lab.hosts[0], Truth()
    config = f"ipv4-addr 192.168.255.1\nipv6-addr 2001:db8:77:64::1\nprefix {prefix}/96\ndynamic-pool 192.168.255.0/24"
    with tayga(lab, "nat64", config, up=f"""
        link set nat64 up
        address add 192.168.255.2/32 dev nat64
        route add 192.168.255.0/24 dev nat64
        route add {prefix}/96 dev nat64
    """), lab.meter(config=lab.names(), **FOUND) as meter:
        becomes(meter, nat64="transit", wan="wan")
        lab.inet.ip(f"address add {SERVER}/32 dev lo")
        exchange(lab, truth, host, 6, f"{prefix}{SERVER}", udp(lab.inet, SERVER, PORT), 48)
        assert lab.settled(meter) == truth
        outer = wan_kinds(meter, "wan")
        assert (outer["tunnel", "tx"], outer["tunnel", "rx"]) == (3 * 128, 3 * 328)
        assert outer["attributed", "tx"] == outer["router", "tx"] == outer["unknown", "tx"] == 0
        assert wan_kinds(meter, "nat64")["attributed", "rx"] == 3 * 348
        not_served(lab, lab.wan_v4)


def test_464xlat(lab, rules):
    """The provider has IPv6 only: IPv4 leaves by a translator, and is translated back at the provider's."""
    host, truth = lab.hosts[0], Truth()
    clat, plat = "2001:db8:ff::464", f"64:ff9b::{SERVER}"
    config = f"ipv4-addr 192.0.0.2\nipv6-addr 2001:db8:ff:464::1\nprefix 64:ff9b::/96\nmap 192.0.0.1 {clat}"
    lab.inet.ip(f"""
        address add {plat}/128 dev lo nodad
        route add {clat}/128 via {lab.wan_v6} dev eth0
    """)
    lab.router.ip("route delete default")
    lab.router.run("nft", "add", "rule", "ip", "nat", "postrouting", "oifname", "clat", "masquerade")
    with tayga(lab, "clat", config, up=f"""
        link set clat up
        address add 192.0.0.1/32 dev clat
        route add default dev clat
        route add {clat}/128 dev clat
    """), lab.meter(config=lab.names(), **FOUND) as meter:
        becomes(meter, clat="transit", wan="wan")
        exchange(lab, truth, host, 4, SERVER, udp(lab.inet, plat, PORT), 28)
        assert lab.settled(meter) == truth
        outer = wan_kinds(meter, "wan")
        assert (outer["tunnel", "tx"], outer["tunnel", "rx"]) == (3 * 148, 3 * 348)
        assert outer["attributed", "tx"] == outer["router", "tx"] == outer["unknown", "tx"] == 0
        not_served(lab, f"[{lab.wan_v6}]")


# --- Transparent proxies

PROXY = """
import socket, sys
IP_TRANSPARENT = 19
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
listener.bind(("0.0.0.0", int(sys.argv[1])))
listener.listen()
print("ready", flush=True)
while True:
    client, _ = listener.accept()
    server = socket.create_connection((sys.argv[2], 80))
    server.sendall(client.recv(65536))
    while data := server.recv(65536):
        client.sendall(data)
    server.close()
    client.close()
"""


@contextmanager
def proxy(lab, port):
    (lab.scratch / "transparent.py").write_text(PROXY)
    process = lab.router.spawn("/usr/bin/python3", lab.scratch / "transparent.py", port, lab.server_v4)
    try:
        wait_until(lambda: "ready" in process.output(), what="the proxy listens")
        yield
    finally:
        process.kill()


def wan_sums(meter):
    """(bytes of hosts and the router by WAN, of all kinds on the WAN but unseen), both ways together."""
    hosts = sum(value for (name, _), value in meter.metrics().items() if name == "host_bytes_total")
    kinds = sum(value for (kind, _), value in wan_kinds(meter, "wan").items() if kind != "unseen")
    return hosts, kinds


@pytest.mark.parametrize("how", ["redirect", "deliver"])
def test_what_a_transparent_proxy_takes_crosses_the_wan_once(lab, traffic, how):
    """By the router's own connection. redirect: address translation; deliver: TPROXY's way, a route of type local."""
    lab.load_rules()
    host, port = lab.hosts[0], 3128 if how == "redirect" else 80
    if how == "redirect":
        lab.router.run("nft", "add", "rule", "ip", "nat", "prerouting", "iifname", lab.lan, "tcp", "dport", "80",
                       "redirect", "to", f":{port}")
    else:
        lab.router.run("nft", "-f", "-", stdin=f"""
            table ip deliver {{
                chain prerouting {{
                    type filter hook prerouting priority mangle
                    iifname "{lab.lan}" tcp dport 80 meta mark set 1
                }}
            }}
        """)
        lab.router.ip("""
            rule add fwmark 1 lookup 100
            route add local default dev lo table 100
        """)
    with proxy(lab, port), lab.meter(config=lab.names(), **FOUND) as meter:
        wait_until(lambda: meter.value("hostmeter_dumps_total"), what="what flows have counted so far is known")
        traffic.http(lab.hosts[1], 6)  # one that is forwarded: the rules work
        wait_until(lambda: meter.value("hostmeter_attributed_flows_total", by="nflog"), what="a first packet came")
        before = wan_sums(meter)
        traffic.http(host, 4)
        lab.settled(meter)
        hosts, kinds = (now - then for now, then in zip(wan_sums(meter), before))
        assert hosts == kinds
        local = sum(count.bytes for (name, _, _), count in meter.local().items() if name == host.name)
        assert local > 1000
        assert not any(count.bytes for (name, ipv, _), count in meter.hosts().items() if (name, ipv) == (host.name, 4))
        assert sum(count.bytes for (name, _, _), count in meter.hosts().items() if name == "router") >= local * 0.9
