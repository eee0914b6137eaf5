# SPDX-License-Identifier: GPL-2.0-or-later
"""
--check: each thing that a router may lack is brought about in the lab, and its line says so and what fixes it.

What no lab can bring about here (flowtables, hardware offload, a table of flows that is full, damaged messages, a meter
that reads too late) is in tests/unit/check/test_judge.c.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from lab import PROGRAM, ROOT, RULES, Lab, say, udp, wait_until

SYSCTL = "sysctl -w net.netfilter.nf_conntrack_"
NO_READING = "setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"
NO_RIGHTS = "setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"


def lines_of(meter, *options, before=(), node=None):
    """{name: line} of hostmeter --check with the meter's own options; its exit status is that of the worst line."""
    done = (node or meter.node).run(*before, PROGRAM, *meter.options, "--check", "--json", *options, check=False)
    assert done.stderr == "", done.stderr
    answer = json.loads(done.stdout)
    lines = {line["name"]: line for line in answer["checks"]}
    assert len(lines) == len(answer["checks"])
    assert all((line["state"] == "bad") == bool(line["fix"]) for line in lines.values())
    assert answer["good"] == all(line["state"] != "bad" for line in lines.values())
    assert done.returncode == (0 if answer["good"] else 1)
    return lines


def prepare(meter):
    meter.options = meter.argv[1:]
    return meter


@pytest.fixture(scope="module")
def network():
    with Lab() as network:
        network.load_rules()
        yield network


@pytest.fixture(scope="module", params=["alone", "asked"])
def meter(network, request):
    """Not started, so that --check sees for itself; and running, so that it is asked."""
    meter = prepare(network.meter())
    if request.param == "alone":
        yield meter
    else:
        with meter:
            yield meter


@pytest.fixture
def idle(network):
    """A meter that is never started, with a group and a port that nobody has."""
    return prepare(network.meter("--nflog-group", "77", listen="127.0.0.1:10077"))


