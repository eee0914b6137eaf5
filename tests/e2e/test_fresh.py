# SPDX-License-Identifier: GPL-2.0-or-later
"""Who asks for the metrics gets what has been counted by then: not what the last dump found."""

import threading
import time

import pytest
from lab import conntrack_list, host_sums, talk, udp, wait_until


def first_dump(meter):
    wait_until(lambda: meter.value("hostmeter_dumps_total"), what="the first dump")
    no_page()


def no_page():
    """A page that was just made is shared for a tenth of a second; then there is none."""
    asked = time.monotonic()
    wait_until(lambda: time.monotonic() - asked > 0.11, what="the page is out of date", step=0.01)


@pytest.mark.parametrize("rules", [True, False])
def test_a_finished_download_is_counted_at_once(lab, traffic, rules):
    """Its connections are closed, and in TIME_WAIT; no other dump would come for ten minutes."""
    if rules:
        lab.load_rules()
    with lab.meter("--dump-interval", "600", config=lab.names()) as meter:
        first_dump(meter)
        for ask in meter.once, lambda: lab.router.output("curl", "-sS", "http://127.0.0.1:10060/metrics"):
            for ipv in 4, 6:
                traffic.http(lab.hosts[0], ipv)
            lab.quiet()
            assert meter.hosts(ask()) == host_sums(lab, conntrack_list(lab.router))


def test_a_flow_of_this_moment_is_counted_at_once(lab):
    """Its first packet is in a batch that the kernel still holds back."""
    lab.load_rules()
    server = udp(lab.inet, lab.server_v4, 9)
    with lab.meter("--dump-interval", "600", config=lab.names()) as meter:
        first_dump(meter)
        for number in range(1, 6):
            talk(udp(lab["laptop"], lab.hosts[1].v4), server, (lab.server_v4, 9), 100, 300)
            counts = meter.hosts(meter.once())
            no_page()
            assert counts["laptop", 4, "in"].bytes == number * 328 and counts["laptop", 4, "out"].bytes == number * 128
        assert meter.attributed() == {"nflog": 5}


def test_questions_share_dumps_within_the_share(lab):
    """A dump of these flows costs at least half of a millisecond, and 0.1 % of a core is to be spent: at most two a second."""
    lab.load_rules()
    server = udp(lab.inet, lab.server_v4, 9)
    socks = [udp(lab["laptop"], lab.hosts[1].v4, 20000 + i) for i in range(300)]
    with lab.meter("--dump-interval", "600", "--dump-share", "0.1", config=lab.names()) as meter:
        first_dump(meter)
        for sock in socks:
            talk(sock, server, (lab.server_v4, 9))
        wait_until(lambda: meter.value("hostmeter_flows") >= len(socks), 30, "all flows are known")
        answers, worst = [], []
        before, began = meter.metrics(), time.monotonic()

        def scrape():
            while time.monotonic() < began + 4:
                asked = time.monotonic()
                answers.append(meter.value("hostmeter_dumps_total"))
                worst.append(time.monotonic() - asked)

        clients = [threading.Thread(target=scrape) for _ in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        after, key = meter.metrics(), ("hostmeter_dumps_total", frozenset())
        cost = min(page["hostmeter_dump_cpu_seconds", frozenset()] for page in (before, after))
        assert cost > 0 and len(answers) > 30
        assert after[key] - before[key] <= (time.monotonic() - began) / (cost / 0.001) + 2
        assert max(worst) < 3
        assert after["hostmeter_loop_stall_seconds_max", frozenset()] < 0.5


def test_a_client_that_leaves_while_it_waits(lab):
    with lab.meter("--dump-interval", "600", config=lab.names()) as meter:
        first_dump(meter)
        for _ in range(40):
            lab.router.run("timeout", "0.01", "curl", "-sS", "http://127.0.0.1:10060/metrics", check=False)
        assert meter.value("hostmeter_dumps_total") > 1
        assert meter.stop() == 0


def test_a_meter_that_ends_while_somebody_waits(lab):
    with lab.meter("--dump-interval", "600", config=lab.names()) as meter:
        first_dump(meter)
        clients = [lab.router.spawn("curl", "-sS", "-o", "/dev/null", "http://127.0.0.1:10060/metrics") for _ in range(8)]
        assert meter.stop() == 0
        for client in clients:
            client.wait()
