# SPDX-License-Identifier: GPL-2.0-or-later
"""What a short flow costs each reader, from its first packet to its end, and whether anything is lost."""

import json
import shutil
import subprocess
from pathlib import Path

from lab import RULES, add_counts, counts_of, wait_until
from lab.counters import NETLINK_NETFILTER

from .answer import Answer, Plot
from .measure import METER_CORE, interleaved, median, pin, process_cpu, quiet_cpu, spread
from .network import CTREAD, SHORT, Field

# More than that at once would come near the valve.
CHUNK = 150_000


def _listeners(lab):
    """Events that the kernel could not give to each listener, so far."""
    rows = [line.split() for line in lab.router.output("cat", "/proc/net/netlink").splitlines()[1:]]
    return [int(row[8]) for row in rows if row[1] == NETLINK_NETFILTER and int(row[3], 16)]


class _Process:
    """A reader that is measured from outside."""

    meter = None

    def __init__(self, lab, *argv):
        self.process = lab.router.spawn(*argv)
        wait_until(lambda: _listeners(lab) or not self.process.running(), what=f"{argv[0]} listens")
        assert self.process.running(), self.process.output()

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.stop()
        return self.process.output()


class _Meter:
    """The meter; interval: seconds between dumps; narrow: only what comes from the LAN is logged."""

    def __init__(self, lab, interval=3600, narrow=False):
        rules = (RULES / "hostmeter.nft").read_text()
        if narrow:
            rules = rules.replace("ct direction", f'iifname "{lab.lan}" ct direction')
        lab.router.run("nft", "-f", "-", stdin=rules)
        self.lab = lab
        self.meter = lab.meter("--dump-interval", interval).start()
        wait_until(lambda: self.meter.value("hostmeter_ready") == 1, what="the first dump")
        # Whoever looks asks for a dump, a second later at most: not in the time that is measured.
        quiet_cpu(self.pid, still=1.3)

    @property
    def pid(self):
        return self.meter.process.pid

    def stop(self):
        self.meter.kill()
        self.lab.router.run("nft", "delete", "table", "inet", "hostmeter")
        return ""


def _ulogd(lab):
    plugins = next(Path("/usr/lib").glob("**/ulogd/ulogd_inpflow_NFCT.so")).parent
    names = "inpflow_NFCT", "filter_IP2STR", "filter_PRINTFLOW", "output_LOGEMU"
    config = lab.scratch / "ulogd.conf"
    config.write_text("\n".join([
        "[global]", f'logfile="{lab.scratch}/ulogd.log"', "loglevel=7",
        *(f'plugin="{plugins}/ulogd_{name}.so"' for name in names),
        "stack=ct1:NFCT,ip2str1:IP2STR,print1:PRINTFLOW,emu1:LOGEMU",
        "[ct1]", "netlink_socket_buffer_size=8388608", "netlink_socket_buffer_maxsize=16777216", "reliable=1",
        "hash_enable=1", "hash_buckets=131072", "hash_max_entries=1048576",
        "[emu1]", 'file="/dev/null"', "sync=0", ""]))
    return _Process(lab, "ulogd", "-c", config)


NLBWMON_PROTOCOLS = Path("/usr/share/nlbwmon/protocols")


def _nlbwmon(lab):
    """It keeps its state in /tmp/0.db, so it gets a /tmp of its own."""
    command = ("nlbwmon", "-o", "/tmp", "-I", 1, "-r", "3600s", "-b", 8388608, "-s", "10.77.0.0/16", "-s", "2001:db8:77::/64",
               "-p", NLBWMON_PROTOCOLS)
    return _Process(lab, "unshare", "-m", "sh", "-c", 'mount -t tmpfs none /tmp && exec "$@"', "nlbwmon", *command)


def readers():
    table = {
        "discards NEW and DESTROY": lambda lab: _Process(lab, CTREAD),
        "discards DESTROY": lambda lab: _Process(lab, CTREAD, "--ends"),
        "hostmeter": _Meter,
        "hostmeter, dumps every 10 s": lambda lab: _Meter(lab, interval=10),
        "hostmeter, narrowed rules": lambda lab: _Meter(lab, narrow=True),
        "conntrack -E": lambda lab: _Process(lab, "sh", "-c", "exec conntrack -E -e NEW,DESTROY -b 8388608 >/dev/null"),
    }
    if shutil.which("ulogd"):
        table["ulogd2"] = _ulogd
    if shutil.which("nlbwmon") and NLBWMON_PROTOCOLS.exists():
        table["nlbwmon"] = _nlbwmon
    return table


