# SPDX-License-Identifier: GPL-2.0-or-later
"""
Clients that want too much: slow readers of ten thousand hosts, connections that say nothing, handshakes that stop half way. Memory
is bounded, a client has a quarter of the connections, and whoever behaves is answered within a second.
"""

import http.client
import socket
import time
from pathlib import Path

import pytest
from lab import wait_until
from lab.meter import parse_metrics
from test_load import HOSTS, City, prefer, scheduled
from test_web import Certificates, curl

PORT = 10060
CONNECTIONS, QUARTER = 32, 8
MIB = 1 << 20


def dirty(meter):
    """Private dirty bytes of the meter: what it has for itself."""
    for line in Path(f"/proc/{meter.process.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no Private_Dirty")


class Crowded:
    """Connections to the meter from addresses of our choice; closed in the end."""

    def __init__(self, node):
        self.node, self.sockets = node, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in self.sockets:
            sock.close()

    def connect(self, source, said=b"", room=4096):
        sock = self.node.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sockets.append(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        sock.settimeout(10)
        sock.bind((source, 0))
        sock.connect(("127.0.0.1", PORT))
        sock.sendall(said)
        return sock

    def slow_reader(self, source):
        return self.connect(source, b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")


@pytest.fixture(scope="module")
def city():
    with City() as network:
        network.load_rules()
        network.router.sysctl(netfilter__nf_conntrack_udp_timeout=1, netfilter__nf_conntrack_udp_timeout_stream=1)
        yield network


def populate(city, meter):
    city.generate("--flows", HOSTS, "--rate", 20_000)
    wait_until(lambda: meter.value("hostmeter_flow_ends_total") >= HOSTS * 0.9, 60, "hosts are there")


class Well:
    """A client that behaves: asks from an address of its own, reads all, and says how long it took."""

    def __init__(self, node, source="127.0.2.1"):
        self.node, self.source, self.seconds = node, source, []

    def get(self, target="/metrics?fresh=0", version="1.1", headers=""):
        """(status, headers, body)"""
        began = time.monotonic()
        with self.node.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.settimeout(10)
            sock.bind((self.source, 0))
            sock.connect(("127.0.0.1", PORT))
            sock.sendall(f"GET {target} HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n".encode())
            answer = http.client.HTTPResponse(sock)
            answer.begin()
            body = answer.read()
        self.seconds.append(time.monotonic() - began)
        return answer.status, answer.headers, body


def is_closed(sock):
    """Whether the meter has closed this connection."""
    sock.setblocking(False)
    try:
        return sock.recv(1 << 20) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def dropped(meter):
    return {reason: int(meter.value("hostmeter_http_connections_dropped_total", reason=reason)) for reason in ("idle", "headers", "slow")}


def hosts_of(body):
    return {key for key in parse_metrics(body.decode()) if key[0].startswith("host_")}


@pytest.mark.alone
def test_slow_readers_hold_a_bounded_memory(city):
    """Thirty-two of four clients, each asking when nobody shares a page any more; beside them somebody scrapes."""
    with city.meter(config="max-hosts = 10000\n") as meter, Crowded(city.router) as crowd:
        prefer(meter.process)
        populate(city, meter)
        well = Well(city.router)
        series = hosts_of(well.get()[2])
        assert len(series) > 18 * HOSTS
        before, most = dirty(meter), 0
        ran, waited = scheduled(meter.process)
        for number in range(CONNECTIONS):
            crowd.slow_reader(f"127.0.1.{number % 4}")
            pause = time.monotonic() + 0.15
            while time.monotonic() < pause:
                most = max(most, dirty(meter))
                time.sleep(0.01)
            if number % 8 == 3:
                status, _, body = well.get()
                assert status == 200 and hosts_of(body) == series, number
            if number % 8 == 7:
                status, _, body = well.get(headers="Accept: application/openmetrics-text\r\n")
                assert status == 200 and body.endswith(b"# EOF\n"), number
        ran, waited = (now - then for now, then in zip(scheduled(meter.process), (ran, waited)))
        print(f"before {before >> 10} KiB, most {most >> 10} KiB, answers after at most {max(well.seconds):.2f} s; "
              f"the meter ran {ran:.2f} s and waited {waited:.2f} s")
        assert most - before < 37 * MIB  # the pages' 32, and a connection's buffers and a snapshot in the making
        assert meter.value("hostmeter_page_memory_limit_bytes") == 32 * MIB
        assert meter.value("hostmeter_page_memory_bytes") <= 32 * MIB
        assert max(well.seconds) * ran / (ran + waited) < 1
        # All have gone, and so has what they held.
        for sock in crowd.sockets:
            sock.close()
        wait_until(lambda: meter.value("hostmeter_page_memory_bytes") == 0, 20, "nothing is in use", step=0.5)
        wait_until(lambda: dirty(meter) < before + 3 * MIB, 30, "memory is back", step=0.5)


def test_what_finds_no_room_is_told_when_to_come_again(city):
    with city.meter(config="max-hosts = 10000\npage-memory = 8\n") as meter, Crowded(city.router) as crowd:
        populate(city, meter)
        well = Well(city.router)
        assert well.get()[0] == 200
        slow = crowd.connect("127.0.1.1", b"GET /metrics?fresh=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert slow.recv(12) == b"HTTP/1.1 200"
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > 5.2, 10, "what it reads is too old to be shared")
        status, headers, body = well.get()
        assert (status, headers["Retry-After"], body) == (503, "5", b"too many pages are being read: come again soon\n")
        # It has not read for that long, and others wait now.
        wait_until(lambda: well.get()[0] == 200, 5, "there is room again")
        assert meter.value("hostmeter_pages_refused_total") >= 1
        wait_until(lambda: dropped(meter) == {"idle": 0, "headers": 0, "slow": 1}, 5, "they are counted")


def test_one_client_has_a_quarter(city):
    with city.meter() as meter, Crowded(city.router) as crowd:
        for _ in range(QUARTER + 4):
            try:
                crowd.connect("127.0.1.1", b"GET /metr")
            except ConnectionError:  # closed while it spoke
                pass
        wait_until(lambda: sum(map(is_closed, crowd.sockets)) == 4, what="those beyond the share are closed")
        # A page may be shared for a moment. That connection of the UNIX socket which asks is counted, too.
        wait_until(lambda: meter.value("hostmeter_http_connections_refused_total") == 4, 5, "four were refused")
        assert meter.value("hostmeter_http_connections") == QUARTER + 1
        assert Well(city.router).get("/-/healthy")[0] == 200
        assert sum(map(is_closed, crowd.sockets)) == 4


def test_who_keeps_a_connection_idle_leaves_first(city):
    with city.meter() as meter, Crowded(city.router) as crowd:
        for number in range(CONNECTIONS):
            sock = crowd.connect(f"127.0.1.{number // QUARTER}", b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert sock.recv(12) == b"HTTP/1.1 200"
        well = Well(city.router)
        assert well.get("/-/healthy")[0] == 200
        wait_until(lambda: dropped(meter) == {"idle": 1, "headers": 0, "slow": 0}, 5, "one has left")
        assert max(well.seconds) < 2
        wait_until(lambda: (crowd.sockets[0].setblocking(True), crowd.sockets[0].recv(4096))[1] == b"", 2, "the first has left")


def fill(crowd, said):
    for number in range(CONNECTIONS):
        crowd.connect(f"127.0.1.{number // QUARTER}", said)


def test_half_requests_leave_when_others_wait(city):
    with city.meter() as meter, Crowded(city.router) as crowd:
        fill(crowd, b"GET /metrics HTTP/1.1\r\nHost: loc")
        wait_until(lambda: meter.value("hostmeter_http_connections") == CONNECTIONS + 1, what="all places are taken")
        began = time.monotonic()
        while time.monotonic() < began + 2:  # bytes now and then keep no place
            for sock in crowd.sockets:
                sock.send(b"a")
            time.sleep(0.5)
        assert not any(map(is_closed, crowd.sockets))
        assert Well(city.router).get("/-/healthy")[0] == 200
        assert time.monotonic() - began < 6.5
        # One left for whoever waited; the others stay until somebody waits again, or their time is over.
        wait_until(lambda: any(map(is_closed, crowd.sockets)), 2, "one has left")
        gone = dropped(meter)
        assert 1 <= gone["headers"] <= CONNECTIONS and gone["idle"] == gone["slow"] == 0


def test_half_handshakes_leave_when_others_wait(city):
    certificates = Certificates(city)
    with city.meter("--web.config.file", certificates.write()) as meter, Crowded(city.router) as crowd:
        fill(crowd, bytes.fromhex("160301020001"))  # the beginning of a ClientHello
        wait_until(lambda: meter.value("hostmeter_http_connections") == CONNECTIONS + 1, what="all places are taken")
        began = time.monotonic()
        assert curl(city)[1] == 200
        assert time.monotonic() - began < 6.5
        # One left for whoever waited; the others stay until somebody waits again, or their time is over.
        wait_until(lambda: any(map(is_closed, crowd.sockets)), 2, "one has left")
        gone = dropped(meter)
        assert 1 <= gone["headers"] <= CONNECTIONS and gone["idle"] == gone["slow"] == 0
