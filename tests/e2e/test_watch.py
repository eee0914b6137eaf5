# SPDX-License-Identifier: GPL-2.0-or-later
"""The live view as people use it: in a real terminal (tmux), in a pipe, from another machine."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from lab import PROGRAM, talk, udp, wait_until

CTRL_Z = "C-z"


class Terminal:
    """A tmux of its own with a shell in it, in the router's namespace."""

    def __init__(self, lab, width=100, height=30, term=None, env=None, locale="C.UTF-8"):
        self.lab = lab
        self.socket = lab.scratch / f"tmux-{os.getpid()}"
        self.env = {**os.environ, "LC_ALL": locale, "PS1": "$ ", "ENV": "", "HISTFILE": "/dev/null", **(env or {})}
        self.env.pop("TMUX", None)
        self.env.pop("NO_COLOR", None)
        self.env.update(env or {})
        self.term = term
        conf = lab.scratch / "tmux.conf"
        conf.write_text("set -g default-terminal tmux-256color\nset -g history-limit 0\nset -g status off\n"
                        "set -g mouse on\nset -s escape-time 0\nset -g remain-on-exit on\n")
        self("-f", conf, "new-session", "-d", "-x", width, "-y", height, "sh")
        if term:
            self.line(f"export TERM={term}")

    def __call__(self, *argv):
        command = self.lab.router.command("tmux", "-S", self.socket, *argv)
        done = subprocess.run(command, capture_output=True, text=True, env=self.env, timeout=20, check=False)
        assert done.returncode == 0, (argv, done.stderr)
        return done.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self("kill-server")

    def line(self, text):
        self("send-keys", "-l", str(text))
        self("send-keys", "Enter")

    def keys(self, *keys):
        self("send-keys", *keys)

    def text(self, *options):
        return self("capture-pane", "-p", *options)

    def lines(self):
        return self.text().rstrip("\n").split("\n")

    def sees(self, pattern, deadline=15):
        """Waits until the screen matches; returns the match."""
        def found():
            return re.search(pattern, self.text(), re.MULTILINE)

        try:
            return wait_until(found, deadline)
        except AssertionError:
            raise AssertionError(f"no {pattern!r} on the screen:\n{self.text()}") from None

    def sees_not(self, pattern, deadline=15):
        wait_until(lambda: not re.search(pattern, self.text(), re.MULTILINE), deadline, f"{pattern!r} is gone")

    def size(self, width, height):
        self("resize-window", "-x", width, "-y", height)

    def setting(self, name):
        return self("display-message", "-p", "#{" + name + "}").strip()

    def stty(self):
        """What the shell says of the terminal's settings."""
        path = self.lab.scratch / "stty"
        path.unlink(missing_ok=True)
        self.line(f"stty -g > {path}; echo > {path}.done")
        wait_until(lambda: (self.lab.scratch / "stty.done").exists(), what="the shell answers")
        (self.lab.scratch / "stty.done").unlink()
        return path.read_text()

    def is_given_back(self):
        """The shell has the terminal as it was: no second screen, the cursor seen, no mouse taken."""
        wait_until(lambda: self.setting("alternate_on") == "0", what="the first screen is back")
        assert self.setting("cursor_flag") == "1"
        assert self.setting("mouse_any_flag") == "0"


def watch(meter, *options, program=PROGRAM):
    words = [program, "--config", meter.config, "--socket", meter.socket, "--watch=0.5", *options]
    return " ".join(map(str, words))


class Chat:
    """Traffic that goes on: each host fetches the page again and again, phone over IPv6 only."""

    def __init__(self, lab):
        for host in lab.hosts:
            server = f"[{lab.server_v6}]" if host.name == "phone" else lab.server_v4
            lab[host.name].spawn("sh", "-c", f"while curl -sSg -o /dev/null --limit-rate 200k http://{server}/page; do :; done")


@pytest.fixture
def chat(lab, traffic):
    lab.load_rules()
    return lambda: Chat(lab)


def names(lines):
    """The first words of the hosts' lines."""
    known = {"desktop", "laptop", "phone", "router", "unknown", "other"}
    return [line.split()[0] for line in lines if line.split() and line.split()[0] in known]


