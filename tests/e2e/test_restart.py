# SPDX-License-Identifier: GPL-2.0-or-later
"""A meter that ends, by signal or by murder, and starts again: flows that lived through it lose and repeat nothing."""

import signal

import pytest
from lab import PROGRAM, Count, add_counts, counts_of, wait_until

BULK = "--flows", 500, "--packets", 180, "--concurrent", "--rate", 20_000


def checkpoint(meter):
    return meter.directory / "run" / "checkpoint"


def counters(meter):
    """Every host counter that Prometheus sees."""
    return {key: value for key, value in meter.metrics().items() if key[0].startswith("host_") and "_total" in key[0]}


def restart(meter, signo, deaths=1):
    """Ends it and starts it again, several times in a row if asked to; no counter may have fallen then."""
    before = counters(meter)
    for _ in range(deaths):
        assert meter.stop(signo) == (0 if signo == signal.SIGTERM else -signo)
        meter.start()
        after = counters(meter)
        fell = {key: (value, after.get(key)) for key, value in before.items() if after.get(key, -1) < value}
        assert not fell
        before = after


@pytest.mark.parametrize("signo", [signal.SIGKILL, signal.SIGTERM])
def test_flows_that_live_through_it(crowd, signo):
    """A bulk transfer goes on while the meter ends three times, the last time as soon as it answers again."""
    crowd.load_rules()
    with crowd.meter() as meter:
        run = crowd.start(*BULK)
        for share in 0.05, 0.2:
            goal = sum(count.packets for count in meter.hosts().values()) + share * 90_000
            wait_until(lambda: sum(count.packets for count in meter.hosts().values()) >= goal, what="it counts on")
            restart(meter, signo)
        restart(meter, signo, deaths=3)
        assert run.running(), "the transfer was over too soon"
        truth = counts_of(run.result())
        wait_until(lambda: meter.hosts() == truth, what="a dump brings all")
        restart(meter, signo, deaths=2)
        assert meter.hosts() == truth
        assert crowd.settled(meter) == truth


def test_killed_in_the_middle_of_a_dump(crowd):
    """A dump of many flows takes a while; what somebody was shown meanwhile is in no checkpoint, and must not fall."""
    crowd.load_rules()
    with crowd.meter("--dump-share", "100") as meter:
        run = crowd.start("--flows", 50_000, "--packets", 5, "--concurrent", "--rate", 60_000)
        for _ in range(3):
            shown = counters(meter)
            # Flows that live are counted by dumps alone: when it moves, one is under way.
            wait_until(lambda: counters(meter) != shown, what="a dump", step=0)
            restart(meter, signal.SIGKILL)
        truth = counts_of(run.result())
        assert crowd.settled(meter) == truth


@pytest.mark.parametrize("signo", [signal.SIGKILL, signal.SIGTERM])
def test_flows_that_end_around_it(crowd, signo):
    """
    What ended while a meter ran is kept, though nobody was shown it and no dump came since; what lived on is counted
    on. What began and ended while none ran is all that may be missing, and here it is.
    """
    crowd.load_rules()

    def flows(seed):
        return counts_of(crowd.generate("--flows", 3000, "--packets", 2, "--rate", 30_000, "--seed", seed))

    with crowd.meter("--dump-interval", "60") as meter:
        wait_until(lambda: meter.value("hostmeter_ready"), what="the first dump is in")
        # Asking makes it dump once more, before it answers. From here on nobody asks.
        last, dumps = checkpoint(meter).stat().st_ino, meter.value("hostmeter_dumps_total")
        wait_until(lambda: meter.value("hostmeter_dumps_total") > dumps, what="asking made it dump")
        wait_until(lambda: checkpoint(meter).stat().st_ino != last, what="the last checkpoint before the end")
        ended_before = flows(1)
        crowd.drained()
        wait_until(crowd.heard, what="the meter has read every end")
        meter.stop(signo)
        unseen = flows(2)
        crowd.drained()
        assert unseen
        born_between = flows(3)
        meter.start()
        wait_until(lambda: meter.hosts() == add_counts(ended_before, born_between), what="the first dump is in")
        born_after = flows(4)
        assert crowd.settled(meter) == add_counts(ended_before, born_between, born_after)


