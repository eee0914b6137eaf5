# SPDX-License-Identifier: GPL-2.0-or-later
"""The meter against conntrack(8): what lives plus what ended is what was counted."""

from lab import conntrack_events, conntrack_follow, conntrack_list, host_sums, wait_until

def test_counters_are_the_sum_over_conntrack(lab, traffic):
    lab.load_rules()
    events = conntrack_follow(lab.router)
    with lab.meter(config=lab.names()) as meter:
        for host in lab.hosts:
            for ipv in 4, 6:
                traffic.everything(host, ipv)
        lab.quiet()
        # Half of the flows end, by protocol; the others stay.
        for family in "ipv4", "ipv6":
            lab.router.run("conntrack", "-D", "-f", family, "-p", "tcp")

        def sums():
            ended, living = conntrack_events(events.output()), conntrack_list(lab.router)
            assert not {flow.id for flow in ended} & {flow.id for flow in living}
            return host_sums(lab, ended + living)

        wait_until(lambda: meter.hosts() == sums(), what="ended and living flows are counted")
        assert len(meter.hosts()) == 12
        assert conntrack_list(lab.router), "the sum was to have living flows in it"
        lab.router.run("conntrack", "-F")
        assert meter.steady() == sums()
        assert not conntrack_list(lab.router)
