# SPDX-License-Identifier: GPL-2.0-or-later
"""From exec to ready, with and without a checkpoint, and what a checkpoint costs."""

import os
import signal
import socket
import time
from pathlib import Path

from lab import wait_until

from .answer import Answer, Plot
from .measure import median, quiet_cpu
from .network import Field
from .dumps import one_dump


class _Notified:
    """The supervisor's socket: when READY=1 came."""

    def __init__(self, directory):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = str(directory / "notify")
        Path(path).unlink(missing_ok=True)
        self.socket.bind(path)
        self.socket.settimeout(30)
        os.environ["NOTIFY_SOCKET"] = path

    def wait(self):
        while b"READY=1" not in self.socket.recv(4096):
            pass
        return time.monotonic()

    def close(self):
        del os.environ["NOTIFY_SOCKET"]
        self.socket.close()


def _page(meter):
    """It listens a moment before READY=1, but not from exec on."""
    try:
        return meter.get("/metrics")
    except OSError:
        return ""


def _start(meter, directory):
    """Seconds to READY=1, and until the first dump is in."""
    notified = _Notified(directory)
    began = time.monotonic()
    meter.process = meter.node.spawn(*meter.argv)
    ready = notified.wait() - began
    notified.close()
    wait_until(lambda: "\nhostmeter_ready 1\n" in _page(meter), 60, "the first dump", step=0.01)
    return ready, time.monotonic() - began


def _both(lab, meter, rounds):
    samples = {"without checkpoint": [], "with checkpoint": []}
    for _ in range(rounds):
        samples["without checkpoint"].append(_start(meter, lab.scratch))
        meter.stop()
        samples["with checkpoint"].append(_start(meter, lab.scratch))
        meter.stop(signal.SIGTERM)
        for name in meter.directory.joinpath("run").iterdir():
            name.unlink()
    return samples


def ask(size):
    answer = Answer("start", "seconds from exec to ready and to the first dump's end; the checkpoint")
    for wanted in size.live:
        with Field(50) as lab:
            flows = lab.fill(min(wanted, lab.room()))
            meter = lab.meter("--dump-interval", 3600, "--dump-share", 100)
            for name, values in _both(lab, meter, size.rounds).items():
                answer.rows.append({"start": name, "flows": flows, "ready": median([v[0] for v in values]),
                                    "first dump": median([v[1] for v in values])})
            _start(meter, lab.scratch)
            quiet_cpu(meter.process.pid)
            costs = [one_dump(meter) for _ in range(size.rounds)]
            size_of = sum(f.stat().st_size for f in meter.directory.joinpath("run").iterdir())
            cost = median([whole - dump for dump, whole in costs])
            # The difference of two readings: of few flows it may be less than what they vary by.
            answer.rows.append({"start": "one checkpoint", "flows": flows, "cpu s": cost if cost > 0 else None, "bytes": size_of,
                                "us per flow": cost / flows * 1e6 if cost > 0 else None})
            meter.kill()
        if flows < wanted * 0.9:
            break
    answer.plots = [Plot("start", "From exec to the first dump's end", "flows", "first dump", "start", "xy")]
    return answer
