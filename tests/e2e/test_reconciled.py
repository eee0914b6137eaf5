# SPDX-License-Identifier: GPL-2.0-or-later
"""What flows tell beside what the WAN interface itself counted: the difference is shown, and small."""

import pytest
from lab import parse_metrics, talk, udp, wait_until

SLACK = 500  # bytes: what is unseen is told two dumps later, also at the start
NEIGHBOURS = 1500  # bytes: ARP and neighbour discovery, over some ten seconds
KINDS = "attributed", "router", "unknown", "tunnel", "unseen"
PORT, VPN, EXEMPT = 9, 1194, 7


class Wan:
    """Both directions of a WAN as the meter shows them."""

    def __init__(self, meter):
        values = meter.metrics()

        def value(name, **labels):
            return values.get((name, frozenset({"interface": "wan", **labels}.items())), 0)

        def both(name, **labels):
            return {way: value(name, direction=way, **labels) for way in ("rx", "tx")}

        self.own = both("network_bytes_total")
        self.headers = both("hostmeter_wan_link_header_bytes_total")
        self.kinds = {kind: both("hostmeter_wan_bytes_total", kind=kind) for kind in KINDS}
        self.hosts = {way: sum(value for (name, labels), value in values.items()
                               if name == "host_bytes_total" and dict(labels)["direction"] == seen)
                      for way, seen in (("rx", "in"), ("tx", "out"))}

    def since(self, start):
        def less(a, b):
            return {key: less(a[key], b[key]) for key in a} if isinstance(a, dict) else a - b

        for part in vars(self):
            setattr(self, part, less(getattr(self, part), getattr(start, part)))
        return self

    def missing(self, way):
        """What the interface has and the meter does not explain."""
        return self.own[way] - sum(self.kinds[kind][way] for kind in KINDS) - self.headers[way]


def dumps(meter, count):
    """Waits until so many more have ended."""
    def made():  # without asking for one
        return parse_metrics(meter.get("/metrics?fresh=0"))["hostmeter_dumps_total", frozenset()]

    before = made()
    wait_until(lambda: made() >= before + count, 10 + 3 * count, f"{count} dumps")


def exempt(lab):
    """The router does not track this port's traffic, as people do for what is much."""
    lab.router.run("nft", "-f", "-", stdin=f"""
        table ip6 exempt {{
            chain in {{ type filter hook prerouting priority raw; udp dport {EXEMPT} notrack; udp sport {EXEMPT} notrack; }}
        }}
    """)


def untracked(lab, host, count):
    """So many questions and answers that no flow has; the bytes of each direction."""
    asker, server = udp(lab[host.name], host.v6), udp(lab.inet, lab.server_v6, EXEMPT)
    talks = [talk(asker, server, (lab.server_v6, EXEMPT), 1000, 1200) for _ in range(count)]
    return {"tx": sum(asked.bytes for asked, _ in talks), "rx": sum(answered.bytes for _, answered in talks)}


def of_every_kind(lab, traffic):
    """Every way in which bytes cross the WAN of the lab; what no flow has is returned."""
    for host in lab.hosts:
        for ipv in 4, 6:
            traffic.ping(host, ipv)
            traffic.http(host, ipv)
            talk(udp(lab[host.name], host.address(ipv)), udp(lab.inet, lab.far(ipv), PORT), (lab.far(ipv), PORT))
    traffic.udp(lab.hosts[0], 4)
    traffic.tcp_down(lab.hosts[1], 6)
    lab.router.run("ping", "-c", "3", "-i", "0.01", "-q", lab.server_v4)
    talk(udp(lab.router, lab.wan_v4, VPN), udp(lab.inet, lab.server_v4, VPN), (lab.server_v4, VPN))
    udp(lab.inet, lab.server_v6).sendto(bytes(500), ("2001:db8:77::99", PORT))  # a host that there is not
    return untracked(lab, lab.hosts[0], 10)


def test_every_byte_of_the_wan_is_accounted_for(lab, traffic, rules):
    exempt(lab)
    with lab.meter(config=lab.names(lab.hosts)) as meter:
        dumps(meter, 2)
        start = Wan(meter)
        truth = of_every_kind(lab, traffic)

        def growth():
            return Wan(meter).since(start)

        def adds_up():
            wan = growth()
            return (all(wan.kinds[kind]["rx"] for kind in KINDS) and
                    all(abs(wan.missing(way)) <= SLACK for way in ("rx", "tx")))

        wait_until(adds_up, 60, what="the interface's count is the sum of all kinds and the link headers")
        dumps(meter, 3)
        wan = growth()
        for way in "rx", "tx":
            assert abs(wan.missing(way)) <= SLACK, way
            assert wan.hosts[way] == sum(wan.kinds[kind][way] for kind in ("attributed", "router", "unknown")), way
            # Neighbour discovery and ARP belong to no connection; all else does, and to somebody.
            assert truth[way] <= wan.kinds["unseen"][way] <= truth[way] + NEIGHBOURS, way
            assert wan.kinds["attributed"][way] > 20_000, way
        assert wan.kinds["unknown"] == {"rx": 548, "tx": 0}
        assert wan.kinds["tunnel"] == {"rx": 328, "tx": 128}


@pytest.mark.parametrize("ipv", [4, 6])
def test_steady_traffic_leaves_no_remainder(lab, traffic, ipv):
    """Both ways, from before the meter's start, a dump a second: what the flows have is always the later news."""
    lab.load_rules()
    stream = lab[lab.hosts[0].name].spawn("iperf3", "--client", lab.server(ipv), "--udp", "--bidir", "--bitrate", "9M",
                                          "--length", "1200", "--time", "60")
    with lab.meter(config=lab.names(lab.hosts)) as meter:
        dumps(meter, 2)
        start = Wan(meter)
        dumps(meter, 8)
        wan = Wan(meter)
        assert stream.running()
        for way in "rx", "tx":
            assert wan.kinds["unseen"][way] <= NEIGHBOURS, way
        wan.since(start)
        for way in "rx", "tx":
            assert wan.kinds["attributed"][way] > 3_000_000, way


def test_what_no_flow_has_shows_beside_steady_traffic(lab, traffic):
    exempt(lab)
    lab.load_rules()
    stream = lab[lab.hosts[1].name].spawn("iperf3", "--client", lab.server_v4, "--udp", "--bidir", "--bitrate", "2M",
                                          "--length", "1200", "--time", "60")
    with lab.meter(config=lab.names(lab.hosts)) as meter:
        dumps(meter, 2)
        truth = untracked(lab, lab.hosts[0], 200)
        dumps(meter, 4)
        assert stream.running()
        stream.kill()
        # What crosses the WAN while a dump is read hides as much for that long.
        unseen = Wan(meter).kinds["unseen"]
        for way in "rx", "tx":
            assert 0.9 * truth[way] <= unseen[way] <= truth[way] + NEIGHBOURS, way
