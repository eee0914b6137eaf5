# SPDX-License-Identifier: GPL-2.0-or-later
"""The meter against the method that it replaces, on the same traffic: equal to the byte."""

import pytest
from lab import Count, Oracle, nft_counters, wait_until

EVERY_CELL = {(host, ipv, way) for host in ("desktop", "laptop", "phone") for ipv in (4, 6) for way in ("in", "out")}


@pytest.mark.parametrize("variant", ["legacy", "nft"])
def test_every_host_family_and_direction(lab, variant):
    from lab import Traffic
    if variant == "legacy" and lab.router.run("iptables-legacy", "-w", "-t", "mangle", "-L", check=False).returncode:
        pytest.skip("this kernel has no legacy iptables")
    oracle = Oracle(lab, variant)
    lab.load_rules()
    with lab.meter(config=lab.names()) as meter:
        traffic = Traffic(lab)
        for host in lab.hosts:
            for ipv in 4, 6:
                traffic.everything(host, ipv)
        metered = lab.settled(meter)
        judged = oracle.hosts_counts()
        assert set(judged) == EVERY_CELL
        assert all(count.bytes > 1_000_000 for count in judged.values()), "the traffic was no test"
        assert metered == judged


def test_living_flows_are_counted_by_the_dumps(lab, traffic):
    oracle = Oracle(lab)
    lab.load_rules()
    with lab.meter(config=lab.names()) as meter:
        for host in lab.hosts:
            for ipv in 4, 6:
                traffic.http(host, ipv)
                traffic.ping(host, ipv)
        lab.quiet()
        # Nothing is flushed: the flows live on, and only a dump can tell of them.
        wait_until(lambda: meter.hosts() == oracle.hosts_counts(), what="the next dump brings all")
        assert set(meter.hosts()) == EVERY_CELL
        lab.router.run("conntrack", "-F")
        assert meter.steady() == oracle.hosts_counts(), "a count that came by dump came again at the end"


def test_unnamed_host_shows_its_mac(lab, traffic):
    oracle = Oracle(lab)
    lab.load_rules()
    desktop, _, phone = lab.hosts
    with lab.meter(config=lab.names([desktop])) as meter:
        traffic.http(desktop, 4)
        traffic.http(phone, 6)
        metered = lab.settled(meter)
        judged = {(phone.mac if host == phone.name else host, ipv, way): count
                  for (host, ipv, way), count in oracle.hosts_counts().items()}
        assert len(judged) == 4 and metered == judged
        series = [dict(labels) for name, labels in meter.metrics() if name == "host_bytes_total"]
        assert {(label["host"], label["mac"]) for label in series if label["ipv"] == "6"} >= {(phone.mac, phone.mac)}


def counters_of_flow(lab, host, ipv, port):
    """nftables counters on one service of one host: both ways, and what came before the first reply."""
    ip = "ip" if ipv == 4 else "ip6"
    lab.router.run("nft", "-f", "-", stdin=f"""
        table inet judge {{
            counter to_host {{ }}
            counter from_host {{ }}
            counter early {{ }}
            chain forward {{
                type filter hook forward priority filter
                {ip} daddr {host.address(ipv)} tcp dport {port} counter name to_host
                {ip} daddr {host.address(ipv)} tcp dport {port} ct reply packets 0 counter name early
                {ip} saddr {host.address(ipv)} tcp sport {port} counter name from_host
            }}
        }}""")
    return lambda: nft_counters(lab.router, "inet", "judge")


@pytest.mark.parametrize("ipv", [4, 6])
def test_flow_begun_from_the_wan(lab, traffic, ipv):
    host = lab.hosts[1]
    oracle = Oracle(lab)
    lab.load_rules()
    counters = counters_of_flow(lab, host, ipv, 80)
    traffic.serve(lab[host.name])
    # IPv4 through a port forward, IPv6 straight to the host.
    lab.port_forward(8080, host, 80)
    url = f"http://{lab.wan_v4}:8080/page" if ipv == 4 else f"http://[{host.v6}]/page"
    with lab.meter(config=lab.names()) as meter:
        lab.inet.http_get(url, "-o", "/dev/null")
        metered = lab.settled(meter)
        flow, judged = counters(), oracle.hosts_counts()
        into, out = (host.name, ipv, "in"), (host.name, ipv, "out")
        assert set(metered) == {into, out}
        assert metered == {into: flow["to_host"], out: flow["from_host"]}
        # The mark is made by the first reply, so the old method misses what came before it: here the SYN.
        assert flow["early"].packets == 1
        assert metered[into] - judged[into] == flow["early"]
        assert metered[out] == judged[out]


def test_local_traffic_is_not_wan_traffic(lab, traffic):
    desktop, laptop, _ = lab.hosts
    oracle = Oracle(lab)
    lab.load_rules()
    traffic.serve(lab.router, 8000)
    traffic.serve(lab[laptop.name])
    # Hairpin: the LAN reaches the laptop by the router's WAN address, and the laptop answers by the router.
    lab.router.run("nft", "-f", "-", stdin=f"""
        add rule ip nat prerouting ip daddr {lab.wan_v4} tcp dport 8080 dnat to {laptop.v4}:80
        add rule ip nat postrouting oifname "{lab.lan}" ip saddr 192.168.77.0/24 masquerade
    """)
    with lab.meter(config=lab.names()) as meter:
        traffic.http(desktop, 4)
        for where in f"{lab.router_v4}:8000", f"[{lab.router_v6}]:8000", laptop.v4, f"{lab.wan_v4}:8080":
            lab[desktop.name].http_get(f"http://{where}/page", "-o", "/dev/null")
        metered = lab.settled(meter)
        assert set(metered) == {(desktop.name, 4, "in"), (desktop.name, 4, "out")}
        assert metered == oracle.hosts_counts()


def test_the_routers_own_traffic_is_the_routers(lab, traffic):
    lab.load_rules()
    with lab.meter(config=lab.names()) as meter:
        for ipv, server in (4, lab.server_v4), (6, f"[{lab.server_v6}]"):
            lab.router.http_get(f"http://{server}/page", "-o", "/dev/null")
        metered = lab.settled(meter)
        assert set(metered) == {("router", ipv, way) for ipv in (4, 6) for way in ("in", "out")}
        assert all(metered["router", ipv, "in"].bytes > 300_000 for ipv in (4, 6))


def test_wan_interface_holds_what_the_hosts_have(lab, traffic):
    """Law 8: the sum over the hosts stands beside the interface's own counter, which also counts link headers."""
    lab.load_rules()

    def wan(meter, name, direction):
        return meter.value(name, interface=lab.wan, direction=direction) or 0

    with lab.meter(config=lab.names()) as meter:
        before = {way: wan(meter, "network_bytes_total", way) for way in ("rx", "tx")}
        traffic.tcp_down(lab.hosts[0], 4)
        traffic.tcp_up(lab.hosts[1], 6)
        metered = lab.settled(meter)
        sums = {way: sum((count for key, count in metered.items() if key[2] == way), Count()) for way in ("in", "out")}
        for way, direction in ("in", "rx"), ("out", "tx"):
            wait_until(lambda: wan(meter, "network_bytes_total", direction) - before[direction] >= sums[way].bytes,
                       what=f"the interface counter of {direction} catches up")
