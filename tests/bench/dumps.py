# SPDX-License-Identifier: GPL-2.0-or-later
"""What a dump of the live flows costs, and how soon a byte is visible."""

import json
import os
import subprocess
import time

from lab import wait_until

from .answer import Answer, Plot
from .measure import METER_CORE, interleaved, median, pin, quiet_cpu, spread
from .network import CTREAD, Field


def _usage(node, *argv):
    """CPU seconds of a command from beginning to end, output thrown away."""
    with subprocess.Popen(node.command("taskset", "-c", METER_CORE, *argv), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, argv
    return usage.ru_utime + usage.ru_stime


def _discarding(lab):
    """One, at the distance that the meter keeps: of several in a row only the first finds the kernel's table out of the caches."""
    time.sleep(1)
    return json.loads(lab.router.output("taskset", "-c", METER_CORE, CTREAD, "--dump=1"))["cpu_seconds"]


def one_dump(meter):
    """Asks for one; its CPU seconds as the meter tells, and of all that came of it, the checkpoint with it."""
    pid = meter.process.pid
    time.sleep(1)  # dumps keep that distance
    before = quiet_cpu(pid)
    dumps = meter.value("hostmeter_dumps_total")
    whole = quiet_cpu(pid) - before
    wait_until(lambda: meter.value("hostmeter_dumps_total") > dumps, 30, "a dump", step=0.5)
    return meter.value("hostmeter_dump_cpu_seconds"), whole / 1e9


def _latency(lab, meter):
    """Seconds from a packet of a live flow to its bytes on the page, for somebody who looks ten times a second."""
    def bytes_out():
        return sum(count.bytes for (_, _, way), count in meter.hosts().items() if way == "out")

    before = bytes_out()
    run = lab.start("--flows", 1, "--rate", 0, "--linger", 10)
    began = time.monotonic()
    wait_until(lambda: bytes_out() > before, 60, "the packet is visible", step=0.1)
    run.result(check=False)
    return time.monotonic() - began


def ask(size):
    answer = Answer("dumps", "CPU seconds of one dump, and as a ratio")
    delays = []
    for wanted in size.live:
        with Field(50) as lab:
            flows = lab.fill(min(wanted, lab.room()))
            meter = lab.meter("--dump-interval", 3600, "--dump-share", 100).start()
            pin(meter.process.pid, METER_CORE)
            wait_until(lambda: meter.value("hostmeter_ready") == 1, 60, "the first dump")
            quiet_cpu(meter.process.pid)
            pairs = []

            def ours():
                pairs.append(one_dump(meter))
                return pairs[-1][0]

            samples = interleaved(size.rounds, {
                "discards": lambda: _discarding(lab),
                "hostmeter": ours,
                "conntrack -L": lambda: _usage(lab.router, "conntrack", "-L")})
            samples["hostmeter and checkpoint"] = [whole for _, whole in pairs]
            meter.kill()
            with lab.meter() as watched:
                wait_until(lambda: watched.value("hostmeter_ready") == 1, 60, "the first dump")
                for _ in range(size.rounds):
                    delays.append({"method": "latency", "flows": flows, "latency s": _latency(lab, watched)})
        floor = samples["discards"]
        for name, values in samples.items():
            answer.rows.append({"method": name, "flows": flows, "seconds": median(values), "spread": spread(values),
                                "ratio": median([a / b for a, b in zip(values, floor)]),
                                "us per entry": median(values) / flows * 1e6})
        answer.rows.append({"method": "latency", "flows": flows,
                            "latency s": median([d["latency s"] for d in delays if d["flows"] == flows])})
        if flows < wanted * 0.9:
            answer.notes.append(f"{flows} instead of {wanted} flows: net.netfilter.nf_conntrack_max belongs to the whole "
                                "machine and is not changed here")
            break
    answer.notes.append("the kernel makes a dump while it is read, so its own work is in every row; latency is what "
                        "somebody sees who reads /metrics ten times a second, with the default --dump-share of 5 %")
    answer.plots = [Plot("dumps", "CPU of a dump", "flows", "seconds", "method", "xy")]
    return answer