def test_every_key(lab, chat):
    with lab.meter(config=lab.names()) as meter, Terminal(lab) as terminal:
        chat()
        terminal.line(watch(meter))
        terminal.sees(r"^desktop +[0-9.]+Mb/s +[0-9.]+k?b/s ")
        terminal.sees(r"^wan .*↓ [0-9.]+Mb/s")
        terminal.sees(r"^NAME +DOWN +UP +LAST MIN +TOTAL +▼SHARE +IPv6 +CONN +SEEN")
        terminal.sees(r"^phone .* 100% +[1-9]")
        terminal.keys("1")
        terminal.sees(r"^▼NAME")
        wait_until(lambda: names(terminal.lines())[:3] == ["desktop", "laptop", "other"], what="sorted by name")
        terminal.keys("r")
        terminal.sees(r"^▲NAME")
        wait_until(lambda: names(terminal.lines())[0] == "unknown", what="the other way round")
        for key, column in zip("234567", ("DOWN", "UP", "TOTAL", "SHARE", "IPv6", "CONN")):
            terminal.keys(key)
            terminal.sees(f"▼{column}")
        terminal.keys("s")
        terminal.sees("▼SEEN")
        terminal.keys("u")
        terminal.sees(r"bytes/s, 10 s average")
        terminal.keys("i")
        terminal.sees(r"^desktop +[0-9.]+KiB/s")
        terminal.keys("i", "u", "a")
        terminal.sees(r"bit/s, 40 s average")
        terminal.keys("a")
        terminal.sees(r"bit/s, 2 s average")
        terminal.keys("t")
        terminal.sees(r"bytes of the session")
        terminal.keys("t", "f")
        terminal.sees(r"IPv4 only")
        terminal.sees(r"^phone +0b/s +0b/s ")
        terminal.keys("f")
        terminal.sees(r"IPv6 only")
        terminal.sees(r"^desktop +0b/s +0b/s ")
        terminal.keys("f")
        terminal.sees_not(r"IPv6 only")
        terminal.keys("+")
        terminal.sees(r"every 1 s")
        terminal.keys("-")
        terminal.sees(r"every 0.5 s")
        terminal.keys("/")
        terminal("send-keys", "-l", "PHO")
        terminal.sees(r"^all \(1 of \d\)")
        assert names(terminal.lines()) == ["phone"]
        terminal.keys("Enter")
        terminal.sees(r"^/PHO +Esc shows all")
        terminal.keys("Enter")
        terminal.sees(r"^MAC +" + lab.hosts[2].mac)
        terminal.sees(r"addresses +.*\n?.*" + lab.hosts[2].v6)
        terminal.keys("Escape")
        terminal.sees(r"^all \(1 of \d\)")
        terminal.keys("Escape")
        terminal.sees(r"^\d hosts")
        terminal.keys("?")
        terminal.sees(r"^q +quit")
        terminal.keys("?")
        terminal.sees(r"^\d hosts")
        terminal.keys("1", "Home", "j", "Down", "k", "Enter")
        terminal.sees(r"^laptop$")
        terminal.keys("Escape", "G", "Enter")
        terminal.sees(r"^unknown$")
        terminal.keys("Escape", "PPage", "NPage", "End", "Home", "Up", "Enter")
        terminal.sees(r"^desktop$")
        terminal.keys("Escape", "Space")
        terminal.sees(r"PAUSED")
        before = terminal.lines()[5:]
        wait_until(lambda: meter.value("hostmeter_dumps_total") is not None)
        assert terminal.lines()[5:] == before
        terminal.keys("Space")
        terminal.sees_not(r"PAUSED")
        terminal.keys("t", "z")
        terminal.keys("q")
        terminal.is_given_back()


