# SPDX-License-Identifier: GPL-2.0-or-later
"""What a forwarded packet costs the router: alone, with the meter, with a rule for every host.

The rules cost less than what such a machine's time varies by from one second to the next. So what is compared takes short
turns in one network, under the same traffic, each turn's cost is divided by the same turn's cost without anything, and
eight copies of the rules show what one must cost.
"""

import re
import time
from dataclasses import dataclass

from lab import RULES, Oracle, wait_until

from .answer import Answer, Plot
from .measure import interleaved, margin, median, spread
from .network import Field

FLOWS = 2000
COPIES = 8
ALONE, METER, RULED, COPIED, ONE = ("conntrack alone", "hostmeter, no rules", "hostmeter",
                                    f"hostmeter, its rules {COPIES} times", f"hostmeter, by those {COPIES}")


@dataclass(frozen=True)
class _Host:
    mac: str


def _rules(copies):
    """The rules' file, with so many copies of its chain."""
    text = (RULES / "hostmeter.nft").read_text()
    begin, chain, end = re.fullmatch(r"(.*\{\n)(\tchain .*?\n\t\}\n)(\}\n)", text, re.S).groups()
    return begin + "".join(chain.replace("chain forward", f"chain forward{n}") for n in range(copies)) + end


class _Turns:
    """One network under steady traffic, in which the variants take turns."""

    PREPARED = {ALONE: (False, 0), METER: (True, 0), RULED: (True, 1), COPIED: (True, COPIES)}

    def __init__(self, lab):
        self.lab = lab
        self.meter = lab.meter("--dump-interval", 10)
        self.runs = False

    def sample(self, name, window):
        meters, copies = self.PREPARED[name]
        if meters != self.runs:
            (self.meter.start if meters else self.meter.stop)()
            self.runs = meters
        self.lab.router.run("nft", "-f", "-", stdin=_rules(copies))
        time.sleep(window / 10)  # what was on its way
        return _cost(self.lab, window)

    def close(self):
        if self.runs:
            self.meter.stop()


def _cost(lab, window):
    """ns per packet."""
    cpu, packets = lab.forwarding_cpu(), lab.forwarded()
    time.sleep(window)
    return (lab.forwarding_cpu() - cpu) / (lab.forwarded() - packets)


def _under_traffic(lab):
    run = lab.start("--flows", FLOWS, "--packets", 10000000, "--concurrent", "--rate", 0)
    wait_until(lambda: lab.live() >= FLOWS, 30, "all flows are there")
    # A UDP stream is, two seconds after its begin: nf_conntrack_proto_udp.c.
    wait_until(lambda: lab.assured() >= FLOWS, 30, "all flows are assured", step=0.5)
    return run


def _take_turns(hosts, size):
    """{name: [a cost for each turn]}"""
    with Field(hosts) as lab:
        lab.forward_in_threads()
        turns, run = _Turns(lab), _under_traffic(lab)
        costs = interleaved(size.turns, {name: lambda name=name: turns.sample(name, size.window)
                                         for name in turns.PREPARED})
        turns.close()
        run.finish(check=False)
        return costs


def _per_host(hosts, variant, size):
    """In a network of its own: a table of iptables leaves its hooks behind."""
    with Field(hosts) as lab:
        lab.forward_in_threads()
        lab.hosts = [_Host(f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}") for n in range(1, hosts + 1)]
        Oracle(lab, variant)
        run = _under_traffic(lab)
        cost = _cost(lab, size.window * 3)
        run.finish(check=False)
        return cost


def _has_iptables(variant):
    with Field(1) as lab:
        return lab.router.run(f"iptables-{variant}", "-w", "-t", "mangle", "-L", check=False).returncode == 0


def _row(name, hosts, costs, floor):
    ratios = [a / b for a, b in zip(costs, floor)]
    return {"method": name, "hosts": hosts, "ns": median(costs), "spread": spread(costs), "ratio": median(ratios),
            "±": margin(ratios)}


def _one_copy(hosts, costs, floor):
    """What eight copies say of one."""
    ones = [b + (a - b) / COPIES for a, b in zip(costs, floor)]
    return _row(ONE, hosts, ones, floor)


def ask(size):
    answer = Answer("packets", "ns of the router per forwarded packet, and as a ratio")
    variants = [variant for variant in ("legacy", "nft") if _has_iptables(variant)]
    calls = {}
    for hosts in size.hosts:
        calls[hosts, "turns"] = lambda hosts=hosts: _take_turns(hosts, size)
        for variant in variants:
            calls[hosts, variant] = lambda hosts=hosts, variant=variant: _per_host(hosts, variant, size)
    results = interleaved(size.rounds, calls)
    for hosts in size.hosts:
        rounds = results[hosts, "turns"]
        costs = {name: [cost for turns in rounds for cost in turns[name]] for name in _Turns.PREPARED}
        answer.rows += [_row(name, hosts, costs[name], costs[ALONE]) for name in costs]
        answer.rows.append(_one_copy(hosts, costs[COPIED], costs[ALONE]))
        floor = [median(turns[ALONE]) for turns in rounds]
        answer.rows += [_row(f"iptables-{variant}, a rule per host", hosts, results[hosts, variant], floor)
                        for variant in variants]
    answer.notes.append("UDP of 100 bytes, both directions and families, 2000 flows; CPU time of the router's NAPI "
                        "threads over packets received by the router, the generator on another core")
    answer.notes.append(f"{size.rounds} networks with {size.turns} turns of {size.window} s each; ±: two standard errors of the "
                        "ratio's mean")
    answer.plots = [Plot("packets", "Cost of a forwarded packet", "hosts", "ratio", "method", "xy")]
    return answer
