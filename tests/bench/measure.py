# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU time to the nanosecond, medians, and rounds in which the variants take turns."""

import os
import statistics
import subprocess
import time
from pathlib import Path

# Traffic on one core, what is measured on the other: neither takes the other's time or cache.
CORES = os.cpu_count() or 1
TRAFFIC_CORE = 0
METER_CORE = 1 % CORES


def thread_cpu(pid):
    """ns on a processor of one process or kernel thread and its threads; what has ended adds nothing."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(task.read_text().split()[0])
        except (OSError, IndexError):
            pass
    return total


def _children(pid):
    try:
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()]
    except OSError:
        return []


def process_cpu(pid):
    """The same of a process and all that it started."""
    return thread_cpu(pid) + sum(process_cpu(child) for child in _children(pid))


def pin(pid, core):
    """Where that is not allowed it stays where it is."""
    subprocess.run(["taskset", "-a", "-p", "-c", str(core), str(pid)], capture_output=True, check=False)


def memory(pid):
    """{field: KiB} of /proc/PID/smaps_rollup."""
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":")
        fields[name] = int(value.split()[0])
    return fields


def peak_memory(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM"))


def median(values):
    return statistics.median(values)


def spread(values):
    """How far apart the middle half is, as a share of the median: what a difference must exceed to be one."""
    if len(values) < 4 or not median(values):
        return (max(values) - min(values)) / median(values) if values and median(values) else 0.0
    quarter = statistics.quantiles(values, n=4)
    return (quarter[2] - quarter[0]) / median(values)


def margin(values):
    """Two standard errors of their mean: where another run's mean would lie, 19 times in 20."""
    return 2 * statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0


def interleaved(rounds, variants):
    """{name: [what each call gave]}: the variants take turns, so that a slow minute is slow for all of them."""
    results = {name: [] for name in variants}
    for number in range(rounds):
        names = list(variants)
        for name in names[number % len(names):] + names[:number % len(names)]:
            results[name].append(variants[name]())
    return results


def quiet_cpu(pid, still=0.3, deadline=60):
    """Waits until a process has nothing more to do; its CPU time then."""
    end = time.monotonic() + deadline
    last, since = process_cpu(pid), time.monotonic()
    while time.monotonic() - since < still and time.monotonic() < end:
        time.sleep(0.02)
        now = process_cpu(pid)
        if now - last > 1_000_000:
            since = time.monotonic()
        last = now
    return process_cpu(pid)
