# SPDX-License-Identifier: GPL-2.0-or-later
"""What the meter needs at rest, per flow, and what it gives back."""

import os
import subprocess
import time

from lab import PROGRAM, wait_until

from .answer import Answer, Plot
from .measure import memory, peak_memory
from .network import MKTRACE, Field


def _row(what, flows, pid):
    now = memory(pid)
    return {"state": what, "flows": flows, "resident KiB": now["Rss"], "dirty KiB": now["Private_Dirty"]}


def _shrunk(meter):
    """Waits until dumps, which also give memory back, find no more to give."""
    last, still = None, 0

    def stands_still():
        nonlocal last, still
        meter.metrics()
        now = memory(meter.process.pid)["Private_Dirty"]
        still, last = (still + 1 if now == last else 0), now
        return still >= 4

    wait_until(stands_still, 60, "memory stands still", step=1.1)


def _first_packets_forgotten(meter):
    """They go two seconds after their flow's first count, or after two minutes without one."""
    wait_until(lambda: meter.value("hostmeter_pending_sightings") < 1000, 150, "first packets are forgotten", step=1.1)


def _live(answer, wanted):
    """Up to so many flows and back, on a router with 100 hosts."""
    with Field(100) as lab:
        lab.load_rules()
        flows = min(wanted, lab.room())
        meter = lab.meter("--dump-interval", 3600, "--dump-share", 100).start()
        pid = meter.process.pid
        lab.generate("--flows", 400, "--rate", 5000)
        lab.settled(meter)
        if not any(row["state"] == "100 hosts, at rest" for row in answer.rows):
            answer.rows.append(_row("100 hosts, at rest", 0, pid))
        live = lab.fill(flows)
        wait_until(lambda: meter.value("hostmeter_flows") >= live * 0.99, 60, "the dump is in", step=1.1)
        _first_packets_forgotten(meter)
        _shrunk(meter)
        full = {**_row("live", live, pid), "peak KiB": peak_memory(pid)}
        lab.settled(meter)
        # What a peak leaves behind is given back as shards are swept: after the next dump, and the tombs' time.
        wait_until(lambda: meter.value("hostmeter_flow_table_bytes") < 100_000, 60, "the table has shrunk", step=1.1)
        _first_packets_forgotten(meter)
        _shrunk(meter)
        after = _row("after the peak", live, pid)
        # What goes with the flows is theirs; pages and buffers are there either way.
        full["bytes per flow"] = (full["dirty KiB"] - after["dirty KiB"]) * 1024 / live
        answer.rows += [full, after]
        meter.kill()


def _replayed(flows, directory):
    """Peak KiB of a replay of so many live flows, dumped twice."""
    trace, peak = f"{directory}/trace", 0
    subprocess.run([MKTRACE, "--dumps=2", str(flows), trace], check=True)
    with subprocess.Popen([PROGRAM, "--replay", trace], stdout=subprocess.DEVNULL) as process:
        # Not from its rusage, whose peak is this program's own from before exec(2).
        while process.poll() is None:
            try:
                peak = max(peak, peak_memory(process.pid))
            except (OSError, StopIteration):
                pass
            time.sleep(0.005)
    os.unlink(trace)
    assert process.returncode == 0
    return peak


def ask(size):
    answer = Answer("memory", "of the meter")
    for wanted in size.live:
        _live(answer, wanted)
        if answer.rows[-1]["flows"] < wanted * 0.9:
            break
    with Field(1) as lab:
        base = max(_replayed(1000, lab.scratch) for _ in range(5))
        for flows in size.replayed:
            peak = _replayed(flows, lab.scratch)
            answer.rows.append({"state": "replayed", "flows": flows, "peak KiB": peak,
                                "bytes per flow": (peak - base) * 1024 / (flows - 1000)})
    answer.notes.append("live: /proc/PID/smaps_rollup, bytes per flow: what is given back after the peak; replayed: the peak of "
                        "hostmeter --replay, whose table has as many flows as are asked for, less that of a thousand")
    answer.plots = [Plot("memory", "Memory per flow", "flows", "bytes per flow", "state", "x")]
    return answer