def test_connections_of_a_host(lab, traffic):
    lab.load_rules()
    desktop = lab.hosts[0]
    server = udp(lab.inet, lab.server_v4, 9)
    lab.port_forward(2222, desktop, 22, "udp")
    visitor, inside = udp(lab.inet, lab.far_v4), udp(lab[desktop.name], desktop.v4, 22)
    with lab.meter(config=lab.names()) as meter, Terminal(lab, height=40) as terminal:
        stream = lab[desktop.name].spawn("iperf3", "--client", lab.server_v4, "--udp", "--reverse", "--bitrate", "4M",
                                         "--length", "1000", "--time", "120")
        talk(visitor, inside, (lab.wan_v4, 2222), 1000, 2000)
        terminal.line(watch(meter))
        terminal.sees(r"^desktop +[0-9.]+M")
        terminal.keys("1", "Home", "Enter")
        terminal.sees(r"^\d connections, by rate")
        terminal.sees(r"^REMOTE +PROTO +PORT +OWN +DOWN +UP +TOTAL +AGE")
        terminal.sees(rf"^→ {lab.server_v4} +udp +5201 +\d+ +[345]\.\d+Mb/s +\d\S*b/s +[0-9.]+[kM]B +(>\d+s|-)$")
        terminal.sees(rf"^← {lab.far_v4} +udp +{visitor.getsockname()[1]} +22 +0b/s +0b/s +3.06kB ")
        # One that begins now: its age is known, and its bytes to the last one.
        socks = [udp(lab[desktop.name], desktop.v4)]
        talk(socks[0], server, (lab.server_v4, 9), 100, 300)
        terminal.sees(rf"^→ {lab.server_v4} +udp +9 +{socks[0].getsockname()[1]} .* 456B +(now|\ds)$")
        terminal.keys("t")
        terminal.sees(r"^\d connections, by total")
        terminal.sees(rf"^→ {lab.server_v4} +udp +9 +\d+ +328B +128B +456B ")
        terminal.sees(rf"^← {lab.far_v4} +udp +\d+ +22 +1.03kB +2.03kB +3.06kB ")
        # More than the screen holds: the last stands at the end, and the rows move as hosts do.
        for size in range(100):
            socks.append(udp(lab[desktop.name], desktop.v4))
            talk(socks[-1], server, (lab.server_v4, 9), 1 + size, 1 + size)
        terminal.sees(r"^10\d connections, by total")
        terminal.sees(r"^Esc back, arrows for more")
        terminal.keys("End")
        terminal.sees(rf"^→ {lab.server_v4} +udp +9 +{socks[1].getsockname()[1]} +29B +29B +58B .*\n+Esc back")
        terminal.keys("Home", "r")
        terminal.sees(rf"^REMOTE.*\n→ {lab.server_v4} +udp +9 +{socks[1].getsockname()[1]} +29B +29B +58B ")
        terminal.keys("r", "t")
        stream.stop(signal.SIGINT)
        terminal.sees(rf"^→ {lab.server_v4} +udp +5201 +\d+ +0b/s +0b/s ")
        # Another host's page has none of it.
        terminal.keys("Escape", "1", "Home", "j", "Enter")
        terminal.sees(r"^other$")
        terminal.sees(r"^It has no connections\.")
        terminal.keys("q")
        terminal.is_given_back()


def test_connections_are_filtered_sorted_and_grouped(lab):
    """On a host's page f, /, s and c choose from its connections; Esc drops the filter, then leaves the page."""
    lab.load_rules()
    desktop = lab.hosts[0]
    v4, v6 = udp(lab.inet, lab.server_v4, 9), udp(lab.inet, lab.server_v6, 9)
    far = udp(lab.inet, lab.far_v4, 9)
    with lab.meter(config=lab.names()) as meter, Terminal(lab) as terminal:
        socks = [udp(lab[desktop.name], desktop.v4) for _ in range(3)] + [udp(lab[desktop.name], desktop.v6)]
        for sock, server, address, size in zip(socks, (v4, v4, far, v6), (lab.server_v4, lab.server_v4, lab.far_v4, lab.server_v6),
                                               (100, 200, 5000, 300)):
            talk(sock, server, (address, 9), size, 2 * size)
        terminal.line(watch(meter))
        terminal.sees(r"^desktop ")
        terminal.keys("1", "Home", "Enter")
        terminal.sees(r"^4 connections, by rate")
        terminal.keys("f")
        terminal.sees(r"^3 of 4 connections, by rate")
        assert f"→ {lab.server_v6} " not in terminal.text()
        terminal.keys("f")
        terminal.sees(r"^1 of 4 connections, by rate")
        terminal.sees(rf"^→ {lab.server_v6} ")
        terminal.keys("f", "c")
        terminal.sees(r"^4 connections with 3 remotes, by rate")
        terminal.sees(r"^REMOTE +CONN +DOWN +UP +TOTAL +AGE")
        terminal.sees(rf"^{lab.server_v4} +2 +0b/s +0b/s +1.01kB ")
        terminal.keys("6")
        terminal.sees(rf"by connections\n.*\n{lab.server_v4} +2 ")
        terminal.keys("c", "/")
        terminal("send-keys", "-l", str(socks[1].getsockname()[1]))
        terminal.sees(r"^1 of 4 connections, by port")
        terminal.sees(rf"^→ {lab.server_v4} +udp +9 +{socks[1].getsockname()[1]} .* 656B ")
        terminal.keys("Enter")
        terminal.sees(r"^/\d+ +Esc shows all")
        terminal.keys("Escape", "4")
        terminal.sees(rf"^4 connections, by total\n.*\n→ {lab.far_v4} ")
        terminal.keys("Escape")
        terminal.sees(r"^1 host ")


