# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks the questions, prints their tables, writes the JSON and the plots."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from lab import PROGRAM, ROOT

from . import dumps, flows, memory, packets, scrape, start
from .answer import Answer
from .plot import svg

QUESTIONS = {module.__name__.rpartition(".")[2]: module.ask
             for module in (packets, flows, dumps, memory, scrape, start)}


@dataclass(frozen=True)
class Size:
    rounds: int
    window: float   # seconds of counting packets
    turns: int      # of what is compared within one network
    hosts: tuple
    flows: tuple    # (number, a second)
    live: tuple
    replayed: tuple
    scraped: tuple


FULL = Size(5, 0.5, 6, (10, 50, 250, 1000), ((100_000, 20_000), (500_000, 50_000)), (10_000, 100_000, 1_000_000),
            (100_000, 1_000_000), (10, 100, 1_000, 10_000))
QUICK = Size(3, 0.4, 3, (10, 250), ((20_000, 20_000),), (10_000, 50_000), (100_000,), (10, 100, 1_000))


def _machine():
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            check=False).stdout.strip()
    return {"processor": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "load before": round(os.getloadavg()[0], 2), "commit": commit, "date": time.strftime("%Y-%m-%d %H:%M")}


def _arguments():
    parser = argparse.ArgumentParser(prog="tools/bench", description="Measures hostmeter beside its floor and peers.")
    parser.add_argument("question", nargs="*", help=f"of {', '.join(QUESTIONS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="three rounds, smaller numbers")
    parser.add_argument("--soak", type=int, metavar="FLOWS", help="instead: memory over so many flows (long)")
    parser.add_argument("--raise-limit", action="store_true",
                        help="raise the machine's own nf_conntrack_max meanwhile, for a million live flows (tools/bench does)")
    parser.add_argument("--output", type=Path, default=Path(PROGRAM).parent, metavar="DIR",
                        help="where bench.json and bench-*.svg go (beside the program)")
    parser.add_argument("--plot", type=Path, metavar="JSON", help="instead: draw an earlier run's plots anew, beside its bench.json")
    arguments = parser.parse_args()
    for name in arguments.question:
        if name not in QUESTIONS:
            parser.error(f"no such question: {name}")
    return arguments


def _write(directory, machine, answers):
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, "answers": [answer.json() for answer in answers]}, indent=1)
    (directory / "bench.json").write_text(text + "\n")
    _draw(directory, answers)


def _draw(directory, answers):
    for answer in answers:
        for plot in answer.plots:
            picture = svg(plot, answer.rows)
            if picture:
                (directory / f"bench-{plot.name}.svg").write_text(picture)


def main():
    arguments = _arguments()
    if arguments.plot:
        _draw(arguments.plot.parent, [Answer.of_json(data) for data in json.loads(arguments.plot.read_text())["answers"]])
        return 0
    size = QUICK if arguments.quick else FULL
    machine, answers = _machine(), []
    print(", ".join(f"{key}: {value}" for key, value in machine.items()), flush=True)
    questions = [lambda: flows.soak(arguments.soak)] if arguments.soak else \
        [lambda ask=QUESTIONS[name]: ask(size) for name in arguments.question or QUESTIONS]
    for question in questions:
        answers.append(question())
        machine["load after"] = round(os.getloadavg()[0], 2)
        _write(arguments.output, machine, answers)
        print(f"\n{answers[-1].table()}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