def full_rights():
    """Whether this is the machine's root, who alone may have receive buffers of any size."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return file.read().split() == ["0", "0", "4294967295"]


ONLY_A_METER_KNOWS = {"meter", "sources", "overruns", "reliability", "lost-ends", "unattributed", "zeroing", "dump-age", "capacity",
                      "damaged", "checkpoint", "hosts", "uncounted", "offloaded", "buffers", "sides", "unseen"}


def bad(lines):
    return {name for name, line in lines.items() if line["state"] == "bad"}


# --- Without a fault

def test_all_is_well(meter):
    lines = lines_of(meter)
    assert bad(lines) == (set() if full_rights() or not meter.process else {"buffers"})
    unknown = {name for name, line in lines.items() if line["state"] == "unknown"}
    assert unknown == (set() if meter.process else ONLY_A_METER_KNOWS)


def paths_in(value, path=""):
    """"a.b", "list[].c": where its values are."""
    if isinstance(value, dict):
        return {inner for key, one in value.items() for inner in paths_in(one, f"{path}.{key}".lstrip("."))}
    if isinstance(value, list):
        return {inner for one in value for inner in paths_in(one, f"{path}[]")}
    return {path}


def test_json_is_as_documented(idle):
    done = idle.node.run(PROGRAM, *idle.options, "--check", "--json", check=False)
    section = (ROOT / "docs" / "api.md").read_text().split("## `hostmeter --check --json`")[1].split("\n## ")[0]
    assert paths_in(json.loads(done.stdout)) == set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


def test_text(idle):
    """For people: aligned, a fix below what is bad. No rule is for that group."""
    done = idle.node.run(PROGRAM, *idle.options, "--check", check=False)
    assert done.returncode == 1
    text = done.stdout.splitlines()
    assert "ok   accounting    nf_conntrack_acct=1" in text
    where = text.index(next(line for line in text if line.startswith("BAD  rules-ipv6 ")))
    assert text[where + 1] == "     fix: hostmeter --nflog-group 77 --print-rules | nft -f -"
    assert any(re.match(r"\?    zeroing       only a running meter", line) for line in text)
    assert all(re.match(r"(ok  |BAD |\?   ) [a-z0-9-]+ +\S", line) or line.startswith("     fix: ") for line in text)


# --- Faults that --check sees by itself, and that the meter sees

@contextmanager
def setting(network, **values):
    old = {key: network.router.read_sysctl(key) for key in values}
    network.router.sysctl(**values)
    try:
        yield
    finally:
        network.router.sysctl(**old)


def accounting(network):
    return setting(network, netfilter__nf_conntrack_acct=0)


def events_0(network):
    return setting(network, netfilter__nf_conntrack_events=0)


def events_2(network):
    return setting(network, netfilter__nf_conntrack_events=2)


@contextmanager
def uncounted(network):
    """Two connections that began before accounting was on."""
    with setting(network, netfilter__nf_conntrack_acct=0):
        sock = udp(network["desktop"], network.hosts[0].v4)
        for port in 9, 10:
            say(sock, (network.server_v4, port), 10)
    yield
    network.router.run("conntrack", "-F")


def new_connections(network, count):
    """That nobody answers; of some a meter without rules knows that they came without a first packet."""
    for _ in range(count):
        say(udp(network["laptop"], network.hosts[1].v4), (network.server_v4, 9), 10)


@contextmanager
def network_without_rules(network):
    network.router.run("nft", "delete", "table", "inet", "hostmeter")
    try:
        new_connections(network, 8)
        yield
    finally:
        network.load_rules()


@contextmanager
def rules_in_iptables(network, *change, tool="iptables-legacy"):
    """The rules of one family in mangle instead, and this change there."""
    with network_without_rules(network):
        network.router.run(f"{tool}-restore", "-w", "--noflush", RULES / f"hostmeter.{tool.split('-')[0]}")
        if change:
            network.router.run(tool, "-w", "-t", "mangle", *change)
        try:
            yield
        finally:
            network.router.run(tool, "-w", "-t", "mangle", "-F")
            network.router.run(tool, "-w", "-t", "mangle", "-X")


def no_jump(network):
    return rules_in_iptables(network, "-D", "FORWARD", "-j", "HOSTMETER")


def rules_of_ipv4(network):
    return rules_in_iptables(network)


def rules_of_ipv6(network):
    return rules_in_iptables(network, tool="ip6tables-nft")


NO_RULES = r"^hostmeter --print-rules \| nft -f -$"

FAULTS = [
    (accounting, "accounting", r"nf_conntrack_acct=0", f"^{SYSCTL}acct=1$"),
    (events_0, "events", r"nf_conntrack_events=0", f"^{SYSCTL}events=1$"),
    (events_2, "events", r"nf_conntrack_events=2", f"^{SYSCTL}events=1$"),
    (uncounted, "uncounted", r"^2 of \d+ live", r"^conntrack -F"),
    (network_without_rules, "rules-ipv4", r"rules for IPv4 and NFLOG group 60 are not loaded", NO_RULES),
    (network_without_rules, "rules-ipv6", r"rules for IPv6 and NFLOG group 60 are not loaded", NO_RULES),
    (no_jump, "rules-ipv4", r"rules for IPv4 .* are not loaded", NO_RULES),
    (rules_of_ipv4, "rules-ipv6", r"rules for IPv6 .* are not loaded", NO_RULES),
    (rules_of_ipv6, "rules-ipv4", r"rules for IPv4 .* are not loaded", NO_RULES),
]


def says(line, text, fix):
    return line["state"] == "bad" and re.search(text, line["text"]) and any(re.search(fix, one) for one in line["fix"])


def expect(lines, name, text, fix):
    assert says(lines[name], text, fix), lines[name]


def becomes(meter, name, text, fix):
    """A meter knows of it after its next reading, or some more."""
    wait_until(lambda: says(lines_of(meter)[name], text, fix), what=f"{name}: {text}")


def obey(network, fixes):
    """What --check says that fixes it is done, to the letter."""
    path = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
    for command in fixes:
        network.router.run("sh", "-ec", command, env={"PATH": path})


def is_fixed(network, meter, name):
    """That rules log first packets again a meter sees by the next connection."""
    def fixed():
        new_connections(network, 1)
        return lines_of(meter)[name]["state"] == "ok"

    wait_until(fixed, what=f"{name} is fixed")


@pytest.mark.parametrize("fault,name,text,fix", FAULTS, ids=lambda value: getattr(value, "__name__", None))
def test_fault(network, meter, fault, name, text, fix):
    if name in ONLY_A_METER_KNOWS and not meter.process:
        with fault(network):
            assert lines_of(meter)[name]["state"] == "unknown"
        return
    is_fixed(network, meter, name)
    with fault(network):
        becomes(meter, name, text, fix)
        obey(network, lines_of(meter)[name]["fix"])
        is_fixed(network, meter, name)
    is_fixed(network, meter, name)


@pytest.mark.parametrize("family,name", [("iptables", "rules-ipv4"), ("ip6tables", "rules-ipv6")])
@pytest.mark.parametrize("kind", ["legacy", "nft"])
def test_rules_of_iptables_are_as_good(network, meter, kind, family, name):
    with rules_in_iptables(network, tool=f"{family}-{kind}"):
        line = lines_of(meter)[name]
        assert line["state"] == "ok" and re.search(rf"{family}(-legacy)? mangle HOSTMETER", line["text"]), line


def test_rules_that_no_packet_reaches(network):
    """They are loaded, but nothing arrives: no listing of rules is needed to say so."""
    with prepare(network.meter("--nflog-group", "78", listen=":10078")) as meter, network_without_rules(network):
        tools = "iptables-legacy", "ip6tables-legacy"
        for tool in tools:
            rules = (RULES / f"hostmeter.{tool.split('-')[0]}").read_text().replace("--nflog-group 60", "--nflog-group 78")
            network.router.run(f"{tool}-restore", "-w", "--noflush", stdin=rules)
        try:
            is_fixed(network, meter, "rules-ipv4")
            for tool in tools:
                network.router.run(tool, "-w", "-t", "mangle", "-I", "FORWARD", "-j", "ACCEPT")
            new_connections(network, 8)
            becomes(meter, "rules-ipv4", r"^iptables.* is loaded, but of the last \d+ new connections no first packet",
                    r"^hostmeter --nflog-group 78 --print-rules \| nft -f -$")
            obey(network, lines_of(meter)["rules-ipv4"]["fix"])
            is_fixed(network, meter, "rules-ipv4")
        finally:
            for tool in tools:
                network.router.run(tool, "-w", "-t", "mangle", "-F")
                network.router.run(tool, "-w", "-t", "mangle", "-X")


def test_rules_of_others(network):
    """Whether they log all first packets nobody can say; a meter that gets some says so."""
    with prepare(network.meter("--nflog-group", "79", listen=":10079")) as meter:
        network.router.run("nft", "-f", "-", stdin="""
            table inet theirs {
                chain forward {
                    type filter hook forward priority mangle
                    ct state new log group 79
                }
            }""")
        try:
            new_connections(network, 1)
            wait_until(lambda: meter.attributed().get("nflog"), what="a first packet is seen")
            line = lines_of(meter)["rules-ipv4"]
            assert line["state"] == "unknown" and "first packets arrived: by other rules" in line["text"], line
            # Who cannot list rules has the meter's word.
            line = lines_of(meter, before=NO_RIGHTS)["rules-ipv4"]
            assert line["state"] == "ok" and re.search(r"^first packets arrive, of \d+ connections?\b", line["text"]), line
        finally:
            network.router.run("nft", "delete", "table", "inet", "theirs")


# --- Faults of the place where it runs

@pytest.mark.parametrize("runs", [False, True], ids=["alone", "asked"])
@pytest.mark.parametrize("where,name,text,fix", [
    ("desktop", "lan", r"^none.*among eth0$", r"^lan = "),
    ("inet", "wan", r"no default route leads to one of eth0$", r"^wan = "),
])
def test_no_interface(network, runs, where, name, text, fix):
    meter = prepare(network.meter(node=network[where], interfaces=()))
    if not runs:
        line = lines_of(meter)[name]
        assert line["state"] == "unknown" and "only a running meter knows" in line["text"], line
        return
    meter.start()
    with meter_ends(meter):
        expect(lines_of(meter), name, text, fix)


@contextmanager
def meter_ends(meter):
    try:
        yield
    finally:
        if meter.process:
            meter.kill()


def test_configured_interface_is_missing(network, idle):
    lines = lines_of(idle, "--lan", "nosuch0", "--wan", "nosuch1")
    expect(lines, "lan", r'"nosuch0" among .*br-lan', r"one of these")
    expect(lines, "wan", r'"nosuch1" among .*br-lan', r"one of these")


def test_group_and_port_are_taken(network, idle):
    """By another program, which is named; alone, and with a meter that came too late."""
    with prepare(network.meter("--nflog-group", "70", listen="127.0.0.1:10070")) as other:
        who = rf"hostmeter \(process {other.process.pid}\)$"
        options = "--nflog-group", "70", "--listen", "127.0.0.1:10070"
        lines = lines_of(idle, *options)
        expect(lines, "nflog-group", f"^group 70 is taken by {who}", r"^nflog-group = 71 ")
        path = f"{other.directory}/hostmeter.sock"
        serves, ask = rf"^127.0.0.1:10070: another hostmeter \(process {other.process.pid}\) serves there", rf"^hostmeter .*{path} "
        expect(lines, "port", serves, ask)
        expect(lines, "nflog-group", f"{who}", ask)
        asked = lines_of(idle, *options, "--socket", path)
        assert asked["meter"]["state"] == asked["port"]["state"] == "ok" and asked["port"]["text"].endswith("is the running meter's")
        expect(lines_of(idle, "--socket", path, "--listen", ":10070"), "port", r"has this port, at another address", r"restart")
        with prepare(network.meter("--nflog-group", "70", listen="127.0.0.1:10071")) as late:
            lines = lines_of(late, "--listen", "127.0.0.1:10070")
            expect(lines, "nflog-group", f"^group 70 is taken by {who}", r"^nflog-group = 71 ")
            expect(lines, "port", serves, ask)
            expect(lines, "sources", r"not open: nflog$", r"journalctl")


def test_port_of_a_stranger(network, idle):
    with network.router.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 10079))
        sock.listen()
        expect(lines_of(idle, "--listen", "127.0.0.1:10079"), "port",
               rf"^127.0.0.1:10079: in use by .+ \(process {os.getpid()}\)$", r"^listen = ")


def test_port_of_another_machine(idle):
    expect(lines_of(idle, "--listen", "192.0.2.99:10060"), "port", r"192.0.2.99:10060: Cannot assign", r"^listen = ")


def test_no_rights(idle):
    """Then much cannot be told, and nothing of that is called good or bad."""
    lines = lines_of(idle, before=NO_RIGHTS)
    expect(lines, "privileges", r"CAP_NET_ADMIN is missing", r"^sudo hostmeter")
    for name in "rules-ipv4", "rules-ipv6", "flowtable":
        assert lines[name]["state"] == "unknown", lines[name]
        assert "CAP_NET_ADMIN" in lines[name]["text"]


def test_buffer_of_a_meter(network):
    """A meter that is root only in a user namespace of its own gets what net.core.rmem_max allows."""
    meter = prepare(network.meter(listen=":10072", interfaces=()))
    meter.argv = ["unshare", "-Urn", *meter.argv]
    with meter_ends(meter):
        meter.start()
        expect(lines_of(meter), "buffers", r"events: \d+ bytes granted of 16777216", r"rmem_max=8388608")


def test_names_that_cannot_be_read(network):
    file = network.scratch / "ethers"
    file.write_text("00:00:5e:00:53:0b desktop\n")
    file.chmod(0)
    meter = prepare(network.meter("--nflog-group", "73", config=f'names-ethers = {{"{file}"}}\n', listen=":10073"))
    text, fix = rf"^{file}: Permission denied$", rf"^chmod a\+r {file}"
    expect(lines_of(meter, before=NO_READING), "names", text, fix)
    meter.argv = [*NO_READING, *meter.argv]
    with meter_ends(meter):
        meter.start()
        # This one could read it: what counts is the meter.
        expect(lines_of(meter), "names", text, fix)
        file.chmod(0o644)
        wait_until(lambda: lines_of(meter)["names"]["state"] == "ok", what="the meter reads them")


def test_names_of_no_known_format(network):
    file = network.scratch / "notes"
    file.write_text("desktop = 00:00:5e:00:53:0b\n")
    meter = prepare(network.meter("--nflog-group", "74", config=f'names-leases = {{"{file}"}}\n', listen=":10074"))
    text, fix = rf"^{file}: no line of it could be used$", rf"^head -n 3 {file}"
    expect(lines_of(meter), "names", text, fix)
    with meter_ends(meter):
        meter.start()
        expect(lines_of(meter), "names", text, fix)
        file.write_text("00:00:5e:00:53:0b desktop\n")
        wait_until(lambda: lines_of(meter)["names"]["state"] == "ok", what="the meter reads it")


def test_clock_that_was_not_set(meter):
    # The variable is for a program that was built with a sanitizer.
    then = "env", "ASAN_OPTIONS=verify_asan_link_order=0", "faketime", "-f", "@1970-01-02 00:00:00"
    expect(lines_of(meter, before=then), "clock", r"1970-01-0\d", r"set-ntp")


def test_docker_and_its_like_are_no_fault(network):
    """That its containers are metered as hosts may be wanted: how to leave them out is said, and then it is so."""
    network.router.ip("""
        link add docker0 type veth peer name eth9 netns inet
        address add 172.17.0.1/16 dev docker0
        link set docker0 up
    """)
    meter = prepare(network.meter("--nflog-group", "78", listen=":10078", interfaces=()))
    try:
        with meter:
            line = lines_of(meter)["sides"]
            assert line["state"] == "ok" and re.search(r'^docker0: lan: .*; ignore = \{"docker0"\} leaves its containers out$',
                                                       line["text"], re.MULTILINE), line
            assert line["text"].count("leaves") == 1
        meter = prepare(network.meter("--nflog-group", "78", listen=":10078", interfaces=(), config='ignore = {"docker0"}\n'))
        with meter:
            line = lines_of(meter)["sides"]
            assert re.search(r"^docker0: other: ", line["text"], re.MULTILINE) and "leaves" not in line["text"], line
    finally:
        network.router.ip("link del docker0")


# --- Faults that only a running meter knows of

def many_flows(network, count):
    """UDP flows that nobody answers."""
    sock = udp(network["laptop"], network.hosts[1].v4)
    for port in range(20000, 20000 + count):
        say(sock, (network.server_v4, port), 10)


def test_table_nearly_full(network):
    """From a share of one's own on, without a meter and with one, which then says that the valve opened."""
    limit = int(network.router.read_sysctl("netfilter__nf_conntrack_max"))
    config = "reliable-fill = 1\n"
    meter = prepare(network.meter("--nflog-group", "74", config=config, listen=":10074"))
    many_flows(network, limit // 100 + 10)
    text, fix = rf"^\d+ of {limit} connections, more than 1 %", f"^{SYSCTL}max={2 * limit}$"
    expect(lines_of(meter), "table", text, fix)
    with meter:
        becomes(meter, "reliability", r"not delivered reliably", f"^{SYSCTL}max={2 * limit}$")
        expect(lines_of(meter), "table", text, fix)
        network.router.run("conntrack", "-F")
        wait_until(lambda: meter.value("hostmeter_reliable") == 1, what="the valve closes")
        lines = lines_of(meter)
        assert lines["table"]["state"] == "ok"
        expect(lines, "reliability", r"given up 1 time,", f"^{SYSCTL}max=")


def test_overruns_and_a_meter_that_hangs(network):
    meter = prepare(network.meter("--nflog-group", "75", config="event-buffer = 4096\n", listen=":10075"))
    with meter:
        many_flows(network, 300)
        meter.process.send(signal.SIGSTOP)
        network.router.run("conntrack", "-F")
        expect(lines_of(meter), "meter", r"timed out", r"restart")
        meter.process.send(signal.SIGCONT)
        becomes(meter, "overruns", r"events: \d+ times?", r"^event-buffer = \d+$")


def test_most_of_a_wan_is_not_tracked(network):
    """A rule disables tracking, as one that a firewall's script left may; a VRF and a flowtable look the same."""
    meter = prepare(network.meter("--nflog-group", "80", listen=":10080"))
    with meter:
        wait_until(lambda: meter.value("hostmeter_ready"), what="the first reading")
        new_connections(network, 8)
        assert lines_of(meter)["unseen"]["state"] == "ok"
        network.router.run("nft", "-f", "-", stdin="table inet theirs { chain c { "
                           "type filter hook prerouting priority raw; notrack; }; }")
        try:
            sock = udp(network["laptop"], network.hosts[1].v4)
            for _ in range(7000):
                say(sock, (network.server_v4, 9), 1400)
            becomes(meter, "unseen", r"^wan: \d+ of \d+ bytes are of no connection", r"^nft list ruleset \| grep notrack")
        finally:
            network.router.run("nft", "delete", "table", "inet", "theirs")


def test_what_the_meter_counts_of_its_losses(network):
    """One meter, and one after the other: another program that zeroes, ends without counters, nobody's bytes, no room."""
    config = "max-hosts = 1\n"
    meter = prepare(network.meter("--nflog-group", "76", config=config, listen=":10076"))
    with meter:
        wait_until(lambda: meter.value("hostmeter_ready"), what="the first reading")
        for host in network.hosts[:2]:
            sock = udp(network[host.name], host.v4)
            say(sock, (network.server_v4, 9), 1000)
        becomes(meter, "hosts", r"found no room", r"^max-hosts = ")
        dumps = meter.value("hostmeter_dumps_total")
        wait_until(lambda: meter.value("hostmeter_dumps_total") > dumps + 1, what="the flow was read")
        network.router.run("conntrack", "-L", "-z")
        becomes(meter, "zeroing", r"fell \d+ times?: another program", r"nlbwmon")
        assert lines_of(meter)["lost-ends"]["state"] == "ok"
        with uncounted(network):
            pass
        becomes(meter, "lost-ends", r"0 connections vanished without an event, 2 ended without counters", f"^{SYSCTL}events=1")
        assert lines_of(meter)["unattributed"]["state"] == "ok"
        stranger = udp(network.inet, network.server_v6)
        say(stranger, ("2001:db8:77::dead", 53), 700)
        network.router.run("conntrack", "-F")
        becomes(meter, "unattributed", r"\d+ of \d+ bytes are host=\"unknown\"", r"--print-rules")
        assert lines_of(meter)["checkpoint"]["state"] == "ok"
        shutil.rmtree(meter.directory / "run")
        becomes(meter, "checkpoint", r"could not be saved.*: No such file", rf"^mkdir -p {meter.directory}/run")


def test_a_runtime_directory_that_is_full(network):
    """Each cause has its own fix, and a checkpoint that is saved again is no fault."""
    meter = prepare(network.meter("--nflog-group", "79", listen=":10079"))
    run = meter.directory / "run"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "none", run], check=True)
    try:
        with meter:
            wait_until((run / "checkpoint").exists, what="a checkpoint")
            assert lines_of(meter)["checkpoint"]["text"] == "no failure"

            def fails():
                # The room of the checkpoint before this one is enough for the next one: it is taken as well.
                (run / "checkpoint.old").unlink(missing_ok=True)
                with suppress(OSError), open(run / "full", "ab") as file:
                    file.write(b"x" * 100000)
                return meter.value("hostmeter_checkpoint_failures_total")

            wait_until(fails, what="there is no room left")
            becomes(meter, "checkpoint", rf"could not be saved in {run}: No space left on device", rf"^df -h {run}")
            (run / "full").unlink()
            wait_until(lambda: lines_of(meter)["checkpoint"]["state"] == "ok", what="one is saved again")
            assert re.search(r"the latest is saved; \d+ before could not be$", lines_of(meter)["checkpoint"]["text"])
    finally:
        subprocess.run(["umount", "-l", run], check=True)
