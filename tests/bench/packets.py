# SPDX-License-Identifier: GPL-2.0-or-later
"""What a forwarded packet costs the router: alone, with the meter, with a rule for every host."""

import time
from dataclasses import dataclass

from lab import Oracle, wait_until

from .answer import Answer, Plot
from .measure import interleaved, median, spread
from .network import Field

FLOWS = 2000


@dataclass(frozen=True)
class _Host:
    mac: str


def _alone(lab):
    del lab
    return None


def _meter(lab):
    return lab.meter("--dump-interval", 10).start()


def _meter_and_rules(lab):
    lab.load_rules()
    return _meter(lab)


def _per_host(variant):
    def load(lab):
        lab.hosts = [_Host(f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}") for n in range(1, lab.count + 1)]
        return Oracle(lab, variant)
    return load


def _variants(lab_has):
    table = {"conntrack alone": _alone, "hostmeter, no rules": _meter, "hostmeter": _meter_and_rules}
    for variant in "legacy", "nft":
        if lab_has(variant):
            table[f"iptables-{variant}, a rule per host"] = _per_host(variant)
    return table


def _has_iptables(variant):
    with Field(1) as lab:
        return lab.router.run(f"iptables-{variant}", "-w", "-t", "mangle", "-L", check=False).returncode == 0


def _sample(hosts, prepare, window):
    """ns per packet. A network of its own each time: a table once loaded leaves its hooks behind."""
    with Field(hosts) as lab:
        lab.forward_in_threads()
        prepare(lab)
        run = lab.start("--flows", FLOWS, "--packets", 10000000, "--concurrent", "--rate", 0)
        wait_until(lambda: lab.live() >= FLOWS, 30, "all flows are there")
        cpu, packets = lab.forwarding_cpu(), lab.forwarded()
        time.sleep(window)
        cpu, packets = lab.forwarding_cpu() - cpu, lab.forwarded() - packets
        run.finish(check=False)
        return cpu / packets


def ask(size):
    answer = Answer("packets", "ns of the router per forwarded packet, and as a ratio")
    variants = _variants(_has_iptables)
    calls = {(hosts, name): lambda hosts=hosts, prepare=prepare: _sample(hosts, prepare, size.window)
             for hosts in size.hosts for name, prepare in variants.items()}
    samples = interleaved(size.rounds, calls)
    for hosts in size.hosts:
        # Round by round, so that what slowed a round slowed both sides of its ratio.
        floor = samples[hosts, "conntrack alone"]
        for name in variants:
            values = samples[hosts, name]
            answer.rows.append({"method": name, "hosts": hosts, "ns": median(values), "spread": spread(values),
                                "ratio": median([a / b for a, b in zip(values, floor)])})
    answer.notes.append("UDP of 100 bytes, both directions and families, 2000 flows; CPU time of the router's NAPI "
                        "threads over packets received by the router, the generator on another core")
    answer.plots = [Plot("packets", "Cost of a forwarded packet", "hosts", "ratio", "method", "xy")]
    return answer