def test_local_traffic(lab):
    """l: what stays within the LAN, from then on; the Internet's traffic is not in it."""
    lab.load_rules()
    desktop, laptop = lab.hosts[:2]
    with lab.meter(config=lab.names()) as meter, Terminal(lab) as terminal:
        terminal.line(watch(meter))
        terminal.sees(r"^q quit")
        terminal.keys("l")
        terminal.sees(r"local traffic  bit/s")
        terminal.sees(r"^\S+ +0b/s +0b/s ")
        talk(udp(lab[desktop.name], desktop.v4), udp(lab.router, lab.router_v4, 9), (lab.router_v4, 9), 1000, 2000)
        talk(udp(lab[laptop.name], laptop.v4), udp(lab.inet, lab.server_v4, 9), (lab.server_v4, 9), 4000, 4000)
        terminal.sees(r"^desktop .* 3.06kB ")
        assert not re.search(r"^laptop .* [1-9]\S*B ", terminal.text(), re.MULTILINE), terminal.text()
        terminal.keys("l")
        terminal.sees(r"^laptop .* 8.06kB ")
        terminal.sees(r"^desktop .* 0B ")


def test_dumps_come_while_somebody_watches(lab):
    with lab.meter("--dump-interval", "30", config=lab.names()) as meter, Terminal(lab) as terminal:
        def interval():
            return meter.value("hostmeter_dump_interval_seconds")

        wait_until(lambda: interval() == 30, what="the first dump")
        terminal.line(watch(meter))
        terminal.sees(r"^q quit")
        wait_until(lambda: interval() == 1, what="dumps for the watcher")
        before = meter.value("hostmeter_dumps_total")
        wait_until(lambda: meter.value("hostmeter_dumps_total") > before + 1, what="two of them")
        terminal.keys("q")
        wait_until(lambda: interval() == 30, what="nobody watches")


def test_zero(lab, traffic, chat):
    with lab.meter(config=lab.names()) as meter, Terminal(lab) as terminal:
        terminal.line(watch(meter))
        terminal.sees(r"^\d hosts")
        lab.load_rules()
        traffic.http(lab.hosts[0], 4)
        lab.settled(meter)
        terminal.sees(r"^desktop .* \d\d\dkB ")
        terminal.keys("z")
        terminal.sees(r"^desktop +\S+ +\S+ .* 0B +\d+%")


def report(sgr, button, column, row):
    """What a terminal says of its mouse; columns and rows from 1 on. Buttons are let go again, the wheel (65) is not."""
    if sgr:
        return f"\033[<{button};{column};{row}M" + (f"\033[<{button};{column};{row}m" if button == 0 else "")
    old = ["\033[M" + "".join(chr(32 + n) for n in (code, column, row)) for code in (button, 3)]
    return "".join(old if button == 0 else old[:1])


@pytest.mark.parametrize("term,sgr", [("tmux-256color", False), ("xterm-256color", True)])
def test_mouse(lab, chat, term, sgr):
    with lab.meter(config=lab.names()) as meter, Terminal(lab, term=term) as terminal:
        chat()
        terminal.line(watch(meter))
        terminal.sees(r"^3 hosts")
        at = terminal.sees(r"^NAME.*SHARE")
        row = terminal.text()[:at.start()].count("\n") + 1
        assert "1" in (terminal.setting("mouse_any_flag"), terminal.setting("mouse_standard_flag"))
        terminal("send-keys", "-l", report(sgr, 0, 2, row))
        terminal.sees(r"^▼NAME")
        terminal("send-keys", "-l", report(sgr, 0, 2, row))
        terminal.sees(r"^▲NAME")
        terminal("send-keys", "-l", report(sgr, 0, 5, row + 2))
        terminal.keys("Enter")
        terminal.sees(r"^router$")
        terminal.keys("Escape")
        terminal.sees(r"^▲NAME")
        terminal("send-keys", "-l", report(sgr, 65, 2, row + 3))
        terminal.keys("Enter")
        terminal.sees(r"^laptop$")


