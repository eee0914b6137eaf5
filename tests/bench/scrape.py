# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scrape costs, from ten hosts to ten thousand."""

import http.client
import shutil
import time

from lab import wait_until
from lab.meter import UnixConnection

from .answer import Answer, Plot
from .measure import METER_CORE, median, pin, process_cpu, quiet_cpu
from .network import Field

SCRAPES = 20


def _scrapes(connect, pid, headers):
    """Bytes of the page, and ms of CPU and of waiting for one."""
    times, size = [], 0
    before = quiet_cpu(pid)
    for _ in range(SCRAPES):
        connection = connect()
        began = time.monotonic()
        connection.request("GET", "/metrics", headers=headers)
        answer = connection.getresponse()
        size = len(answer.read())
        times.append((time.monotonic() - began) * 1e3)
        encoding = answer.getheader("Content-Encoding", "")
        connection.close()
    cpu = (process_cpu(pid) - before) / SCRAPES / 1e6
    return {"page": size, "cpu ms": cpu, "ms": median(times), "bytes per ms of CPU": size / cpu}, encoding


def _hosts(answer, hosts):
    with Field(hosts, known=False) as lab:
        lab.load_rules()
        lab.reflect("--reply-packets", 0)
        with lab.meter("--dump-interval", 3600, config="max-hosts = 20000\n") as meter:
            lab.generate("--flows", hosts * 2, "--rate", 5000, "--linger", 10)
            lab.drained()
            wait_until(lambda: len(meter.hosts()) >= hosts * 2, 30, "every host is there", step=1.1)
            pin(meter.process.pid, METER_CORE)
            for way, headers in ("plain", {}), ("gzip", {"Accept-Encoding": "gzip"}):
                row, encoding = _scrapes(lambda: UnixConnection(meter.socket), meter.process.pid, headers)
                if way == (encoding or "plain"):
                    answer.rows.append({"page of": f"hostmeter, {way}", "hosts": hosts, **row})
            if hosts == 100:
                _node_exporter(answer, lab)


def _node_exporter(answer, lab):
    if not shutil.which("prometheus-node-exporter"):
        answer.notes.append("prometheus-node-exporter is not installed")
        return
    process = lab.router.spawn("prometheus-node-exporter", "--web.listen-address=127.0.0.1:9100")
    lab.router.wait_listening(9100)
    pin(process.pid, METER_CORE)
    with lab.router.entered():
        row, _ = _scrapes(lambda: http.client.HTTPConnection("127.0.0.1", 9100, timeout=10), process.pid, {})
    answer.rows.append({"page of": "node_exporter, plain", **row})
    process.stop()


def ask(size):
    answer = Answer("scrape", f"of /metrics, means of {SCRAPES}")
    for hosts in size.scraped:
        _hosts(answer, hosts)
    answer.plots = [Plot("scrape", "CPU of a scrape", "hosts", "cpu ms", "page of", "xy")]
    return answer
