# SPDX-License-Identifier: GPL-2.0-or-later
"""What the meter says of itself on standard error."""

import os
import re
import signal
from pathlib import Path

from lab import wait_until


def test_state_on_the_log(lab, traffic):
    lab.load_rules()
    # Only errors, and yet the page, since somebody asked for it; for the journal, with its priorities.
    with lab.meter("--log-level", "error", config=lab.names(lab.hosts[:1])) as meter:
        traffic.http(lab.hosts[0], 4)
        lab.settled(meter)
        assert meter.log() == ""
        meter.process.send(signal.SIGUSR1)
        page = wait_until(lambda: "hosts: " in meter.log() and meter.log(), what="the page is on the log")
        lines = page.splitlines()
        assert 15 < len(lines) <= 40 and all(line.startswith("<6>") for line in lines)
        assert re.match(r"<6>hostmeter \S+, up 0d 00:00:\d\d, ready: yes$", lines[0])
        assert f"<6>WAN: {lab.wan}" in lines and f"<6>LAN: {lab.lan}" in lines
        for source in "events", "dump", "nflog", "rtnetlink":
            assert re.search(rf"^<6>source {source}: up, buffer of [1-9]\d* bytes, 0 overruns$", page, re.M)
        host = meter.hosts()
        name = lab.hosts[0].name
        assert re.search(rf"^<6>  {name} \S+ in {host[name, 4, 'in'].bytes} out {host[name, 4, 'out'].bytes} bytes", page, re.M)
        assert meter.stop() == 0


def test_the_log_says_where_the_lan_may_ask(lab):
    """The router's addresses on its LANs, as they are to be given to a browser or to Prometheus; not the WAN's."""
    v4, v6 = f"http://{lab.router_v4}:10060/metrics", f"http://[{lab.router_v6}]:10060/metrics"
    for listen, urls in ((":10060", [v4, v6]), ("10060", [v4, v6]), ("0.0.0.0:10060", [v4]), ("[::]:10060", [v6]),
                         (f"{lab.router_v4}:10060", [v4]), ("127.0.0.1:10060", [])):
        with lab.meter(listen=listen) as meter:
            lines = [line for line in meter.log().splitlines() if "metrics: " in line]
            assert lines == ([f"<6>metrics: {url} (LAN {lab.lan})" for url in urls] or [f"<6>metrics: http://{listen}/metrics"])
            for url in urls:
                asked = lab["desktop"].run("curl", "-sSg", "-o", "/dev/null", "-w", "%{http_code}", url)
                assert asked.stdout == "200"


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_guard_that_is_killed_at_its_start_is_tried_again(lab):
    """So early that its start counts as failed: a second later there is one."""
    with lab.meter() as meter:
        pid = meter.process.pid
        for _ in range(10):
            guard = wait_until(lambda: children(pid), what="there is a guard", step=0)[0]
            os.kill(guard, signal.SIGKILL)
            wait_until(lambda: guard not in children(pid), what="it is gone", step=0)
        wait_until(lambda: children(pid), what="there is another")
        assert meter.stop() == 0


def test_warnings_are_not_repeated(lab):
    """A guard that is killed is replaced each time, and told of once."""
    with lab.meter() as meter:
        pid, guard = meter.process.pid, None
        for _ in range(3):
            guard = wait_until(lambda: [child for child in children(pid) if child != guard], what="there is a guard")[0]
            os.kill(guard, signal.SIGKILL)
        wait_until(lambda: [child for child in children(pid) if child != guard], what="there is another")
        assert meter.log().count("the guard against a hung meter is gone") == 1
        assert meter.stop() == 0