def test_resize(lab, chat):
    with lab.meter(config=lab.names()) as meter, Terminal(lab) as terminal:
        chat()
        terminal.line(watch(meter))
        terminal.sees(r"^3 hosts")
        for width, height, has, has_not in (40, 12, "SHARE", "TOTAL"), (200, 50, "MAC", None), (80, 10, "SEEN", "MAC"):
            terminal.size(width, height)
            terminal.sees(f"^NAME.*{has}")
            terminal.sees(r"^q quit")
            lines = terminal.lines()
            assert len(lines) == height and lines[-1].startswith("q quit") and lines[-2].startswith("3 hosts"), lines
            assert not has_not or has_not not in terminal.text()
        terminal.keys("q")
        terminal.is_given_back()


def test_suspend_and_resume(lab, chat):
    with lab.meter(config=lab.names()) as meter, Terminal(lab) as terminal:
        before = terminal.stty()
        terminal.line(watch(meter))
        terminal.sees(r"^q quit")
        terminal.keys(CTRL_Z)
        terminal.is_given_back()
        assert terminal.stty() == before
        terminal.size(60, 20)
        terminal.line("fg")
        terminal.sees(r"^NAME.*LAST MIN")
        assert len(terminal.lines()) == 20
        terminal.keys("q")
        terminal.is_given_back()
        assert terminal.stty() == before


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGSEGV, signal.SIGABRT])
def test_terminal_is_given_back(lab, signo):
    with lab.meter(config=lab.names()) as meter, Terminal(lab) as terminal:
        before = terminal.stty()
        pid = lab.scratch / "pid"
        terminal.line(f"ulimit -c 0; sh -c 'echo $$ > {pid}; exec {watch(meter)}'; echo status $?")
        terminal.sees(r"^q quit")
        assert terminal.setting("alternate_on") == "1"
        os.kill(int(pid.read_text()), signo)
        terminal.sees(rf"^status {128 + signo}" if signo in (signal.SIGSEGV, signal.SIGABRT) else r"^status 0")
        terminal.is_given_back()
        assert terminal.stty() == before


def test_meter_is_lost_and_found(lab, traffic):
    lab.load_rules()
    with lab.meter(config=lab.names()) as meter, Terminal(lab) as terminal:
        terminal.line(watch(meter))
        terminal.sees(r"^desktop|^router")
        meter.kill()
        terminal.sees(r"The meter is lost: nobody answers")
        terminal.keys("u")
        terminal.sees(r"bytes/s")
        meter.start()
        terminal.sees_not(r"The meter is lost")
        traffic.http(lab.hosts[0], 4)
        terminal.sees(r"^desktop .* \d\d\dkB ")


def no_meter(lab, *options, prefix=()):
    """What it says where no meter runs."""
    return lab.router.run(*prefix, PROGRAM, "--config", "/dev/null", "--socket", "/run/no/such.sock", *options, check=False)


# Root without the one capability that metering takes.
POWERLESS = "setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"


def test_without_a_meter(lab):
    done = no_meter(lab, "--watch")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("hostmeter: error: no meter runs here (nobody answers on /run/no/such.sock): start it with hostmeter, as root; "
                           "or see it without one: hostmeter --watch --standalone\n")


class Alone:
    """A view with a meter of its own, in this terminal."""

    def __init__(self, lab, terminal, *options):
        self.lab = lab
        self.files = lab.scratch / "tmp"
        self.files.mkdir(exist_ok=True)
        self.pid_file = lab.scratch / "alone"
        config = lab.scratch / "alone.conf"
        config.write_text(lab.names())
        words = [PROGRAM, "--config", config, "--lan", lab.lan, "--wan", lab.wan, "--watch=0.5", "--standalone", *options]
        terminal.line(f"TMPDIR={self.files} sh -c 'echo $$ > {self.pid_file}; exec {' '.join(map(str, words))}'; echo status $?")

    @property
    def pid(self):
        return int(self.pid_file.read_text())

    def meters(self):
        """The pids of the view's children, and of theirs: the meter and its guard."""
        found, parents = [], [self.pid]
        while parents:
            children = subprocess.run(["pgrep", "-P", ",".join(map(str, parents))], capture_output=True, text=True, check=False)
            parents = [int(pid) for pid in children.stdout.split()]
            found += parents
        return found

    def is_gone(self, pids):
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), what="its processes are gone")
        wait_until(lambda: not list(self.files.iterdir()), what="its files are gone")


