# SPDX-License-Identifier: GPL-2.0-or-later
"""
The worst day at once: floods of made-up MACs, readers that do not read, half requests, files that are damaged, devices
or pipes, reloads of good and bad configurations, interfaces that vanish, a full disk, kill -9. Meanwhile the hosts of
the house talk, and a good client asks. In the end every byte of theirs is there, and memory and descriptors are back.

HOSTILE_SECONDS: how long it lasts, 300 by default.
"""

import os
import random
import re
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest
from lab import Count, Host, Truth, packet, talk, udp, wait_until

SECONDS = float(os.environ.get("HOSTILE_SECONDS", "300"))
PORT, FLOOD_PORT = 7, 9
MAX_HOSTS = 64
ETHER = {4: 0x0800, 6: 0x86DD}


# --- Attackers, each a thread that works until it is told to end


class Attack(threading.Thread):
    """Calls act() again and again, with a pause; errors of the network are what it is for."""

    pause = 0.0

    def __init__(self):
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.acts = 0

    def run(self):
        while not self.over.wait(self.pause):
            try:
                self.act()
                self.acts += 1
            except OSError:
                pass

    def end(self):
        self.over.set()
        self.join(20)
        assert not self.is_alive()
        assert self.acts, f"{type(self).__name__} did nothing"


class Flood(Attack):
    """Frames from MACs and addresses that nobody has, all to one server that does not answer."""

    pause = 0.01

    def __init__(self, lab, node):
        super().__init__()
        self.lab, self.random = lab, random.Random(14)
        self.socket = node.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind(("eth0", 0))
        self.sent = Count()

    def act(self):
        for _ in range(5):
            ipv, number = self.random.choice((4, 6)), self.random.randrange(1 << 16)
            mac = struct.pack("!HI", 0x0200, 0x53 << 24 | number)
            source = f"192.168.77.{100 + number % 100}" if ipv == 4 else f"2001:db8:77::bad:{number:x}"
            data = packet.udp(source, self.lab.server(ipv), 1024 + number % 60000, FLOOD_PORT, number % 500)
            self.socket.send(bytes.fromhex("00005e005301") + mac + struct.pack("!H", ETHER[ipv]) + data)


class SlowReaders(Attack):
    """Ask for the largest page and read a byte now and then."""

    pause, request = 0.2, b"GET /metrics HTTP/1.0\r\nHost: 192.168.77.1\r\n\r\n"

    def __init__(self, node, address):
        super().__init__()
        self.node, self.address, self.open = node, address, []

    def act(self):
        while len(self.open) > 60:
            self.open.pop(0).close()
        sock = self.node.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.settimeout(1)
        self.open.append(sock)
        sock.connect(self.address)
        sock.sendall(self.request)
        for other in self.open:
            other.setblocking(False)
            try:
                other.recv(1)
            except OSError:
                pass

    def end(self):
        super().end()
        for sock in self.open:
            sock.close()


class HalfRequests(SlowReaders):
    request = b"GET /metrics HTTP/1.1\r\nHost: 192.168.77.1\r\nX-Slow: "


class Nonsense(Attack):
    """Bytes that are no request."""

    pause = 0.1

    def __init__(self, node, address):
        super().__init__()
        self.node, self.address, self.random = node, address, random.Random(15)

    def act(self):
        with self.node.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.settimeout(1)
            sock.connect(self.address)
            sock.sendall(self.random.randbytes(self.random.randrange(1, 20_000)))
            sock.recv(1000)


