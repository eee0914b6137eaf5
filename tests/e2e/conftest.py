# SPDX-License-Identifier: GPL-2.0-or-later
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import Crowd, Lab, Traffic, own_sandbox, talk, udp, wait_until  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: takes the whole machine; not beside other tests")
    if not os.path.ismount("/run") or not os.path.isdir("/run/netns"):
        raise pytest.UsageError("these tests build networks: start them by tests/run-e2e")
    if hasattr(config, "workerinput"):
        own_sandbox()


def pytest_collection_modifyitems(items):
    """What many hosts do at full speed leaves no room beside it."""
    for item in items:
        if {"crowd", "flooded"} & set(item.fixturenames):
            item.add_marker("alone")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What failed where nobody was looking is judged by what its processes said last."""
    report = (yield).get_result()
    if call.when != "call" or not report.failed:
        return
    for network in item.funcargs.values():
        for node in network.nodes.values() if isinstance(network, Lab) else ():
            for process in node.processes:
                state = "running" if process.running() else "ended"
                report.sections.append((f"{process.log.name}, {state}", process.output()[-2000:]))


@pytest.fixture
def lab():
    """A home network of the test's own, rules not loaded. Its files lie in TMPDIR: pytest's paths outgrow sun_path."""
    with Lab() as network:
        yield network


@pytest.fixture
def traffic(lab):
    return Traffic(lab)


@pytest.fixture(params=["nflog", "neighbour"])
def rules(lab, request):
    """A test that takes this runs twice: with the rules, and with nothing but the neighbour table."""
    if request.param == "nflog":
        lab.load_rules()
    return request.param


@pytest.fixture
def crowd():
    """Fifty hosts that the traffic generator plays, rules not loaded."""
    with Crowd() as network:
        yield network


@pytest.fixture
def warm(lab, rules):
    """A call after which the meter knows that there are rules; what it costs is the phone's."""
    def call(meter, truth):
        if rules == "nflog":
            phone = lab.hosts[2]
            server = udp(lab.inet, lab.server_v4, 9)
            truth.asked(phone, 4, talk(udp(lab[phone.name], phone.v4), server, (lab.server_v4, 9)))
            wait_until(lambda: meter.value("hostmeter_sightings_total"), what="the first packets were read")

    return call
