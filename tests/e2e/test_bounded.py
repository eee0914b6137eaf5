# SPDX-License-Identifier: GPL-2.0-or-later
"""However many hosts somebody makes up: there are so many series and no more, and no byte is lost."""

import re
import signal
from pathlib import Path

import pytest
from lab import PROGRAM, Count, Crowd, Truth, add_counts, counts_of, packet, talk, udp, wait_until

HOSTS, FLOWS, MAX_HOSTS = 20_000, 20_000, 16
# 10,000 hosts more would take twice as much.
ROOM_KIB = 6144
SPECIAL = "other", "unknown", "router"


def resident_kib(process):
    return int(re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{process.pid}/status").read_text()).group(1))


def sums(counts):
    """{(ipv, direction): Count} over all hosts."""
    total = {}
    for (_, ipv, way), count in counts.items():
        total[ipv, way] = total.get((ipv, way), Count()) + count
    return total


def never_fell(before, after):
    return all(after.get(key, Count()).bytes >= count.bytes and after.get(key, Count()).packets >= count.packets
               for key, count in before.items())


@pytest.fixture
def flooded():
    """A LAN whose packets nobody answers: the router's own neighbour table would fill up otherwise."""
    with Crowd(10) as crowd:
        crowd.load_rules()
        crowd.reflect("--reply-packets", "0")
        yield crowd


def flood(crowd, meter, count):
    """Flows of so many hosts; the sums are watched meanwhile. The generator's counts."""
    before = sums(meter.hosts())
    run = crowd.start("--flows", FLOWS, "--rate", 20_000, "--seed", count, count=count)
    while run.running():
        now = sums(meter.hosts())
        assert never_fell(before, now)
        before = now
    truth = counts_of(run.result(deadline=30))
    assert never_fell(before, sums(crowd.settled(meter)))
    wait_until(lambda: not any(meter.value(f"hostmeter_{what}") for what in ("flows", "pending_ends")),
               what="what was kept for the flows is gone")
    return truth


def test_flood_of_macs_folds_into_other(flooded):
    with flooded.meter(config=f"max-hosts = {MAX_HOSTS}\n") as meter:
        first = flood(flooded, meter, HOSTS // 2)
        size = resident_kib(meter.process)
        truth = add_counts(first, flood(flooded, meter, HOSTS))
        # The same number of flows, so all that could have grown is what is kept of hosts.
        assert resident_kib(meter.process) - size < ROOM_KIB

        metered = meter.hosts()
        assert sums(metered) == sums(truth)
        hosts = {host for host, _, _ in metered} - {"other"}
        assert len(hosts) == MAX_HOSTS
        assert all(truth[key] == count for key, count in metered.items() if key[0] != "other")
        series = [labels for name, labels in meter.metrics() if name == "host_bytes_total"]
        assert len(series) <= (MAX_HOSTS + len(SPECIAL)) * 4
        assert meter.value("hostmeter_hosts_folded_total") >= HOSTS - MAX_HOSTS


def test_host_that_was_not_seen_for_long_folds_into_other(lab, rules):
    desktop, truth = lab.hosts[0], Truth()
    server = udp(lab.inet, lab.server_v4, 7)
    with lab.meter(config="forget-after = 2\n" + lab.names()) as meter:
        truth.asked("other", 4, talk(udp(lab[desktop.name], desktop.v4), server, (lab.server_v4, 7)))
        lab.quiet()
        lab.router.run("conntrack", "-F")
        wait_until(lambda: meter.hosts() == truth, what="the host is one of the others")
        truth.asked(desktop, 4, talk(udp(lab[desktop.name], desktop.v4), server, (lab.server_v4, 7)))
        lab.router.run("conntrack", "-F")
        assert wait_until(lambda: meter.hosts() == truth, what="it is back, and begins anew")


PLACES, MADE_UP, SIZE = 20, 3000, 100


def make_up(lab, first, count):
    """Each datagram from a MAC of its own, from where the laptop is; nobody answers them. Their Count."""
    to = re.search(r"link/ether (\S+)", lab.router.output("ip", "link", "show", lab.lan))[1]
    packet.send_frames(lab["laptop"], "eth0", (
        (to, f"02:66:00:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}",
         packet.udp(f"192.168.77.{100 + i % 100}", lab.server_v4, 1024 + i, 9, SIZE))
        for i in range(first, first + count)))
    return Count(count * (SIZE + 28), count)


def series(meter):
    return {dict(labels)["host"] for name, labels in meter.metrics() if name == "host_bytes_total"} - set(SPECIAL)


def test_made_up_macs_take_no_place_from_a_host(lab):
    """
    A host from before the flood, one that comes in its midst, one that is configured: the bytes of each are exact, and
    so is the sum. A restart brings none of the others back, and when they were silent for a while they are gone.
    """
    lab.load_rules()
    desktop, laptop, phone = lab.hosts
    truth, flood = Truth(), Count()
    server, sink = udp(lab.inet, lab.server_v4, 7), udp(lab.inet, lab.server_v4, 9)
    config = f"max-hosts = {PLACES}\nforget-unanswered = 5\n" + lab.names([laptop])

    def talks(host):
        truth.asked(host if host is laptop else host.mac, 4, talk(udp(lab[host.name], host.v4), server, (lab.server_v4, 7)))

    def sum_is_exact():
        whole = sums(truth)
        whole[4, "out"] = whole.get((4, "out"), Count()) + flood
        return sums(meter.hosts()) == whole

    def hosts_are_exact():
        counts = meter.hosts()
        return all(counts.get(key) == count for key, count in truth.items())

    with sink, lab.meter(config=config) as meter:
        talks(desktop)
        flood += make_up(lab, 0, MADE_UP // 2)
        wait_until(lambda: meter.value("hostmeter_hosts") == PLACES, what="all places are taken")
        for host in phone, laptop:
            talks(host)
        flood += make_up(lab, MADE_UP // 2, MADE_UP // 2)
        lab.router.run("conntrack", "-F")
        wait_until(lambda: sum_is_exact() and hosts_are_exact(), what="the counts are exact")
        assert len(series(meter)) <= PLACES + 1
        assert meter.value("hostmeter_hosts_left_total", reason="unanswered") >= 1
        check = lab.router.run(PROGRAM, *meter.argv[1:], "--check", check=False).stdout
        assert re.search(rf"somebody on {lab.lan} makes up MAC addresses: \d+ of {PLACES} hosts never got a reply, and all", check), check
        assert "max-hosts = " not in check

        for signo in signal.SIGKILL, signal.SIGTERM:
            meter.stop(signo)
            meter.start()
            assert sum_is_exact() and hosts_are_exact()
            assert len(series(meter)) <= PLACES + 1
        wait_until(lambda: series(meter) == {desktop.mac, phone.mac, laptop.name}, what="they were silent for a while")
        assert sum_is_exact() and hosts_are_exact()
        assert meter.hosts()["other", 4, "out"] == flood
        for signo in signal.SIGKILL, signal.SIGTERM:
            meter.stop(signo)
            meter.start()
            assert series(meter) == {desktop.mac, phone.mac, laptop.name}
            assert sum_is_exact() and hosts_are_exact()
        for host in lab.hosts:
            talks(host)
        lab.router.run("conntrack", "-F")
        wait_until(lambda: sum_is_exact() and hosts_are_exact(), what="the counts go on")