class BadFiles(Attack):
    """The leases and the configuration become something else every moment."""

    pause = 0.3

    def __init__(self, meter, leases, good):
        super().__init__()
        self.meter, self.leases, self.good, self.random = meter, leases, good, random.Random(16)

    def act(self):
        with self.meter.lock:
            self.damage()

    def damage(self):
        self.leases.unlink(missing_ok=True)
        kind = self.random.randrange(6)
        if kind == 0:
            os.mkfifo(self.leases)
        elif kind == 1:
            self.leases.symlink_to("/proc/kmsg")
        elif kind == 2:
            self.leases.symlink_to("/dev/zero")
        elif kind == 3:
            self.leases.write_bytes(self.random.randbytes(100_000))
        elif kind == 4:
            self.leases.write_text("".join(f"1 00:00:5e:00:{i >> 8:02x}:{i & 255:02x} 192.168.77.{i & 255} h{i} *\n"
                                           for i in range(20_000)))
        bad = "lan = 5 {\n", "hosts {", 'host "x" { mac = {"no"} }\n', "\0\xff" * 1000
        self.meter.config.write_text(self.good + (self.random.choice(bad) if self.acts % 2 else ""))



# --- The day


class Day:
    """The hosts that talk, and what happens to the router meanwhile."""

    def __init__(self, lab, meter, tv, disk):
        self.lab, self.meter, self.tv, self.disk = lab, meter, tv, disk
        self.truth, self.number, self.slowest = Truth(), 5000, 0.0
        self.sockets = {}
        self.servers = {ipv: udp(lab.inet, lab.server(ipv), PORT) for ipv in (4, 6)}

    def renew(self):
        """New flows; the old ones end when they are flushed or time out, while a meter runs."""
        self.number += 1
        for host in (*self.lab.hosts, self.tv):
            for ipv in 4, 6:
                self.sockets[host, ipv] = udp(self.lab[host.name], host.address(ipv), self.number)

    def reaches(self, node, *addresses):
        """A link that came up forwards nothing for a moment: until its queue is there, and the neighbour is known."""
        for address in addresses:
            wait_until(lambda to=address: not node.run("ping", "-c", 1, "-W", 1, to, check=False).returncode, 20,
                       f"{node.name} reaches {address}")

    def exchange(self, hosts=None):
        for host in hosts or (*self.lab.hosts, self.tv):
            for ipv in 4, 6:
                counts = talk(self.sockets[host, ipv], self.servers[ipv], (self.lab.server(ipv), PORT), 200, 900)
                self.truth.asked(host, ipv, counts)

    def ask(self):
        """A good client on the LAN has its answer soon."""
        began = time.monotonic()
        answer = self.lab["laptop"].http_get("http://192.168.77.1:10060/metrics")
        self.slowest = max(self.slowest, time.monotonic() - began)
        assert "host_bytes_total" in answer

    def reload(self):
        self.meter.process.send(signal.SIGHUP)
        assert self.meter.process.running(), self.meter.log()

    def kill(self):
        """Flows live through it; and something is appended to the journal that is none."""
        self.meter.kill()
        self.exchange()
        with open(self.meter.directory / "run" / "checkpoint", "ab") as file:
            file.write(bytes(range(17)))
        with self.meter.lock:
            self.meter.config.write_text(self.meter.good)
            self.meter.start()

    def vanish(self):
        """The guests' interface is removed and made anew."""
        self.lab.router.ip("link delete guest")
        self.exchange(self.lab.hosts)
        self.lab.router.ip(f"link add guest type veth peer name eth0 address {self.tv.mac} netns {self.tv.name}")
        self.lab[self.tv.name].ip(f"""
            address add {self.tv.v4}/24 dev eth0
            address add {self.tv.v6}/64 dev eth0 nodad
            link set eth0 up
            route add default via 192.168.78.1 dev eth0
            route add default via 2001:db8:78::1 dev eth0
        """)
        self.lab.router.ip("""
            address add 192.168.78.1/24 dev guest
            address add 2001:db8:78::1/64 dev guest nodad
            link set guest up
        """)
        self.reaches(self.lab[self.tv.name], "192.168.78.1", "2001:db8:78::1")
        self.renew()

    def flap(self):
        """The WAN goes down and comes back: masqueraded flows are flushed."""
        lab = self.lab
        lab.router.ip(f"link set {lab.wan} down")
        lab.router.ip(f"link set {lab.wan} up")
        lab.router.ip(f"""
            address replace {lab.wan_v6}/64 dev {lab.wan} nodad
            route replace default via {lab.server_v4} dev {lab.wan}
            route replace default via {lab.server_v6} dev {lab.wan}
        """)
        self.reaches(lab.router, lab.server_v4, lab.server_v6)
        self.renew()

    def fill(self):
        """The disk is full while checkpoints are due."""
        big = self.disk / "big"
        try:
            with open(big, "wb") as file:
                while True:
                    file.write(bytes(65536))
        except OSError:
            pass
        self.exchange()
        # A save may fail, or be content with the room of the checkpoint before it.
        dumps = self.meter.value("hostmeter_dumps_total")
        wait_until(lambda: self.meter.value("hostmeter_dumps_total") >= dumps + 2, 30, "checkpoints were due")
        big.unlink()

    def remove_socket(self):
        self.meter.socket.unlink(missing_ok=True)
        wait_until(self.meter.socket.exists, 10, "the socket is made again")


