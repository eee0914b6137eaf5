# SPDX-License-Identifier: GPL-2.0-or-later
"""A recording of the running meter: it begins late, and a replay of it has what the meter counted meanwhile."""

import http.client
import signal
from contextlib import contextmanager

from lab import PROGRAM, wait_until
from lab.counters import Count
from lab.meter import UnixConnection


@contextmanager
def recording(lab, meter, file, *options):
    """What is counted in between is in the file."""
    process = lab.router.spawn(PROGRAM, "--config", meter.config, "--socket", meter.socket, "--record", file, *options)
    try:
        wait_until(lambda: "Ctrl-C" in process.output(), what="the recording has begun")
        yield process
        assert process.stop(signal.SIGINT) == 0, process.output()
    finally:
        process.kill()


def all_kinds(lab, traffic):
    for host in lab.hosts:
        for ipv in 4, 6:
            traffic.http(host, ipv)
            traffic.ping(host, ipv)


def replay(lab, meter, file, *options):
    """In a namespace that has nothing of the lab's: all it knows comes from the file."""
    node = getattr(lab, "empty", None) or lab.node("empty")
    lab.empty = node
    return node.output(PROGRAM, "--config", meter.config, *options, "--replay", file)


def value(text, series):
    return float(next(line for line in text.splitlines() if line.startswith(series)).split()[-1])


def words(line):
    return dict(word.split("=", 1) for word in line.split(" | ")[0].split() if "=" in word)


def nameless(counts):
    return sorted(str((key[1:], count)) for key, count in counts.items())


def test_recording_of_a_running_meter(lab, traffic):
    lab.load_rules()
    files = lab.scratch / "a.pcap", lab.scratch / "b.pcap"
    names = ("--lan", lab.lan, "--wan", lab.wan)
    with lab.meter(config=lab.names(lab.hosts[:2])) as meter:
        all_kinds(lab, traffic)
        before = lab.settled(meter)
        with recording(lab, meter, files[0]), recording(lab, meter, files[1], "--anonymize"):
            # There is room for two; the third is told so at once.
            third = lab.router.run(PROGRAM, "--config", meter.config, "--socket", meter.socket, "--record",
                                   lab.scratch / "c.pcap", check=False)
            assert third.returncode == 1 and "enough others record" in third.stderr
            all_kinds(lab, traffic)
            after = lab.settled(meter)
        counted = {key: count - before[key] for key, count in after.items()}
        assert len(counted) == 12
        assert not (lab.scratch / "c.pcap").exists()

        plain = replay(lab, meter, files[0], *names)
        assert meter.hosts(plain) == counted
        # Not all twelve: the first flows of all may be met in a dump before any first packet was read.
        assert value(plain, 'hostmeter_attributed_flows_total{by="nflog"}') > 0

        # Each decision on a host, and they add up to its counts.
        desktop = lab.hosts[0]
        for asked in desktop.name, desktop.mac, "all":
            lines = replay(lab, meter, files[0], *names, "--explain", asked).splitlines()
            sums = [words(line) for line in lines if line.startswith(f"sum host={desktop.name} ")]
            assert {(desktop.name, int(line["ipv"]), way): Count(int(line[way]), int(line[f"{way}_packets"]))
                    for line in sums if line["scope"] == "wan" for way in ("in", "out")
                    } == {key: count for key, count in counted.items() if key[0] == desktop.name}
        done = lab.router.run(PROGRAM, "--config", "/dev/null", *names, "--replay", files[0], "--explain", desktop.name, check=False)
        assert (done.returncode, done.stdout) == (1, "") and done.stderr.count("\n") == 1
        assert f'no host is named "{desktop.name}" here' in done.stderr and "--config FILE" in done.stderr
        decided = [line for line in lines if " decided " in line and f"host={desktop.name} " in line]
        assert len(decided) == 4 and all("scope=wan" in line and f"(lan,{lab.lan}" in line for line in decided)

        # The same counts under other names, and no address of the lab anywhere in the file.
        strange = meter.hosts(replay(lab, meter, files[1]))
        special = {"router", "unknown", "other"}
        assert not {host for host, *_ in strange} & ({host.name for host in lab.hosts} | {host.mac for host in lab.hosts} | special)
        assert nameless(strange) == nameless(counted)
        shown = lab.router.output("tshark", "-r", files[1], "-x", "-V", env={"HOME": str(lab.scratch)})
        assert "malformed" not in shown.lower()
        secrets = [host.mac for host in lab.hosts] + [host.v6 for host in lab.hosts] + [lab.lan, "2001:db8"]
        assert not [secret for secret in secrets if secret in shown]

        # An older trace is made anonymous as well, and nobody else's business over TCP.
        again = lab.scratch / "again.pcap"
        lab.router.run(PROGRAM, "--config", meter.config, "--replay", files[0], "--record", again, "--anonymize")
        assert nameless(meter.hosts(replay(lab, meter, again))) == nameless(counted)
        with lab.router.entered():
            connection = http.client.HTTPConnection("127.0.0.1", 10060, timeout=5)
            connection.request("GET", "/api/v1/record")
            assert connection.getresponse().status == 403