def test_standalone(lab, traffic, chat):
    chat()
    with Terminal(lab) as terminal:
        alone = Alone(lab, terminal)
        terminal.sees(r"^hostmeter .*\(standalone\)")
        terminal.sees(r"^desktop +[0-9.]+Mb/s +[0-9.]+k?b/s ")
        terminal.sees(r"^phone .* 100% +[1-9]")
        # Nothing of it can be met: no port, no file where a meter's are.
        assert not lab.router.output("ss", "-Hltn").strip()
        assert not os.path.exists("/run/hostmeter")
        assert len(list(alone.files.iterdir())) == 1
        terminal.keys("1", "Home", "Enter")
        terminal.sees(rf"^→ {lab.server_v4} +tcp +80 ")
        terminal.keys("Escape")
        meters = alone.meters()
        assert meters
        terminal.keys(CTRL_Z)
        terminal.is_given_back()
        assert all(" (stopped)" not in open(f"/proc/{pid}/status").read() for pid in meters)
        terminal.line("fg")
        terminal.sees(r"^hostmeter .*\(standalone\)")
        terminal.keys("q")
        terminal.is_given_back()
        alone.is_gone(meters)


def test_standalone_ends_with_the_view(lab):
    with Terminal(lab) as terminal:
        # The last one leaves the terminal as it is.
        for signo, status in (signal.SIGTERM, 0), (signal.SIGSEGV, 139), (signal.SIGKILL, None):
            alone = Alone(lab, terminal)
            terminal.sees(r"^q quit")
            meters = alone.meters()
            assert meters and list(alone.files.iterdir())
            os.kill(alone.pid, signo)
            alone.is_gone(meters)
            if status is not None:
                terminal.sees(rf"^status {status}")
                terminal.is_given_back()


def test_standalone_without_its_meter(lab):
    with Terminal(lab) as terminal:
        alone = Alone(lab, terminal)
        terminal.sees(r"^q quit")
        os.kill(alone.meters()[0], signal.SIGKILL)
        terminal.sees(r"^This view's own meter has ended: start the view again\.")
        terminal.keys("q")
        terminal.is_given_back()
        alone.is_gone([])


def test_standalone_beside_a_meter(lab):
    """It says that the other has the first packets; and the other's files stay its own."""
    lab.load_rules()
    with lab.meter(config=lab.names()) as meter, Terminal(lab) as terminal:
        wait_until(lambda: (meter.directory / "run" / "checkpoint").exists(), what="a checkpoint")
        alone = Alone(lab, terminal, "--runtime-dir", meter.directory / "run", "--state-dir", meter.directory / "state")
        terminal.sees(r"^! NFLOG group 60 is taken by another process")
        before = {path for path in meter.directory.rglob("*")}
        meters = alone.meters()
        terminal.keys("q")
        alone.is_gone(meters)
        assert {path for path in meter.directory.rglob("*")} >= before
        assert meter.process.running() and "standalone" not in meter.log()


def test_standalone_says_why_not(lab):
    done = no_meter(lab, "--watch", "--standalone", "--count", "1", prefix=POWERLESS)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "hostmeter: error: reading connection tracking needs root (CAP_NET_ADMIN)\n"


def test_what_the_header_warns_of(lab, traffic):
    """No accounting, switches, no rules, an overrun: each on the screen while its cause lasts."""
    lab.router.sysctl(netfilter__nf_conntrack_acct=0, netfilter__nf_conntrack_events=2)
    with Terminal(lab, width=150) as terminal:
        alone = Alone(lab, terminal)
        terminal.sees(r"^! the kernel does not count connections: sysctl net.netfilter.nf_conntrack_acct=1$")
        terminal.sees(r"^! connections that begin while no meter runs will end unseen: sysctl net.netfilter.nf_conntrack_events=1")
        traffic.http(lab.hosts[0], 4)
        terminal.sees(r"^! (\d+ )?live connections, all of them, that the kernel does not count")
        terminal.keys("q")
        alone.is_gone(alone.meters())
    lab.router.sysctl(netfilter__nf_conntrack_acct=1, netfilter__nf_conntrack_events=1)
    lab.router.run("conntrack", "-F")
    with lab.meter(config=lab.names() + "event-buffer = 4096\n") as meter, Terminal(lab, width=150) as terminal:
        terminal.line(watch(meter))
        terminal.sees(r"^\d hosts")
        assert "! " not in terminal.text()
        server = udp(lab.inet, lab.server_v4, 9)
        for _ in range(60):
            talk(udp(lab["laptop"], lab.hosts[1].v4), server, (lab.server_v4, 9))
        terminal.sees(r"^! \d+ new connections in a row whose first packet no rule told of: load what hostmeter --print-rules prints")
        lab.load_rules()
        talk(udp(lab["laptop"], lab.hosts[1].v4), server, (lab.server_v4, 9))
        terminal.sees_not("! .*no rule told")
        meter.process.send(signal.SIGSTOP)
        lab.router.run("conntrack", "-F")
        meter.process.send(signal.SIGCONT)
        terminal.sees(r"^! (\d+ )?times since the start that the kernel dropped messages for a full socket")