def test_killed_in_the_middle_of_short_flows(crowd):
    """
    Flows end all the time, so some end while no meter runs. What those had is all that may be missing: of every end
    that a meter had read, the bytes are there.
    """
    crowd.load_rules()
    # A second is longer than a first packet's way to the meter: no end waits for one.
    crowd.router.sysctl(netfilter__nf_conntrack_udp_timeout=1, netfilter__nf_conntrack_udp_timeout_stream=1)
    first, later = 14_000, 4_000
    with crowd.meter() as meter:
        run = crowd.start("--flows", first, "--packets", 2, "--rate", 4000)
        read = wait_until(lambda: (meter.value("hostmeter_flow_ends_total") or 0) > 4000 and
                          meter.value("hostmeter_flow_ends_total"), what="flows end")
        restart(meter, signal.SIGKILL)
        assert run.running()
        truth = add_counts(counts_of(run.result()),
                           counts_of(crowd.generate("--flows", later, "--packets", 2, "--rate", 4000, "--seed", 1)))
        metered = crowd.settled(meter)
        read_after = meter.value("hostmeter_flow_ends_total")
        unread = first + later - read - read_after
        # How many end unread is the machine's affair: it depends on how long a start takes. The bound below says
        # something because what was read before and after is known to be much.
        assert unread >= 0 and read > 4000 and read_after >= later
        lost = {key: count - metered.get(key, Count()) for key, count in truth.items()}
        assert set(metered) <= set(truth)
        assert all(count.bytes >= 0 and count.packets >= 0 for count in lost.values()), "counted twice"
        # Two packets of 100 bytes each way.
        print(f"{unread:.0f} ends unread, {sum(count.packets for count in lost.values()) / 4:.0f} flows missing")
        assert sum(count.packets for count in lost.values()) <= 4 * unread
        assert sum(count.bytes for count in lost.values()) <= 400 * unread


# --- Checkpoints that are damaged

def old_checkpoint(meter):
    return checkpoint(meter).with_suffix(".old")


@pytest.fixture
def saved(crowd):
    """A meter that has ended, its checkpoint, and what it had counted."""
    crowd.load_rules()
    meter = crowd.meter()
    with meter:
        truth = counts_of(crowd.generate("--flows", 1000, "--packets", 2, "--rate", 0))
        wait_until(lambda: meter.hosts() == truth, what="a dump brings all")
        assert meter.stop() == 0
        yield meter, checkpoint(meter).read_bytes(), truth


DAMAGE = {
    "empty": lambda whole: b"",
    "foreign": lambda whole: b"SQLite format 3\0" + bytes(2000),
    "text": lambda whole: b"nothing to see here\n",
    "one bit": lambda whole: whole[:500] + bytes([whole[500] ^ 1]) + whole[501:],
    "cut in the flows": lambda whole: whole[:1000],
    "another version": lambda whole: b"hostmet9" + whole[8:],
}


def start_with(meter, damaged):
    """Starts the meter with a damaged checkpoint, which is put aside, as it was, with one warning that it returns."""
    checkpoint(meter).write_bytes(damaged)
    meter.start()
    warnings = [line for line in meter.log().splitlines() if "checkpoint" in line]
    assert len(warnings) == 1 and "checkpoint.bad" in warnings[0], meter.log()
    assert checkpoint(meter).with_suffix(".bad").read_bytes() == damaged
    return warnings[0]


