# SPDX-License-Identifier: GPL-2.0-or-later
"""What flows tell beside what the WAN interface itself counted: the difference is shown, and small."""

import pytest
from lab import wait_until

SLACK = 500  # bytes: what is unseen is told two dumps later, also at the start
KINDS = "attributed", "router", "unknown", "unseen"


def wan(meter, direction):
    """(the interface's own bytes, those by kind, the link headers) of the WAN."""
    values = meter.metrics()

    def value(name, **labels):
        return values.get((name, frozenset({"interface": "wan", "direction": direction, **labels}.items())), 0)

    return (value("network_bytes_total"), {kind: value("hostmeter_wan_bytes_total", kind=kind) for kind in KINDS},
            value("hostmeter_wan_link_header_bytes_total"))


@pytest.mark.parametrize("direction", ["rx", "tx"])
def test_every_byte_of_the_wan_is_accounted_for(lab, traffic, direction):
    lab.load_rules()
    with lab.meter(config=lab.names(lab.hosts)) as meter:
        wait_until(lambda: meter.value("hostmeter_dumps_total") >= 2, what="two dumps")
        start = wan(meter, direction)
        for host in lab.hosts:
            for ipv in 4, 6:
                traffic.ping(host, ipv)
                traffic.http(host, ipv)
        lab.router.run("ping", "-c", "3", "-i", "0.01", "-q", lab.server_v4)

        def growth():
            own, kinds, headers = wan(meter, direction)
            return (own - start[0], {kind: kinds[kind] - start[1][kind] for kind in KINDS}, headers - start[2])

        def adds_up():
            own, kinds, headers = growth()
            return kinds["attributed"] and kinds["router"] and abs(own - sum(kinds.values()) - headers) <= SLACK

        wait_until(adds_up, 30, what="the interface's count is the sum of all kinds and the link headers")
        own, kinds, headers = growth()
        # Neighbour discovery and ARP belong to no connection; all else does, and to somebody.
        assert kinds["unknown"] == 0
        assert kinds["unseen"] < 4000 < kinds["attributed"]