@pytest.mark.parametrize("term,env,codes", [("xterm-256color", {}, r"\x1b\[[0-9;]*38;5;"), ("xterm", {}, r"\x1b\[[0-9;]*3[0-7]"),
                                            ("xterm-of-sixteen", {}, r"\x1b\[[0-9;]*9[0-7]"),
                                            ("xterm-256color", {"NO_COLOR": "1"}, None), ("vt100", {}, None)])
def test_colours(lab, term, env, codes):
    if term == "xterm-of-sixteen":  # few machines have one
        made = subprocess.run(["infocmp", "-1", "xterm-256color"], capture_output=True, text=True, check=True).stdout
        made = re.sub(r"^xterm-256color.*", f"{term}|made by a test,", made, flags=re.MULTILINE)
        made = re.sub(r"colors#\w+", "colors#16", made).replace("pairs#0x10000", "pairs#256")
        (lab.scratch / "terminfo.ti").write_text(made)
        subprocess.run(["tic", "-o", lab.scratch / "terminfo", lab.scratch / "terminfo.ti"], check=True)
        env = {"TERMINFO": str(lab.scratch / "terminfo")}
    with lab.meter(config=lab.names()) as meter, Terminal(lab, term=term, env=env) as terminal:
        terminal.line(watch(meter))
        terminal.sees(r"^q quit")
        coloured = re.search(r"\x1b\[(?:[0-9;]*;)?(?:38;5|3[0-7]|9[0-7])[;m]", terminal.text("-e"))
        assert bool(coloured) == bool(codes), terminal.text("-e")
        if codes:
            assert re.search(codes, terminal.text("-e")), terminal.text("-e")
        terminal.keys("q")
        terminal.is_given_back()


def test_color_option(lab):
    with lab.meter(config=lab.names()) as meter, Terminal(lab, env={"NO_COLOR": "1"}) as terminal:
        for when, expected in ("always", True), ("never", False), ("auto", False):
            terminal.line(watch(meter, "--color", when))
            terminal.sees(r"^q quit")
            assert bool(re.search(r"\x1b\[[0-9;]*38;5;", terminal.text("-e"))) == expected
            terminal.keys("q")
            terminal.is_given_back()


def test_ascii(lab, chat):
    with lab.meter(config='host "K\u00fcche" { mac = {"' + lab.hosts[0].mac + '"} }\n') as meter, \
            Terminal(lab, locale="C") as terminal:
        chat()
        terminal.line(watch(meter))
        terminal.sees(r"^K\?che +[0-9.]+")
        terminal.sees(r"vSHARE")
        assert terminal.text().isascii()


def test_unknown_terminal_falls_back(lab):
    with lab.meter(config=lab.names()) as meter, Terminal(lab, term="no-such-terminal") as terminal:
        terminal.line(watch(meter))
        terminal.sees(r"no terminfo for TERM \"no-such-terminal\"")
        terminal.sees(r"^\d hosts")
        assert terminal.setting("alternate_on") == "0"
        terminal.keys("C-c")


def totals(line):
    return {(host["host"], int(ipv), way): host[ipv][way]["bytes"]
            for host in line["hosts"] for ipv in "46" for way in ("in", "out") if host[ipv][way]["bytes"]}


