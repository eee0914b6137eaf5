# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs in the container that tests/nspawn/run boots: the container is the router, its hosts are network namespaces, and
hostmeter is the service that `make install` installs. Each case is a line; the last is "all is well".
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from lab.counters import Count
from lab.meter import UnixConnection, host_counts, parse_metrics
from lab.node import Node, wait_until
from lab.talk import Truth, talk, udp

SOCKET = "/run/hostmeter/hostmeter.sock"
CONFIG = Path("/etc/hostmeter/hostmeter.conf")
WEB = Path("/etc/hostmeter/web.yml")
# The password is "secret".
HASH = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
NET_ADMIN, NONE = "0000000000001000", "0000000000000000"


def run(*argv, check=True):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"{argv}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def router(commands):
    for line in commands.strip().splitlines():
        run(*line.split())


def metrics():
    connection = UnixConnection(SOCKET)
    try:
        connection.request("GET", "/metrics")
        return parse_metrics(connection.getresponse().read().decode())
    finally:
        connection.close()


def main_pid():
    return int(run("systemctl", "show", "-P", "MainPID", "hostmeter"))


def status_of(pid):
    return {key: value.strip() for key, value in
            (line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())}


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def journal():
    return run("journalctl", "--no-pager", "-o", "cat", "-u", "hostmeter")


class Network:
    """desktop - router - inet, IPv4 masqueraded."""

    def __init__(self):
        scratch = tempfile.mkdtemp()
        Path("/run/netns").mkdir(exist_ok=True)
        self.desktop, self.inet = Node("desktop", scratch), Node("inet", scratch)
        router("""
            ip link add lan0 type veth peer name eth0 netns desktop
            ip link add wan0 type veth peer name eth0 netns inet
            ip address add 192.168.77.1/24 dev lan0
            ip address add 198.51.100.2/24 dev wan0
            ip link set lan0 up
            ip link set wan0 up
            ip route add default via 198.51.100.1
            sysctl -qw net.ipv4.ip_forward=1 net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_events=1
            nft -f /usr/local/share/hostmeter/hostmeter.nft
            nft add table ip nat
            nft add chain ip nat postrouting { type nat hook postrouting priority 100 ; }
            nft add rule ip nat postrouting oifname wan0 masquerade
        """)
        self.desktop.ip("""
            link set eth0 address 00:00:5e:00:53:0b
            address add 192.168.77.11/24 dev eth0
            link set eth0 up
            route add default via 192.168.77.1
        """)
        self.inet.ip("""
            address add 198.51.100.1/24 dev eth0
            link set eth0 up
        """)
        self.truth = Truth()

    def talk(self):
        with udp(self.desktop, "192.168.77.11") as here, udp(self.inet, "198.51.100.1", 9) as server:
            for _ in range(20):
                self.truth.asked("desktop", 4, talk(here, server, ("198.51.100.1", 9), 500, 1200))


def counts_are(network, what):
    def agree():
        try:
            now = host_counts(metrics())
        except OSError:
            return False
        return all(now.get(key, Count()) == count for key, count in network.truth.items())

    wait_until(agree, 30, f"the counts are exact {what}")


# --- Cases, in this order

def the_service_starts(network):
    run("systemd-sysusers")
    run("systemctl", "start", "hostmeter")
    assert run("systemctl", "is-active", "hostmeter").strip() == "active"
    counts_are(network, "from the start")


def it_has_one_right_and_its_children_have_none(_):
    pid = main_pid()
    wait_until(lambda: len(children(pid)) == 2, what="the guard and the process that checks passwords")
    for process in pid, *children(pid):
        status = status_of(process)
        own = NET_ADMIN if process == pid else NONE
        assert status["CapEff"] == status["CapPrm"] == own, status
        assert status["CapInh"] == status["CapAmb"] == NONE and status["CapBnd"] == NET_ADMIN, status
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and "0" not in status["Uid"].split(), status


def its_exposure_is_low(_):
    last = run("systemd-analyze", "security", "--no-pager", "hostmeter").strip().splitlines()[-1]
    level = float(re.search(r"hostmeter\.service: ([0-9.]+)", last).group(1))
    print(f"   {last.removeprefix('→ ')}")
    assert level <= 2.0, last


def it_counts_what_is_sent(network):
    network.talk()
    counts_are(network, "after traffic")


def a_password_is_checked(_):
    def ask(*options):
        return run("python3", "-c", ASK, *options)

    assert ask() == "401"
    assert ask("prometheus:wrong") == "401"
    assert ask("prometheus:secret") == "200"


ASK = """
import base64, sys, urllib.error, urllib.request
request = urllib.request.Request("http://127.0.0.1:10060/metrics")
for given in sys.argv[1:]:
    request.add_header("Authorization", "Basic " + base64.b64encode(given.encode()).decode())
try:
    print(urllib.request.urlopen(request).status, end="")
except urllib.error.HTTPError as error:
    print(error.code, end="")
"""


def a_reload_keeps_it(network):
    pid, before = main_pid(), journal()
    WEB.write_text(WEB.read_text() + f"  second: {HASH}\n")
    run("systemctl", "reload", "hostmeter")
    wait_until(lambda: "read again" in journal()[len(before):], what="it has read its files again")
    network.talk()
    counts_are(network, "after a reload")
    assert main_pid() == pid and run("systemctl", "is-active", "hostmeter").strip() == "active"


def a_restart_goes_on(network):
    pid = main_pid()
    run("systemctl", "restart", "hostmeter")
    assert main_pid() != pid
    counts_are(network, "after a restart")
    network.talk()
    counts_are(network, "and traffic")


def a_kill_goes_on(network):
    pid = main_pid()
    network.talk()
    run("kill", "-9", pid)
    wait_until(lambda: main_pid() not in (0, pid), what="systemd starts it again")
    counts_are(network, "after kill -9")
    network.talk()
    counts_are(network, "and traffic")


def by_hand_as_root_and_back(network):
    run("systemctl", "stop", "hostmeter")
    meter = subprocess.Popen(["hostmeter"], stderr=subprocess.DEVNULL)
    try:
        counts_are(network, "as root")
        assert status_of(meter.pid)["CapEff"] == NET_ADMIN
        network.talk()
        counts_are(network, "as root, after traffic")
    finally:
        meter.terminate()
        meter.wait()
    run("systemctl", "start", "hostmeter")
    counts_are(network, "as a service again")


def nothing_was_forbidden(_):
    assert "is not one that hostmeter needs" not in journal() and "status=31/SYS" not in journal(), journal()


CASES = (the_service_starts, it_has_one_right_and_its_children_have_none, its_exposure_is_low, it_counts_what_is_sent,
         a_password_is_checked, a_reload_keeps_it, a_restart_goes_on, a_kill_goes_on, by_hand_as_root_and_back,
         nothing_was_forbidden)


def main():
    CONFIG.parent.mkdir(exist_ok=True)
    CONFIG.write_text('host "desktop" { mac = {"00:00:5e:00:53:0b"} }\nweb.config.file = "/etc/hostmeter/web.yml"\ndump-interval = 1\n')
    WEB.write_text(f"basic_auth_users:\n  prometheus: {HASH}\n")
    network, failed = Network(), 0
    for case in CASES:
        name = case.__name__.replace("_", " ")
        try:
            case(network)
            print(f"ok     {name}", flush=True)
        except (AssertionError, OSError) as error:
            failed += 1
            print(f"FAILED {name}: {error}\n{journal()[-2000:]}", flush=True)
    if not failed:
        print("all is well", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
