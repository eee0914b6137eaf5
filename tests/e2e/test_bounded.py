# SPDX-License-Identifier: GPL-2.0-or-later
"""However many hosts somebody makes up: there are so many series and no more, and no byte is lost."""

import re
from pathlib import Path

import pytest
from lab import Count, Crowd, Truth, add_counts, counts_of, talk, udp, wait_until

HOSTS, FLOWS, MAX_HOSTS = 20_000, 20_000, 16
# 10,000 hosts more would take twice as much.
ROOM_KIB = 6144
SPECIAL = "other", "unknown", "router"


def resident_kib(process):
    return int(re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{process.pid}/status").read_text()).group(1))


def sums(counts):
    """{(ipv, direction): Count} over all hosts."""
    total = {}
    for (_, ipv, way), count in counts.items():
        total[ipv, way] = total.get((ipv, way), Count()) + count
    return total


def never_fell(before, after):
    return all(after.get(key, Count()).bytes >= count.bytes and after.get(key, Count()).packets >= count.packets
               for key, count in before.items())


@pytest.fixture
def flooded():
    """A LAN whose packets nobody answers: the router's own neighbour table would fill up otherwise."""
    with Crowd(10) as crowd:
        crowd.load_rules()
        crowd.reflect("--reply-packets", "0")
        yield crowd


def flood(crowd, meter, count):
    """Flows of so many hosts; the sums are watched meanwhile. The generator's counts."""
    before = sums(meter.hosts())
    run = crowd.start("--flows", FLOWS, "--rate", 20_000, "--seed", count, count=count)
    while run.running():
        now = sums(meter.hosts())
        assert never_fell(before, now)
        before = now
    truth = counts_of(run.result(deadline=30))
    assert never_fell(before, sums(crowd.settled(meter)))
    wait_until(lambda: not any(meter.value(f"hostmeter_{what}") for what in ("flows", "pending_ends")),
               what="what was kept for the flows is gone")
    return truth


def test_flood_of_macs_folds_into_other(flooded):
    with flooded.meter(config=f"max-hosts = {MAX_HOSTS}\n") as meter:
        first = flood(flooded, meter, HOSTS // 2)
        size = resident_kib(meter.process)
        truth = add_counts(first, flood(flooded, meter, HOSTS))
        # The same number of flows, so all that could have grown is what is kept of hosts.
        assert resident_kib(meter.process) - size < ROOM_KIB

        metered = meter.hosts()
        assert sums(metered) == sums(truth)
        hosts = {host for host, _, _ in metered} - {"other"}
        assert len(hosts) == MAX_HOSTS
        assert all(truth[key] == count for key, count in metered.items() if key[0] != "other")
        series = [labels for name, labels in meter.metrics() if name == "host_bytes_total"]
        assert len(series) <= (MAX_HOSTS + len(SPECIAL)) * 4
        assert meter.value("hostmeter_hosts_folded_total") >= HOSTS - MAX_HOSTS


def test_host_that_was_not_seen_for_long_folds_into_other(lab, rules):
    desktop, truth = lab.hosts[0], Truth()
    server = udp(lab.inet, lab.server_v4, 7)
    with lab.meter(config="forget-after = 2\n" + lab.names()) as meter:
        truth.asked("other", 4, talk(udp(lab[desktop.name], desktop.v4), server, (lab.server_v4, 7)))
        lab.quiet()
        lab.router.run("conntrack", "-F")
        wait_until(lambda: meter.hosts() == truth, what="the host is one of the others")
        truth.asked(desktop, 4, talk(udp(lab[desktop.name], desktop.v4), server, (lab.server_v4, 7)))
        lab.router.run("conntrack", "-F")
        assert wait_until(lambda: meter.hosts() == truth, what="it is back, and begins anew")
