# SPDX-License-Identifier: GPL-2.0-or-later
"""The two commands of the README: make run and make demo."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
from pathlib import Path

import pytest
from lab import PROGRAM, ROOT, RULES, Process, host_counts, parse_metrics, wait_until

RUN, DEMO = ROOT / "tools/run", ROOT / "tools/demo"
URL = "http://127.0.0.1:10060/metrics"


@pytest.fixture
def machine(lab):
    """One interface and no LAN, settings as a kernel has them: a notebook, a server."""
    node = lab.node("solo")
    node.ip("link add eth0 type veth peer name solo netns inet")
    node.ip("""
        address add 203.0.113.2/24 dev eth0
        link set eth0 up
        route add default via 203.0.113.1
    """)
    lab.inet.ip("""
        address add 203.0.113.1/24 dev solo
        link set solo up
    """)
    node.sysctl(netfilter__nf_conntrack_acct=0, netfilter__nf_conntrack_events=2)
    return node


def settings(node):
    return [node.read_sysctl(f"netfilter__nf_conntrack_{name}") for name in ("acct", "events")]


def answer(node):
    done = node.run("curl", "-sS", URL, check=False)
    return done.stdout if done.returncode == 0 else None


def run(lab, node, *options, env=None):
    """tools/run, once it meters."""
    process = node.spawn(RUN, PROGRAM, "--runtime-dir", lab.scratch, "--state-dir", lab.scratch, "--socket",
                         lab.scratch / "run.sock", *options, env=env)

    def ready():
        assert process.running(), process.output()
        return answer(node)

    wait_until(ready, what="tools/run meters")
    return process


def assert_put_back(node):
    assert settings(node) == ["0", "2"]
    assert "hostmeter" not in node.output("nft", "list", "ruleset").lower()


# From the keyboard to all, or to the script alone.
@pytest.mark.parametrize("signo,group", [(signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, False)])
def test_run_meters_this_machine_and_puts_all_back(lab, traffic, machine, signo, group):
    process = run(lab, machine)
    assert settings(machine) == ["1", "1"]
    assert machine.output("nft", "list", "table", "inet", "hostmeter").count("log group 60") == 2
    machine.http_get("http://203.0.113.1/page", "-o", "/dev/null")
    machine.run("conntrack", "-F")

    def router():
        counts = host_counts(parse_metrics(answer(machine)))
        return counts if ("router", 4, "in") in counts and counts["router", 4, "in"].bytes > 300_000 else None

    counts = wait_until(router, what='the machine is host="router"')
    assert {host for host, _, _ in counts} == {"router"}
    assert "eth0" in process.output() and "10060" in process.output()
    assert len(process.output().splitlines()) < 24

    process.send(signo, group=group)
    assert process.wait() == 0
    assert_put_back(machine)
    assert answer(machine) is None


def test_run_leaves_nothing_when_the_meter_fails(lab, machine):
    done = machine.run(RUN, PROGRAM, "--colour", check=False)
    assert done.returncode == 2 and "--colour" in done.stderr
    assert_put_back(machine)


def test_run_leaves_nothing_when_there_is_no_meter(lab, machine):
    done = machine.run(RUN, lab.scratch / "missing", check=False)
    assert done.returncode != 0
    assert_put_back(machine)


def test_run_puts_back_after_the_meter_was_killed(lab, machine):
    process = run(lab, machine)
    meter = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True)
    os.kill(int(meter.stdout), signal.SIGKILL)
    assert process.wait() == 128 + signal.SIGKILL
    assert_put_back(machine)


def test_run_leaves_the_rules_that_were_there(lab, machine):
    machine.run("nft", "-f", RULES / "hostmeter.nft")
    # Matching packet counts switches accounting on.
    machine.sysctl(netfilter__nf_conntrack_acct=0)
    process = run(lab, machine)
    assert process.stop(signal.SIGINT) == 0
    assert settings(machine) == ["0", "2"]
    assert machine.output("nft", "list", "table", "inet", "hostmeter").count("log group 60") == 2


def test_run_without_nft_takes_iptables(lab, machine):
    """A PATH with everything but nft."""
    tools = lab.scratch / "bin"
    tools.mkdir()
    for directory in "/sbin", "/usr/sbin", "/bin", "/usr/bin":
        for name in os.listdir(directory):
            if name != "nft" and not (tools / name).is_symlink():
                (tools / name).symlink_to(f"{directory}/{name}")
    script = lab.scratch / "run"
    script.write_text(RUN.read_text().replace("PATH=$PATH:/usr/sbin:/sbin\n", "").replace(
        'rules=$(dirname "$0")/../rules', f"rules={RULES}"))
    script.chmod(0o755)
    before = [machine.output(f"{tool}-save", "-t", "mangle").count("\n-A ") for tool in ("iptables", "ip6tables")]
    process = machine.spawn(script, PROGRAM, "--runtime-dir", lab.scratch, "--state-dir", lab.scratch, "--socket",
                            lab.scratch / "run.sock", env={"PATH": str(tools)})
    wait_until(lambda: answer(machine), what="tools/run meters")
    for tool in "iptables", "ip6tables":
        assert machine.output(f"{tool}-save", "-t", "mangle").count("-j NFLOG") == 2
    assert process.stop(signal.SIGINT) == 0
    for tool, count in zip(("iptables", "ip6tables"), before):
        saved = machine.output(f"{tool}-save", "-t", "mangle")
        assert "HOSTMETER" not in saved and saved.count("\n-A ") == count
    assert settings(machine) == ["0", "2"]


def test_run_needs_root(lab):
    """In a user namespace that maps nobody."""
    done = subprocess.run(["unshare", "-U", RUN, PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len((done.stdout + done.stderr).splitlines()) == 1 and "root" in done.stderr


def processes_with(setting):
    """The processes that have this in their environment: all that a program started, however far removed."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                if setting.encode() in environment.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:  # gone, or another's
            pass
    return found