def memory(meter):
    """(private KiB, open descriptors)."""
    proc = Path(f"/proc/{meter.process.pid}")
    private = re.findall(r"^Private_(?:Clean|Dirty):\s*(\d+)", (proc / "smaps_rollup").read_text(), re.M)
    return sum(map(int, private)), len(list((proc / "fd").iterdir()))


@pytest.fixture
def disk(lab):
    """Small file systems, to be mounted where the test wants them."""
    places = []

    def mount(place):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "none", place], check=True)
        places.append(place)
        return place

    yield mount
    for place in places:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.alone
def test_the_worst_day(lab, disk):
    lab.load_rules()
    lab.router.sysctl(netfilter__nf_conntrack_udp_timeout_stream=600)
    tv = lab.second_lan()
    attacker = Host("attacker", "00:00:5e:00:53:66", "192.168.77.66", "2001:db8:77::66")
    lab._add_host(attacker)
    lab.inet.run("nft", "-f", "-", stdin=f"""
        table inet deaf {{
            chain input {{
                type filter hook input priority 0
                udp dport {FLOOD_PORT} drop
            }}
        }}
    """)
    leases = lab.scratch / "leases"
    good = f'max-hosts = {MAX_HOSTS}\nnames-leases = {{"{leases}"}}\n' + lab.names((*lab.hosts, tv))
    meter = lab.meter("--lan", "guest", "--listen", "192.168.77.1:10060", config=good)
    meter.good, meter.lock = good, threading.Lock()
    day = Day(lab, meter, tv, disk(meter.directory / "run"))
    with meter:
        day.renew()
        day.exchange()
        day.ask()
        meter.steady()
        before = memory(meter)
        address = "192.168.77.1", 10060
        attacks = [Flood(lab, lab["attacker"]), SlowReaders(lab["phone"], address), HalfRequests(lab["phone"], address),
                   Nonsense(lab["phone"], address), BadFiles(meter, leases, good)]
        for attack in attacks:
            attack.start()
        happenings = (day.reload, day.ask, day.kill, day.vanish, day.reload, day.ask, day.flap, day.fill,
                      day.remove_socket)
        end, turn = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            for _ in range(20):
                day.exchange()
            happenings[turn % len(happenings)]()
            turn += 1
        assert turn > len(happenings)
        for attack in attacks:
            attack.end()
        meter.config.write_text(good)
        day.reload()
        day.ask()
        honest = {host.name for host in (*lab.hosts, tv)}
        counted = {key: count for key, count in lab.settled(meter, 60).items() if key[0] in honest}
        assert counted == day.truth
        print(f"{turn} turns, slowest answer {day.slowest:.2f} s, private KiB and descriptors {before}, {memory(meter)}")
        assert day.slowest < 5
        wait_until(lambda: memory(meter)[1] <= before[1] + 1, 30, "the connections are closed")
        wait_until(lambda: memory(meter)[0] <= before[0] + 4096, 60, f"memory is back: {before}, {memory(meter)}")