# What the smaller number shows well enough.
FIRST_ONLY = "discards DESTROY", "hostmeter, dumps every 10 s", "hostmeter, narrowed rules", "nlbwmon"


def traffic(lab, flows, rate):
    """So many flows from beginning to end; the true counts, and packets that the lab itself lost."""
    counts, dropped = [], 0
    for number, first in enumerate(range(0, flows, CHUNK)):
        report = lab.start("--flows", min(CHUNK, flows - first), "--rate", rate, "--seed", number,
                           "--linger", 300).result(300, check=False)
        lab.drained()
        counts.append(counts_of(report))
        dropped += report["receive_drops"] + report["interface_tx_dropped"]
    return add_counts(*counts), dropped


def missing(truth, meter):
    """Bytes that the meter has too few, or too many."""
    have = meter.hosts()
    return sum(abs(truth[key].bytes - have[key].bytes) if key in have else truth[key].bytes for key in truth)


def _sample(lab, make, flows, rate):
    reader = make(lab)
    try:
        pin(reader.pid, METER_CORE)
        before = quiet_cpu(reader.pid)
        truth, dropped = traffic(lab, flows, rate)
        result = {"cpu": (quiet_cpu(reader.pid) - before) / 1e9, "dropped": dropped}
        result["not_told"] = sum(_listeners(lab))
        if reader.meter:
            reader.meter.steady()
            result["wrong_bytes"] = missing(truth, reader.meter)
            result["overruns"] = int(reader.meter.value("hostmeter_overruns_total", source="events") or 0)
        return result
    finally:
        output = reader.stop()
        if output.startswith("{"):
            result.update(json.loads(output))


def ask(size):
    answer = Answer("flows", "CPU seconds of a reader for short flows, and as a ratio")
    for number, (flows, rate) in enumerate(size.flows):
        variants = {name: make for name, make in readers().items() if not number or name not in FIRST_ONLY}
        # A new network for each round: the kernel's slabs and the meter's tables begin cold for all.
        with Field(50) as lab:
            lab.router.sysctl(**SHORT)
            calls = {name: lambda make=make: _sample(lab, make, flows, rate) for name, make in variants.items()}
            samples = interleaved(size.rounds, calls)
        floor = [one["cpu"] for one in samples["discards NEW and DESTROY"]]
        for name, got in samples.items():
            values = [one["cpu"] for one in got]
            answer.rows.append({
                "reader": name, "flows": flows, "rate": rate, "seconds": median(values), "spread": spread(values),
                "ratio": median([a / b for a, b in zip(values, floor)]),
                "us per flow": median(values) / flows * 1e6,
                "wrong bytes": max((one.get("wrong_bytes", 0) for one in got)) if name.startswith("hostmeter") else None,
                "events not told": max(one["not_told"] for one in got),
                "lab drops": max(one["dropped"] for one in got)})
    answer.notes.append("UDP, one packet each way, the kernel's UDP timeouts at 1 s; user and system time of the process; "
                        "hostmeter with its NFLOG rules, attribution and accounting; floors have the "
                        "same receive buffer and reliable delivery")
    answer.notes.append("events not told: what the kernel had no room for in the reader's buffer; hostmeter is told of such an end "
                        "again")
    if not shutil.which("nlbwmon"):
        answer.notes.append("nlbwmon is not in Debian and not installed: not measured here")
    answer.plots = [Plot("flows", "CPU for short flows", "flows", "seconds", "reader", "xy"),
                    Plot("rate", "CPU of a short flow", "rate", "us per flow", "reader")]
    return answer


def versions():
    done = subprocess.run(["conntrack", "-V"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def soak(flows, rate=20000):
    """Not for CI: the meter's memory over very many flows."""
    answer = Answer("soak", f"resident KiB over {flows} short flows at {rate} a second")
    done, began = 0, None
    with Field(50) as lab:
        lab.router.sysctl(**SHORT)
        reader = _Meter(lab)
        while done < flows:
            traffic(lab, CHUNK, rate)
            done += CHUNK
            resident = int(next(line.split()[1] for line in Path(f"/proc/{reader.pid}/status").read_text().splitlines()
                                if line.startswith("VmRSS")))
            began = began or process_cpu(reader.pid)
            answer.rows.append({"flows": done, "resident": resident, "series": "hostmeter"})
            print(f"soak: {done} flows, {resident} KiB", flush=True)
        reader.stop()
    answer.plots = [Plot("soak", "Memory over flows", "flows", "resident", "series")]
    return answer
