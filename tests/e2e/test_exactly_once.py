# SPDX-License-Identifier: GPL-2.0-or-later
"""
No byte lost, none counted twice: what the meter has for each host, family and direction is what the generator itself
sent and got, whatever happens to the meter's sockets, to the kernel's counters and beside it.
"""

import signal
import threading
import time
from pathlib import Path

import pytest
from lab import Count, Crowd, add_counts, conntrack_list, counts_of, wait_until

FLOWS = 200_000


class Scraper(threading.Thread):
    """Asks for the metrics many times a second, and keeps how long each answer took."""

    def __init__(self, meter):
        super().__init__()
        self.meter, self.times, self.over = meter, [], threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            began = time.monotonic()
            self.meter.get("/metrics?fresh=0")  # which waits for nothing but the loop
            self.times.append(time.monotonic() - began)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def test_full_speed_and_a_small_buffer(crowd):
    """
    Flows begin as fast as the generator can make them and end about as fast, and the meter has room
    for a dozen events. All the while every answer is quick.
    """
    crowd.load_rules()
    with crowd.meter(config="event-buffer = 8192\n") as meter:
        assert meter.value("hostmeter_receive_buffer_bytes", source="events") <= 2 * 8192
        with Scraper(meter) as scraper:
            truth = counts_of(crowd.generate("--flows", FLOWS, "--rate", 0))
            assert crowd.live() == FLOWS
            crowd.end_one_by_one()
            # What found the buffer full the kernel tells again, a thousand or so in a second.
            crowd.drained(deadline=200)
        assert meter.steady() == truth
        assert sum(count.packets for (_, _, way), count in truth.items() if way == "out") == FLOWS
        assert len(truth) == 4 * crowd.count
        assert meter.value("hostmeter_overruns_total", source="events") > 0, "the buffer was no test"
        # On a machine that is busy with other things one answer in a hundred may have to wait for a processor.
        times = sorted(scraper.times)
        print(f"{len(times)} answers, the slowest after {times[-1]:.3f} s; the longest turn of the loop took "
              f"{meter.value('hostmeter_loop_stall_seconds_max'):.3f} s")
        assert len(times) > 50 and times[len(times) * 99 // 100 - 1] < 0.1


def times_waited(pid):
    """How often a process went to sleep because it had nothing to do."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["voluntary_ctxt_switches"])


def test_flows_that_time_out(crowd):
    """
    The same with flows that end by themselves while others begin, and the buffer that the meter has by default. A wake-up
    costs as much as several events, so it takes many at a time.
    """
    crowd.load_rules()
    crowd.router.sysctl(netfilter__nf_conntrack_udp_timeout=1, netfilter__nf_conntrack_udp_timeout_stream=1)
    with crowd.meter() as meter:
        waited, began = times_waited(meter.process.pid), time.monotonic()
        truth = counts_of(crowd.generate("--flows", 60_000, "--rate", 20_000))
        assert crowd.live() < 50_000, "hardly a flow has ended"
        assert crowd.settled(meter) == truth
        waited, seconds = times_waited(meter.process.pid) - waited, time.monotonic() - began
        print(f"60,000 flows in {waited} waits, {seconds:.1f} s")
        # Two sockets of 10 ms each, and what else there is to do.
        assert waited < 250 * seconds + 100


def test_stopped_for_three_seconds(crowd):
    """More flows begin and end meanwhile than the buffer has room for; the kernel keeps their ends."""
    crowd.load_rules()
    with crowd.meter() as meter:
        def flows(seed):
            return counts_of(crowd.generate("--flows", 60_000, "--rate", 40_000, "--seed", seed))

        truth = flows(1)
        meter.process.send(signal.SIGSTOP)
        stopped = time.monotonic()
        truth = add_counts(truth, flows(2))
        crowd.flush()
        wait_until(lambda: time.monotonic() - stopped > 3, what="three seconds are over")
        assert crowd.live() > 60_000, "the buffer had room for all"
        meter.process.send(signal.SIGCONT)
        truth = add_counts(truth, flows(3))
        assert crowd.settled(meter) == truth
        assert meter.value("hostmeter_overruns_total", source="events") > 0
        assert meter.value("hostmeter_reliable_switched_off_total") == 0


@pytest.mark.parametrize("proto,packets", [("icmp", 3), ("tcp", 3)])
def test_other_protocols(crowd, proto, packets):
    crowd.load_rules()
    with crowd.meter(config="event-buffer = 8192\n") as meter:
        truth = counts_of(crowd.generate("--proto", proto, "--flows", 1000, "--packets", packets, "--rate", 10000))
        assert crowd.settled(meter) == truth
        assert len(truth) == 4 * crowd.count


# --- Older than the meter

def test_flows_older_than_the_meter(crowd):
    """What they had before is not the meter's to count, and all that they have after it is, once."""
    crowd.load_rules()
    flows = "--flows", 2000, "--packets", 3, "--rate", 0
    crowd.generate(*flows)
    assert crowd.live() == 2000
    with crowd.meter() as meter:
        wait_until(lambda: meter.value("hostmeter_ready"), what="the first dump is in")
        assert meter.value("hostmeter_flows_baselined_total") == 2000 and not meter.hosts()
        truth = counts_of(crowd.generate(*flows))
        wait_until(lambda: meter.hosts() == truth, what="a dump brings what is new")
        assert crowd.settled(meter) == truth


@pytest.mark.alone
def test_flows_without_counters():
    """Born before the kernel counted: it tells no bytes of them, and the meter tells how many there are."""
    with Crowd(acct=0) as crowd:
        crowd.generate("--flows", 1000, "--rate", 0)
        crowd.router.sysctl(netfilter__nf_conntrack_acct=1)
        with crowd.meter() as meter:
            wait_until(lambda: meter.value("hostmeter_flows_without_counters") == 1000, what="they are seen")
            truth = counts_of(crowd.generate("--flows", 1000, "--rate", 0, "--seed", 1))
            assert crowd.settled(meter) == truth
            assert meter.value("hostmeter_flows_without_counters") == 0
            assert meter.value("hostmeter_flows_ended_uncounted_total") == 1000


@pytest.mark.alone
def test_flows_whose_end_is_not_told():
    """
    With nf_conntrack_events=2 the kernel never tells the end of a flow that was born while nobody listened (in any
    namespace of the machine: there, a flow may be told after all). What dumps showed of it is counted; and whoever
    is born later is told of, and exact.
    """
    with Crowd(events=2) as crowd:
        crowd.load_rules()
        flows = "--flows", 1000, "--packets", 2, "--rate", 0
        crowd.generate(*flows)
        with crowd.meter() as meter:
            assert "nf_conntrack_events=1" in meter.log()
            wait_until(lambda: meter.value("hostmeter_ready"), what="the first dump is in")
            truth = counts_of(crowd.generate(*flows))
            wait_until(lambda: meter.hosts() == truth, what="a dump brings what is new")
            assert crowd.settled(meter) == truth
            told = meter.value("hostmeter_flow_ends_total")
            assert told in (0, 1000)
            truth = add_counts(truth, counts_of(crowd.generate(*flows, "--seed", 1)))
            assert crowd.settled(meter) == truth
            assert meter.value("hostmeter_flow_ends_total") == told + 1000
            # Who is not told of is settled when it has been missing for a minute.
            assert meter.value("hostmeter_flows") == 1000 - told


# --- Somebody beside it

def zero(crowd):
    for family in "ipv4", "ipv6":
        crowd.router.run("conntrack", "-L", "-z", "-f", family)


def test_zeroed_between_two_readings(crowd):
    """A counter that fell is somebody's zeroing: all that it has is new."""
    crowd.load_rules()
    flows = "--flows", 1000, "--rate", 0
    with crowd.meter() as meter:
        truth = counts_of(crowd.generate(*flows, "--packets", 5))
        wait_until(lambda: meter.hosts() == truth, what="a dump brings all")
        zero(crowd)
        truth = add_counts(truth, counts_of(crowd.generate(*flows, "--packets", 2)))
        wait_until(lambda: meter.hosts() == truth, what="a dump brings what is new")
        assert meter.value("hostmeter_resets_total") == 1000
        zero(crowd)
        wait_until(lambda: meter.value("hostmeter_resets_total") == 2000, what="a dump reads the zeros")
        assert crowd.settled(meter) == truth


def test_zeroed_all_the_time(crowd):
    """
    conntrack -L -z takes away whatever a flow counted since the meter read it last, and nobody can give it back. What
    it did not take is what the flows still have at their end, and that is the bound: the meter has that at the least,
    and never more than there was.
    """
    crowd.load_rules()
    with crowd.meter() as meter:
        zeroing = crowd.router.spawn("sh", "-c", "while conntrack -L -z -f ipv4 && conntrack -L -z -f ipv6; do :; done")
        # Ten dumps, so that the meter comes first now and then for each host.
        report = crowd.generate("--flows", 500, "--packets", 600, "--concurrent", "--rate", 30_000)
        zeroing.kill()
        left = crowd.sums(report, conntrack_list(crowd.router))
        metered, truth = crowd.settled(meter), counts_of(report)
        assert set(metered) == set(truth)
        for key, count in truth.items():
            at_end = left.get(key, Count())
            assert at_end.bytes <= metered[key].bytes <= count.bytes, key
            assert at_end.packets <= metered[key].packets <= count.packets, key
        assert meter.value("hostmeter_resets_total") > 0, "nothing was zeroed"


STUCK = """
import signal, socket
listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
listener.bind((0, 0))
listener.setsockopt(270, 4, 1)  # SOL_NETLINK, NETLINK_BROADCAST_ERROR
listener.setsockopt(270, 1, 3)  # NETLINK_ADD_MEMBERSHIP, NFNLGRP_CONNTRACK_DESTROY
print("stuck", flush=True)
signal.pause()
"""


def test_another_reliable_listener_is_stuck(crowd):
    """The kernel tells each end again, to everybody, until that one has taken it."""
    crowd.load_rules()
    with crowd.meter() as meter:
        stuck = crowd.router.spawn("/usr/bin/python3", "-c", STUCK)
        wait_until(lambda: "stuck" in stuck.output(), what="it listens")
        truth = counts_of(crowd.generate("--flows", 2000, "--packets", 2, "--rate", 0))
        crowd.flush()
        wait_until(lambda: meter.value("hostmeter_duplicates_total") > 400, deadline=20, what="ends are told again")
        # Whatever waits its turn in the kernel is told when the way is free.
        assert crowd.live() > 0
        stuck.kill()
        assert crowd.settled(meter) == truth


# --- Dumps

def test_dumps_take_no_more_than_their_share(crowd):
    crowd.generate("--flows", 50_000, "--rate", 0)
    with crowd.meter("--dump-share", "0.1") as meter:
        interval = wait_until(lambda: meter.value("hostmeter_last_dump_duration_seconds") and
                              meter.value("hostmeter_dump_interval_seconds"), what="the first dump")
        assert interval > 10
        assert interval == pytest.approx(meter.value("hostmeter_dump_cpu_seconds") * 100 / 0.1, rel=0.01)
        dumps = meter.value("hostmeter_dumps_total")
        # Asking does not hurry it.
        end = time.monotonic() + 2
        wait_until(lambda: meter.metrics() and time.monotonic() > end)
        assert meter.value("hostmeter_dumps_total") == dumps == 1
