# SPDX-License-Identifier: GPL-2.0-or-later
"""
A meter must never break the router: with reliable delivery the kernel keeps ended flows until the meter has read of
them, so a full table, or a meter that hangs, makes an end of it.

The table's size is the machine's own, and no test changes that: there are as many flows as it takes.
"""

import signal
import subprocess
from pathlib import Path

from lab import add_counts, counts_of, wait_until


def fill(crowd, share, *options):
    """As many new flows as this share of the router's table."""
    return crowd.generate("--flows", int(crowd.flow_limit() * share), "--rate", 0, *options)


def test_off_when_the_table_is_nearly_full_and_on_again(crowd):
    """Off above 90 % and not on again before 70 %."""
    crowd.load_rules()
    with crowd.meter() as meter:
        truth = counts_of(fill(crowd, 0.72, "--families", "4"))
        assert meter.value("hostmeter_reliable") == 1
        truth = add_counts(truth, counts_of(fill(crowd, 0.2, "--families", "6")))
        wait_until(lambda: meter.value("hostmeter_reliable") == 0, what="the valve opens")
        assert meter.value("hostmeter_reliable_switched_off_total") == 1
        assert "nearly full" in meter.log()
        crowd.router.run("sh", "-c", "conntrack -D -f ipv6 > /dev/null")
        wait_until(lambda: meter.value("hostmeter_conntrack_entries") < 0.8 * crowd.flow_limit(), what="it drains")
        assert meter.value("hostmeter_reliable") == 0
        crowd.flush()
        wait_until(lambda: meter.value("hostmeter_reliable") == 1, what="the valve closes")
        assert meter.value("hostmeter_reliable_switched_off_total") == 1
        assert "reliably again" in meter.log()
        # The buffer was large enough for all that came meanwhile, or the meter says that it was not.
        assert crowd.settled(meter) == truth or meter.value("hostmeter_overruns_total", source="events") > 0


def test_threshold_of_ones_own(crowd):
    with crowd.meter(config="reliable-fill = 2\n") as meter:
        fill(crowd, 0.025)
        wait_until(lambda: meter.value("hostmeter_reliable") == 0, what="the valve opens")
        crowd.flush()
        wait_until(lambda: meter.value("hostmeter_reliable") == 1, what="the valve closes")


def forwarded(crowd):
    """
    The share of new flows whose packet came through and was answered, of as many as the table has room for and
    some more: the table runs full, and the kernel makes room by dropping the youngest or it does not.
    """
    fill(crowd, 0.88)
    report = crowd.generate("--flows", int(crowd.flow_limit() * 0.3), "--rate", 50_000, "--seed", 1)
    return report["received"]["packets"] / report["sent"]["packets"], counts_of(report)


def test_hung_meter(crowd):
    """
    The meter is stopped, and nobody reads the ends that the kernel keeps for it. New flows pass as they do without any
    meter; and when it runs again, it says what happened and counts on.
    """
    crowd.load_rules()
    without, _ = forwarded(crowd)
    crowd.drained()
    with crowd.meter() as meter:
        meter.process.send(signal.SIGSTOP)
        hung, _ = forwarded(crowd)
        meter.process.send(signal.SIGCONT)
        print(f"forwarded without a meter {without:.4f}, with a hung one {hung:.4f}")
        assert hung > without - 0.01
        wait_until(lambda: meter.value("hostmeter_reliable_switched_off_total") == 1, what="the meter knows")
        assert "was stopped" in meter.log()
        crowd.drained()
        wait_until(lambda: meter.value("hostmeter_reliable") == 1, what="the valve closes")
        before = meter.steady()
        truth = add_counts(before, counts_of(crowd.generate("--flows", 1000, "--rate", 0, "--seed", 2)))
        assert crowd.settled(meter) == truth


def is_running(pid):
    """A zombie that nobody reaps runs no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_nothing_is_left_of_a_killed_meter(crowd):
    """Its guard ends with it, and with both the socket for which the kernel would keep flows."""
    with crowd.meter() as meter:
        guards = subprocess.run(["pgrep", "-P", str(meter.process.pid)], capture_output=True, check=True).stdout.split()
        assert len(guards) == 1
        meter.stop(signal.SIGKILL)
        wait_until(lambda: not is_running(int(guards[0])), what="the guard ends")
        crowd.generate("--flows", 1000, "--rate", 0)
        crowd.drained()