def test_limits_of_a_recording(lab, traffic):
    with lab.meter() as meter:
        file = lab.scratch / "a.pcap"
        ask = PROGRAM, "--config", meter.config, "--socket", meter.socket, "--record", file
        done = lab.router.run(*ask, "--seconds", "0.5")
        assert "datagrams" in done.stderr and file.stat().st_size > 1000

        # One that went without a word makes room for the next within moments.
        def begun():
            connection = UnixConnection(meter.socket)
            connection.request("GET", "/api/v1/record")
            status = connection.getresponse().status
            connection.close()
            return status == 200

        for _ in range(4):
            wait_until(begun, what="there is room for another")
        wait_until(lambda: lab.router.run(*ask, "--seconds", "0.2", check=False).returncode == 0,
                   what="the places of those who left are free")

        def another():
            process = lab.router.spawn(*ask)
            wait_until(lambda: "Ctrl-C" in process.output() or not process.running(), what="the recording begins or is refused")
            return process if process.running() else None

        # The meter's end is the recording's, and is told: nobody takes it for the whole.
        process = wait_until(another, what="the recording has begun")
        assert meter.stop() == 0
        assert process.wait() == 1 and "the meter ended" in process.output()
        assert replay(lab, meter, file)
        assert lab.router.run(*ask, check=False).returncode == 1


def test_slow_reader_holds_up_nobody(lab):
    """Each dump is more than waits for a reader; one that is stopped loses the rest and is told, the others lose nothing."""
    flows = 40000
    load = lab.scratch / "flows"
    load.write_text("".join(f"-A -p udp -s {lab.hosts[0].v4} -d {lab.server_v4} --sport {1024 + i} --dport 53 -t 600\n"
                            for i in range(flows)))
    lab.router.run("conntrack", "-R", load)
    quick, slow = lab.scratch / "quick.pcap", lab.scratch / "slow.pcap"
    with lab.meter("--dump-share", "100") as meter:
        with recording(lab, meter, quick, "--record-limit", "1000"):
            process = lab.router.spawn(PROGRAM, "--config", meter.config, "--socket", meter.socket, "--record", slow,
                                       "--record-limit", "1000")
            wait_until(lambda: "Ctrl-C" in process.output(), what="the recording has begun")
            process.send(signal.SIGSTOP)
            # The queue and the socket's buffer hold less than two dumps.
            done = meter.value("hostmeter_dumps_total") + 4
            wait_until(lambda: meter.value("hostmeter_dumps_total") >= done, 20, "dumps go on")
            process.send(signal.SIGCONT)
            assert process.wait() == 1 and "the recording was cut" in process.output()
        for file in quick, slow:
            assert value(replay(lab, meter, file), "hostmeter_damaged_messages_total") == 0
        assert value(replay(lab, meter, quick), "hostmeter_flows ") == flows