def test_json_adds_up_to_the_metrics(lab, traffic):
    lab.load_rules()
    with lab.meter(config=lab.names()) as meter:
        watcher = lab.router.spawn(*watch(meter, "--json").split())
        wait_until(lambda: watcher.output().count("\n") >= 2, 20, "two lines")
        for host in lab.hosts:
            traffic.tcp_down(host, 4, "4M")
            traffic.http(host, 6)
        settled = {key: count.bytes for key, count in lab.settled(meter).items()}

        def last():
            line = json.loads(watcher.output().splitlines()[-1])
            assert line["schema"] == 1
            return line

        wait_until(lambda: watcher.output().endswith("\n") and totals(last()) == settled, 20, "the view has it all")
        # What the session moved is what the counters say, for there was nothing before it.
        wait_until(lambda: watcher.output().endswith("\n") and all(
            host[ipv][way]["session"] == host[ipv][way]["bytes"]
            for host in last()["hosts"] for ipv in "46" for way in ("in", "out") if host["host"] in ("laptop", "phone")),
            20, "sessions too")
        wan = {link["interface"]: link for link in last()["wan"]}
        value = meter.value("network_bytes_total", interface="wan", direction="rx")
        assert abs(wan["wan"]["rx"]["bytes"] - value) <= 4096
        assert {address for host in last()["hosts"] for address in host["addresses"]} >= {host.v4 for host in lab.hosts}


def test_rates_are_right(lab, traffic):
    """Each rate is what was counted between two readings over the time between them; and of the size of the stream."""
    lab.load_rules()
    with lab.meter(config=lab.names()) as meter:
        lab["laptop"].spawn("iperf3", "--client", lab.server_v4, "--udp", "--reverse", "--bitrate", "4M", "--length", "1000",
                            "--time", "120")
        wait_until(lambda: meter.value("host_bytes_total", host="laptop", mac=lab.hosts[1].mac, ipv="4", direction="in"),
                   20, "the stream runs")
        watcher = lab.router.spawn(*watch(meter, "--json").split())

        def readings():
            """(dump_time, the hosts' counts of IPv4 in) of each reading; lines of the same reading say the same."""
            seen = {}
            for line in map(json.loads, watcher.output().split("\n")[:-1]):
                counts = {host["host"]: host["4"]["in"] for host in line["hosts"]}
                moved = {name: (count["session"], count["rate"]) for name, count in counts.items()}
                assert seen.setdefault(line["dump_time"], moved) == moved
                assert line["dump_time"] <= line["time"]
            return sorted(seen.items())

        # A busy machine sends unevenly, but over a while the sender keeps its rate: payload and headers.
        def mean():
            seen = readings() or [(0, {})]
            (begin, first), (end, last) = seen[0], seen[-1]
            return end - begin > 4 and (last["laptop"][0] - first["laptop"][0]) / (end - begin)

        wait_until(lambda: mean() == pytest.approx(4_000_000 / 8 * 1028 / 1000, rel=0.05), 60, "the stream's own rate", 0.5)
        seen = readings()
        for (before, old), (now, new) in zip(seen, seen[1:]):
            for name, (session, rate) in new.items():
                assert rate == pytest.approx((session - old[name][0]) / (now - before), rel=1e-6, abs=1), name
            assert sum(rate for _, rate in new.values()) == new["laptop"][1] > 0


def test_plain_count(lab, chat):
    with lab.meter(config=lab.names()) as meter:
        chat()
        out = lab.router.output(*watch(meter, "--count", "2").split(), deadline=60)
        pages = out.split("\n\n")
        assert len(pages) == 2
        for page in pages:
            assert page.startswith("hostmeter ") and "\x1b" not in page
            assert re.search(r"^desktop +[0-9.]+Mb/s +", page, re.MULTILINE), page
            assert page.rstrip("\n").splitlines()[-1].startswith("3 hosts")
            assert max(map(len, page.splitlines())) <= 80


def test_options_choose_the_view(lab, chat):
    with lab.meter(config=lab.names()) as meter, Terminal(lab) as terminal:
        chat()
        terminal.line(watch(meter, "--unit", "bytes-1024", "--sort", "-name", "--average", "40"))
        terminal.sees(r"bytes/s, 40 s average")
        terminal.sees(r"^▲NAME")
        terminal.sees(r"^desktop +[0-9.]+KiB/s ")
        wait_until(lambda: names(terminal.lines())[0] == "unknown", what="sorted by name in reverse")
        out = lab.router.output(*watch(meter, "--count", "1", "--unit", "bytes", "--sort", "name", "--average", "2").split())
        assert "bytes/s, 2 s average" in out
        assert names(out.splitlines())[:2] == ["desktop", "laptop"]
        assert re.search(r"^desktop +[0-9.]+kB/s ", out, re.MULTILINE), out


def test_a_reader_that_leaves_is_no_crash(lab):
    with lab.meter(config=lab.names()) as meter:
        done = lab.router.run("sh", "-c", f"{watch(meter)} | head -n 1", deadline=60)
        assert done.stdout.startswith("hostmeter")


def test_tmux_is_there():
    assert shutil.which("tmux")