@pytest.mark.parametrize("signo,group", [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_demo_moves_and_ends_without_a_trace(tmp_path, signo, group):
    scratch = tempfile.mkdtemp()
    namespaces = os.listdir("/run/netns")
    environment = {**os.environ, "TMPDIR": scratch}
    environment.pop("HOSTMETER")
    demo = Process([DEMO, PROGRAM], tmp_path / "demo.log", env=environment)
    try:
        def tables():
            assert demo.running(), demo.output()
            found = re.findall(r"^desktop +[1-9][\d.]*\wb/s +[\d.]+\w?b/s .* ([\d.]+\wB) ", demo.output(), re.MULTILINE)
            return found if len(found) >= 2 else None

        first, second = wait_until(tables, deadline=30, what="two tables")[:2]
        assert first != second, "the counters stand still"
        shown = demo.output()
        assert "laptop" in shown and "00:00:5e:00:53:0d" in shown and "--once --socket" in shown
        command = re.search(r"^  (\S+ --once --socket \S+)$", shown, re.MULTILINE).group(1).split()
        once = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "host_bytes_total{" in once
        # Each command that it prints works from here, as from another terminal.
        commands = [line.split() for line in re.findall(r"^  (\S.*)$", shown[:shown.index("Ctrl-C")], re.MULTILINE)]
        assert len(commands) == 8
        for command in commands:
            view = ["--count", "1"] if "--watch" in command else []
            done = subprocess.run(command + view, capture_output=True, text=True, timeout=30, check=False)
            assert done.returncode == 0 or ("--check" in command and done.returncode == 1), (command, done.stderr)
            assert re.search({"--check": r"^ok +meter ", "--flows": r" host=", "--flows=desktop": r" host=desktop "}.get(
                command[command.index("--check") if "--check" in command else 1], "desktop"), done.stdout, re.MULTILINE), command
        assert len(processes_with(f"TMPDIR={scratch}")) > 8

        demo.send(signo, group=group)
        assert demo.wait() == 0
        assert "Traceback" not in demo.output()
        assert processes_with(f"TMPDIR={scratch}") == []
        assert os.listdir(scratch) == [] and os.listdir("/run/netns") == namespaces
    finally:
        demo.kill()


def test_demo_shows_the_view_on_a_terminal():
    """Enter opens it, q leaves it, and Ctrl-C within it ends the demo with the terminal as it was."""
    place = Path(tempfile.mkdtemp())  # pytest's own are too long for the path of a socket
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8", TMPDIR=str(place))
        os.environ.pop("HOSTMETER", None)
        os.execv(DEMO, [str(DEMO), PROGRAM])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    before, shown = termios.tcgetattr(terminal), b""

    def sees(pattern, begin):
        def look():
            nonlocal shown
            while select.select([terminal], [], [], 0)[0]:
                try:
                    shown += os.read(terminal, 65536)
                except OSError:  # it has closed
                    break
            return re.search(pattern, shown[begin:])

        wait_until(look, 30, f"{pattern} on the terminal: {shown[-500:]!r}")
        return len(shown)

    at = sees(rb"Enter shows the live view here", 0)
    assert b"--flows=desktop" in shown and b"--check --config" in shown and b"curl --unix-socket" in shown
    os.write(terminal, b"\n")
    at = sees(rb"desktop[^\n]*b/s", at)
    assert b"\x1b[?1049h" in shown
    os.write(terminal, b"q")
    at = sees(rb"\x1b\[\?1049l(.|\n)*Enter shows the live view here", at)
    os.write(terminal, b"\n")
    at = sees(rb"desktop[^\n]*b/s", at)
    os.write(terminal, b"\x03")
    sees(rb"\x1b\[\?1049l(.|\n)*tools/demo: ended, nothing is left", at)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert termios.tcgetattr(terminal) == before
    os.close(terminal)
    place.rmdir()  # nothing is left in it
