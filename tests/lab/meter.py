# SPDX-License-Identifier: GPL-2.0-or-later
"""The program under test, running on a router."""

import http.client
import os
import signal
import socket
import time
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from .counters import Count
from .node import wait_until

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("HOSTMETER", str(ROOT / "build" / "hostmeter"))


def parse_metrics(text):
    """{(name, frozenset of label pairs): value}; a series that is there twice is an error."""
    metrics = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in metrics, f"twice: {key}"
            metrics[key] = sample.value
    return metrics


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=5)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Meter:
    """hostmeter on a node of the lab. All its files are in one directory; options come after the usual ones."""

    count = 0

    def __init__(self, lab, *options, config="", node=None, listen="127.0.0.1:10060", interfaces=None):
        """interfaces: options instead of the lab's --lan and --wan; () lets it find them."""
        Meter.count += 1
        self.node = node or lab.router
        self.directory = lab.scratch / f"meter-{Meter.count}"
        self.directory.mkdir()
        self.socket = self.directory / "hostmeter.sock"
        self.config = self.directory / "hostmeter.conf"
        self.config.write_text(config)
        if interfaces is None:
            interfaces = "--lan", lab.lan, "--wan", lab.wan
        usual = [*interfaces, "--listen", listen, "--dump-interval", "1"]
        self.argv = [PROGRAM, "--config", self.config, "--socket", self.socket, "--runtime-dir", self.directory / "run",
                     "--state-dir", self.directory / "state", *usual, *options]
        (self.directory / "run").mkdir()
        (self.directory / "state").mkdir()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process:
            self.process.kill()

    def start(self):
        """Returns once it answers."""
        self.process = self.node.spawn(*self.argv)

        def ready():
            assert self.process.running(), f"hostmeter ended: {self.log()}"
            try:
                return self.get("/metrics")
            except (OSError, http.client.HTTPException):
                return None

        wait_until(ready, what=f"hostmeter answers on {self.socket}")
        return self

    def stop(self, signo=signal.SIGTERM):
        return self.process.stop(signo)

    def kill(self):
        self.process.kill()

    def log(self):
        return self.process.output()

    def get(self, target):
        """The body of a 200 answer from the UNIX socket."""
        connection = UnixConnection(self.socket)
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            body = answer.read().decode()
            assert answer.status == 200, (target, answer.status, body)
            return body
        finally:
            connection.close()

    def once(self, *options):
        return self.node.output(PROGRAM, "--config", self.config, "--socket", self.socket, "--once", *options)

    def metrics(self):
        return parse_metrics(self.get("/metrics"))

    def value(self, name, **labels):
        """One series' value; None if it is not there."""
        return self.metrics().get((name, frozenset(labels.items())))

    def hosts(self, text=None):
        """{(host, ipv, direction): Count} of host_bytes_total and host_packets_total, without those still at zero."""
        return host_counts(self.metrics() if text is None else parse_metrics(text))

    def local(self):
        """The same of host_local_bytes_total and host_local_packets_total."""
        return host_counts(self.metrics(), "host_local")

    def attributed(self):
        """{by: flows} of hostmeter_attributed_flows_total, without those still at zero."""
        return {dict(labels)["by"]: int(value) for (name, labels), value in self.metrics().items()
                if name == "hostmeter_attributed_flows_total" and value}

    def steady(self, deadline=20, still=0.5):
        """Waits until the host counters stood still for a while (longer than a batch of NFLOG); returns them."""
        last, since = None, 0.0

        def stands_still():
            nonlocal last, since
            now = self.hosts(), self.local()
            if now != last:
                last, since = now, time.monotonic()
            return time.monotonic() - since >= still

        wait_until(stands_still, deadline, "the counters stand still", step=0.1)
        return last[0]


def host_counts(metrics, prefix="host"):
    counts = {}
    for (name, labels), value in metrics.items():
        if name not in (f"{prefix}_bytes_total", f"{prefix}_packets_total"):
            continue
        label = dict(labels)
        key = (label["host"], int(label["ipv"]), label["direction"])
        old = counts.get(key, Count())
        counts[key] = old + (Count(int(value), 0) if name.endswith("bytes_total") else Count(0, int(value)))
    return {key: count for key, count in counts.items() if count != Count()}
