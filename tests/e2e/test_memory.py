# SPDX-License-Identifier: GPL-2.0-or-later
"""What the meter needs at rest, and that a busy hour does not stay in memory. How much a flow needs: tools/bench memory."""

import re
from pathlib import Path

import pytest
from lab import Crowd, wait_until

HOSTS, FLOWS = 100, 100_000
AT_REST_KIB = 1024
STAYS_KIB = 1024  # the tables alone take nine times that at the peak


def private_kib(meter):
    """What no other process shares and no file holds: what the meter itself takes of the router's memory."""
    return int(re.search(r"Private_Dirty:\s*(\d+)", Path(f"/proc/{meter.process.pid}/smaps_rollup").read_text()).group(1))


@pytest.fixture
def crowd():
    with Crowd(HOSTS) as crowd:
        crowd.load_rules()
        yield crowd


def test_rest_and_what_a_peak_leaves(crowd):
    with crowd.meter() as meter:
        crowd.generate("--flows", HOSTS * 4, "--rate", 0)
        crowd.settled(meter)
        assert len(meter.hosts()) >= HOSTS * 4
        # Nobody asks meanwhile: a page that was just made is kept for the next who asks.
        wait_until(lambda: private_kib(meter) <= AT_REST_KIB, 30, "the meter takes no more than it may at rest", step=0.5)
        before = private_kib(meter)

        crowd.router.sysctl(netfilter__nf_conntrack_udp_timeout=600, netfilter__nf_conntrack_udp_timeout_stream=600)
        crowd.generate("--flows", FLOWS, "--rate", 40_000, "--linger", 100)
        wait_until(lambda: meter.value("hostmeter_flows") >= FLOWS, 30, "a dump tells of every flow")
        assert private_kib(meter) - before > 4 * STAYS_KIB
        crowd.settled(meter)
        wait_until(lambda: private_kib(meter) - before < STAYS_KIB, 60, "the peak's memory is given back", step=0.5)
