# SPDX-License-Identifier: GPL-2.0-or-later
"""What was recorded can be metered again without a kernel, and opened by others."""

from lab import PROGRAM


def test_replay_gives_what_the_live_meter_had(lab, traffic):
    lab.load_rules()
    trace = lab.scratch / "lab.pcap"
    with lab.meter("--trace", trace, config=lab.names(lab.hosts[:2])) as meter:
        for host in lab.hosts:
            for ipv in 4, 6:
                traffic.http(host, ipv)
                traffic.udp(host, ipv)
                traffic.ping(host, ipv)
        live = lab.settled(meter)
        assert len(live) == 12
        assert meter.stop() == 0
    # In a namespace without interfaces, routes or neighbours: all it knows comes from the trace.
    replayed = lab.node("empty").output(PROGRAM, "--config", meter.config, "--lan", lab.lan, "--wan", lab.wan,
                                        "--replay", trace)
    assert meter.hosts(replayed) == live


def test_tshark_opens_a_trace(lab, traffic):
    lab.load_rules()
    trace = lab.scratch / "lab.pcap"
    with lab.meter("--trace", trace) as meter:
        traffic.http(lab.hosts[0], 4)
        lab.settled(meter)
        assert meter.stop() == 0
    protocols = lab.router.output("tshark", "-r", trace, "-T", "fields", "-e", "frame.protocols",
                                  env={"HOME": str(lab.scratch)}).split()
    assert protocols and all(line.startswith("netlink") for line in protocols)
    seen = {name for line in protocols for name in line.split(":")}
    assert {"netlink", "netlink-netfilter", "netlink-route"} <= seen
    assert "malformed" not in " ".join(protocols).lower()


def test_cut_trace_is_said(lab, traffic):
    trace = lab.scratch / "lab.pcap"
    with lab.meter("--trace", trace) as meter:
        assert meter.stop() == 0
    whole = trace.read_bytes()
    trace.write_bytes(whole[:-5])
    done = lab.router.run(PROGRAM, "--config", meter.config, "--replay", trace, check=False)
    assert done.returncode == 1
    assert str(trace) in done.stderr and len(done.stderr.splitlines()) == 1