def test_damaged_checkpoint(crowd, saved):
    """The one before it has all counts. Where there is none, the meter starts anew if the totals are damaged too."""
    meter, whole, truth = saved
    old = old_checkpoint(meter).read_bytes()
    for name, damage in DAMAGE.items():
        old_checkpoint(meter).write_bytes(old)
        start_with(meter, damage(whole))
        assert meter.hosts() == truth, (name, meter.log())
        assert meter.value("hostmeter_checkpoint_damages_total") >= 1, name
        meter.stop(signal.SIGKILL)
        # What was restored was saved at once, so the damage is told once.
        meter.start()
        assert meter.hosts() == truth, (name, meter.log())
        assert "checkpoint" not in meter.log()
        assert meter.value("hostmeter_checkpoint_damages_total") == 0, name
        meter.stop(signal.SIGKILL)
    for name, damage in DAMAGE.items():
        old_checkpoint(meter).unlink(missing_ok=True)
        line = start_with(meter, damage(whole))
        if name == "one bit":
            assert meter.hosts() == truth and "its totals go on" in line, meter.log()
        else:
            assert not meter.hosts() and "counts start anew" in line, (name, meter.log())
        meter.stop(signal.SIGKILL)
    # No good one was saved meanwhile: what lives is older than the meter, and from here on all is counted.
    checkpoint(meter).unlink(missing_ok=True)
    old_checkpoint(meter).unlink(missing_ok=True)
    meter.start()
    wait_until(lambda: meter.value("hostmeter_flows_baselined_total") == 1000, what="the first dump is in")
    truth = counts_of(crowd.generate("--flows", 1000, "--packets", 2, "--rate", 0, "--seed", 1))
    assert crowd.settled(meter) == truth
    restart(meter, signal.SIGKILL)
    assert meter.hosts() == truth


def test_checkpoint_that_a_kill_cut(saved):
    """Half a blob at the end was being written when the meter was killed: the rest is good, and the log says so."""
    meter, whole, truth = saved
    assert "no count is lost" in start_with(meter, whole + b"\x40\0\0\0\1\2\3")
    assert meter.hosts() == truth


def test_damaged_journal(crowd):
    """Ends of connections that the journal lost: their counts are missing, and that is said. All others are there."""
    crowd.load_rules()
    crowd.router.sysctl(netfilter__nf_conntrack_udp_timeout=1, netfilter__nf_conntrack_udp_timeout_stream=1)
    meter = crowd.meter("--dump-interval", "60")
    with meter:
        wait_until(lambda: meter.value("hostmeter_ready") and old_checkpoint(meter).exists(), what="two checkpoints")
        counts = []
        for seed in 1, 2:
            counts.append(counts_of(crowd.generate("--flows", 300, "--packets", 2, "--rate", 0, "--seed", seed)))
            crowd.drained()
            wait_until(crowd.heard, what="the meter has read every end")
        meter.stop(signal.SIGKILL)
        truth = add_counts(*counts)
        whole, old = checkpoint(meter).read_bytes(), old_checkpoint(meter).read_bytes()
        for damaged in whole[:-3] + bytes([whole[-3] ^ 16]) + whole[-2:], whole[:-100]:
            old_checkpoint(meter).write_bytes(old)
            assert "of the journal" in start_with(meter, damaged) and "are missing" in meter.log()
            wait_until(lambda: meter.value("hostmeter_ready"), what="the first dump is in")
            metered = meter.hosts()
            assert all(metered[key].bytes <= truth[key].bytes for key in metered) and metered != truth
            assert all(metered[key].bytes >= count.bytes for key, count in counts[0].items()), "more is lost than said"
            assert meter.value("hostmeter_checkpoint_damages_total") >= 1
            checked = meter.node.run(PROGRAM, *meter.argv[1:], "--check", check=False).stdout
            assert "damaged or missing" in checked, checked
            meter.stop(signal.SIGKILL)


def test_runtime_directory_that_cannot_be_written(crowd):
    """It is said once and counted, and metering goes on."""
    crowd.load_rules()
    meter = crowd.meter()
    (meter.directory / "run" / "checkpoint.new").mkdir()
    with meter:
        truth = counts_of(crowd.generate("--flows", 1000, "--rate", 0))
        assert crowd.settled(meter) == truth
        wait_until(lambda: meter.value("hostmeter_checkpoint_failures_total") > 1, what="it fails again")
        told = [line for line in meter.log().splitlines() if "restart would lose" in line]
        assert len(told) == 1
