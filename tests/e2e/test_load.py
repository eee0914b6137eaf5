# SPDX-License-Identifier: GPL-2.0-or-later
"""
The worst day of an exporter: ten thousand hosts, eight clients that ask for them all at once and without end, others that ask
and do not listen or do not finish asking, and twenty thousand flows a second beside it.
"""

import os
import socket
import time
from pathlib import Path

import pytest
from lab import Crowd, add_counts, counts_of, wait_until

HOSTS = 10_000
CONNECTIONS = 32
PORT = 10060


class City(Crowd):
    """As many hosts as ask and get no answer: the router need not know where they live."""

    def __init__(self):
        super().__init__(HOSTS)

    def _introduce(self):
        self.reflect("--reply-packets", 0)


@pytest.fixture
def city():
    with City() as network:
        yield network


class Rude:
    """Connections that take a place and give nothing for it."""

    def __init__(self, node):
        self.node, self.sockets = node, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in self.sockets:
            sock.close()

    def connect(self, said):
        sock = self.node.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # Of several clients: one alone gets no more than a quarter of the places.
        sock.bind((f"127.0.1.{len(self.sockets) % 5}", 0))
        sock.connect(("127.0.0.1", PORT))
        sock.sendall(said)
        self.sockets.append(sock)

    def slow_reader(self):
        self.connect(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def half_a_request(self):
        self.connect(b"GET /metrics HTTP/1.1\r\nHost: loc")

    def silent(self):
        self.connect(b"")


def scraping(city, encoding):
    """One after the other, until it is stopped; prints a line for each page: status, bytes, seconds."""
    loop = ("while :; do curl -sS -o /dev/null --max-time 30 -H 'Accept-Encoding: " + encoding + "' "
            f"-w '%{{http_code}} %{{size_download}} %{{time_total}}\\n' http://127.0.0.1:{PORT}/metrics || exit 1; done")
    return city.router.spawn("sh", "-c", loop)


def pages(client):
    return [line.split() for line in client.output().splitlines()]


def prefer(process):
    """Nice=-10, as in the unit of the README: a dozen others want the two processors. A user namespace may not."""
    try:
        os.setpriority(os.PRIO_PROCESS, process.pid, -10)
    except PermissionError:
        pass


def scheduled(process):
    """(seconds on a processor, seconds of waiting for one) so far: what the kernel's scheduler says."""
    ran, waited = Path(f"/proc/{process.pid}/schedstat").read_text().split()[:2]
    return int(ran) / 1e9, int(waited) / 1e9


def worst_day(city):
    """
    What it comes to; the seconds of the loop's longest turn, less the part of them for which the meter waited for a
    processor: as large a part as of the whole day.
    """
    with city.meter(config="max-hosts = 20000\n") as meter:
        prefer(meter.process)
        truth = counts_of(city.generate("--flows", 2 * HOSTS, "--rate", 20_000))
        wait_until(lambda: meter.value("hostmeter_flow_ends_total") >= HOSTS, 60, "hosts are there")
        with Rude(city.router) as rude:
            for act in (rude.slow_reader, rude.half_a_request, rude.silent) * 4:
                act()
            ran, waited = scheduled(meter.process)
            clients = [scraping(city, "gzip" if number % 2 else "identity") for number in range(8)]
            wait_until(lambda: all(pages(client) for client in clients), 60, "each has a page")
            truth = add_counts(truth, counts_of(city.generate("--flows", 60_000, "--rate", 20_000, "--seed", 1)))
            assert all(client.running() for client in clients), [client.output() for client in clients]
            stall = meter.value("hostmeter_loop_stall_seconds_max")
            ran, waited = (now - then for now, then in zip(scheduled(meter.process), (ran, waited)))
            for client in clients:
                client.kill()
        got = [page for client in clients for page in pages(client)]
        print(f"{len(got)} pages, the slowest after {max(float(page[2]) for page in got):.2f} s; "
              f"the longest turn of the loop took {stall:.3f} s; the meter ran {ran:.2f} s and waited {waited:.2f} s; "
              f"overruns {meter.value('hostmeter_overruns_total', source='events'):.0f}")
        assert {page[0] for page in got} == {"200"}
        assert min(int(page[1]) for page in got) > 100 * HOSTS
        assert city.settled(meter) == truth
        assert len(truth) == 2 * HOSTS
        return stall * ran / (ran + waited)


@pytest.mark.alone
def test_everybody_asks_at_once(city):
    """
    A turn is as long as the clock says, so a machine that is busy with other things makes it longer. That is taken off
    on the average; what the meter itself does is in every try, what the machine does is not.
    """
    city.load_rules()
    city.router.sysctl(netfilter__nf_conntrack_udp_timeout=1, netfilter__nf_conntrack_udp_timeout_stream=1)
    stalls = []
    while not stalls or (stalls[-1] >= 0.1 and len(stalls) < 3):
        stalls.append(worst_day(city))
        city.drained()
    assert min(stalls) < 0.1, stalls


@pytest.mark.alone
def test_a_port_full_of_strangers(city):
    """Whoever holds all the places on TCP keeps nobody from the socket, and loses them in time."""
    with city.meter() as meter, Rude(city.router) as rude:
        for _ in range(CONNECTIONS + 4):
            rude.half_a_request()
        assert meter.value("hostmeter_ready") is not None  # by the UNIX socket
        began = time.monotonic()
        wait_until(lambda: city.router.run("curl", "-sS", "-o", "/dev/null", "--max-time", "2",
                                           f"http://127.0.0.1:{PORT}/-/healthy", check=False).returncode == 0,
                   60, "the places are free again")
        assert time.monotonic() - began < 40
