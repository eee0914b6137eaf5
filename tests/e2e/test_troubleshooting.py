# SPDX-License-Identifier: GPL-2.0-or-later
"""
docs/troubleshooting.md, each case of it: provoked, seen by the commands that stand there, fixed by what stands there.

The commands are taken out of the text: a block "sh see" is run, and each line of the "text" block behind it must be in what it
prints; "sh fix" is run; "conf fix" is what the meter is started with again.
"""

import functools
import re
import shutil
from pathlib import Path

import pytest
from lab import PROGRAM, ROOT, Meter, Truth, say, talk, udp, wait_until

BOOK = (ROOT / "docs" / "troubleshooting.md").read_text()
RUN = Path("/run/hostmeter")


def chapters():
    """{title: [(kind, text)]}; kind is "sh see", "text", "sh fix" or "conf fix"."""
    found = {}
    for chapter in re.split(r"^## ", BOOK, flags=re.M)[1:]:
        title, _, text = chapter.partition("\n")
        blocks = re.findall(r"^( *)```([a-z]*(?: [a-z]+)?)\n(.*?)^\1```$", text, re.M | re.S)
        found[title] = [(kind, re.sub(rf"^{indent}", "", block, flags=re.M)) for indent, kind, block in blocks]
    return found


CHAPTERS = chapters()


def matches(line, wanted):
    return re.fullmatch(".*".join(re.escape(part) for part in wanted.split("…")), line.strip())


class Router:
    """A router as the text has it: the files are where they are by default, and hostmeter is in the path."""

    def __init__(self, lab, title):
        self.lab, self.node, self.title = lab, lab.router, title
        self.blocks = CHAPTERS[title]
        self.used = set()
        tools = lab.scratch / "bin"
        tools.mkdir()
        self.path = f"{tools}:/usr/sbin:/sbin:/usr/bin:/bin"
        self.meter = Meter(lab)
        self.meter.socket = RUN / "hostmeter.sock"
        self.meter.argv = [PROGRAM, "--config", self.meter.config]
        script = tools / "hostmeter"
        script.write_text(f'#!/bin/sh\nexec {PROGRAM} --config {self.meter.config} "$@"\n')
        script.chmod(0o755)

    def start(self, *lines):
        """The meter, anew, with these lines of configuration."""
        if self.meter.process:
            assert self.meter.stop() == 0, self.meter.log()
        self.meter.config.write_text("\n".join(["dump-interval = 1", *lines, ""]))
        return self.meter.start()

    def _take(self, kind):
        """The next block of this kind that was not used."""
        for i, (its, text) in enumerate(self.blocks):
            if its == kind and i not in self.used:
                self.used.add(i)
                return i, text
        raise AssertionError(f"no more {kind} in {self.title}")

    def run(self, text):
        done = self.node.run("sh", "-c", text, check=False, env={"PATH": self.path})
        return done.stdout + done.stderr

    def see(self):
        """Runs the next commands until they show what the text says they do; returns that."""
        i, command = self._take("sh see")
        kind, shows = self.blocks[i + 1]
        assert kind == "text", f"{self.title}: {command} shows what?"
        self.used.add(i + 1)
        last = ""

        def shown():
            nonlocal last
            last = self.run(command)
            return all(any(matches(line, wanted) for line in last.splitlines()) for wanted in shows.splitlines())

        try:
            wait_until(shown, 20, "it shows", step=0.2)
        except AssertionError:
            raise AssertionError(f"{self.title}:\n{command}does not show\n{shows}but\n{last}") from None
        return last

    def fix(self):
        """Runs the next commands that fix it; they must not fail."""
        _, command = self._take("sh fix")
        self.node.run("sh", "-e", "-c", command, env={"PATH": self.path})

    def fixed_config(self):
        """The lines that fix it."""
        return self._take("conf fix")[1]

    def well(self, *things):
        """Waits until --check finds nothing wrong with these any more."""
        def fine():
            lines = self.run("hostmeter --check").splitlines()
            return all(any(line.startswith(f"ok   {thing} ") for line in lines) for thing in things)

        wait_until(fine, 20, f"{things} are well", step=0.2)

    def done(self):
        assert self.used == set(range(len(self.blocks))), (self.title, "not tried", self.blocks)


TRIED = set()


def case(title):
    """A test of this chapter: in its end each block of it must have been used."""
    def wrap(test):
        @functools.wraps(test)
        def tried(lab, router):
            test(lab, router)
            router.done()

        tried.case = title
        TRIED.add(title)
        return tried

    return wrap


@pytest.fixture
def router(lab, request):
    made = Router(lab, request.function.case)
    yield made
    if made.meter.process:
        made.meter.kill()
    shutil.rmtree(RUN, ignore_errors=True)


def exchange(lab, truth=None, hosts=None, ipv=4, port=4001):
    truth = Truth() if truth is None else truth
    server = udp(lab.inet, lab.server(ipv), port)
    for host in hosts or lab.hosts:
        truth.asked(host, ipv, talk(udp(lab[host.name], host.address(ipv)), server, (lab.server(ipv), port)))
    return truth


def counted(router, truth):
    wait_until(lambda: router.meter.hosts() == truth, 20, "what was sent is counted")


def test_every_case_is_tried():
    assert TRIED == set(CHAPTERS)


@case("Nothing is counted")
def test_nothing_is_counted(lab, router):
    lab.router.sysctl(netfilter__nf_conntrack_acct=0)
    router.start(lab.names())
    exchange(lab)
    router.see()
    wait_until(lambda: router.meter.value("hostmeter_flows_without_counters") == 3, what="they have no counters")
    assert not router.meter.hosts()
    router.fix()
    router.well("accounting")
    counted(router, exchange(lab))


@case("Half of what my provider says")
def test_half_of_it(lab, router):
    lab.router.run("nft", "-f", "-", stdin="""
        table inet raw {
            chain prerouting {
                type filter hook prerouting priority raw
                meta nfproto ipv6 notrack
            }
        }
    """)
    router.start(lab.names())
    going = lab["desktop"].spawn("ping", "-q", "-i", "0.01", lab.server_v6)
    router.see()
    going.kill()
    router.see()
    router.fix()
    counted(router, exchange(lab, ipv=6))


SIDES = 'lan = {"br-lan"}', 'wan = {"wan"}'


@case("Everything is on unknown")
def test_everything_is_on_unknown(lab, router):
    lab.load_rules()
    lab.router.ip(f"route add default via {lab.hosts[0].v4} dev br-lan metric 500")
    router.start()
    exchange(lab)
    lab.router.run("conntrack", "-D", "-p", "udp")
    exchange(lab)
    router.see()
    sides_fixed(lab, router)
    router.well("lan", "wan")


def sides_fixed(lab, router):
    router.start(router.fixed_config(), lab.names())
    lab.router.run("conntrack", "-F")
    before = Truth()
    before.update(router.meter.steady())
    truth = exchange(lab)
    wait_until(lambda: {key: count for key, count in router.meter.hosts().items() if key[0] in ("desktop", "laptop", "phone")} ==
               {key: before[key] + count for key, count in truth.items()}, 20, "each host has its own")


@case("Everything is on other")
def test_everything_is_on_other(lab, router):
    lab.load_rules()
    router.start('lan = {"desktop"}', 'wan = {"wan"}')
    exchange(lab)
    router.see()
    sides_fixed(lab, router)


@case("A network is missing")
def test_a_network_of_public_addresses(lab, router):
    lab.second_wan()
    router.start('listen = {":10060"}')
    router.see()
    assert not answers(lab.inet, "http://203.0.113.2:10060/metrics")
    router.start(router.fixed_config(), 'listen = {":10060"}')
    wait_until(lambda: "wan2: lan: " in router.run("hostmeter --check"), what="it is a LAN")
    assert answers(lab.inet, "http://203.0.113.2:10060/metrics")
    assert not answers(lab.inet, "http://198.51.100.2:10060/metrics")


@case("Download counted as upload")
def test_the_wrong_way_round(lab, router):
    lab.load_rules()
    router.start('lan = {"wan"}', 'wan = {"br-lan"}')
    exchange(lab)
    wait_until(router.meter.hosts, what="something is counted")
    assert not {"desktop", lab.hosts[0].mac} & {host for host, _, _ in router.meter.hosts()}
    router.see()
    sides_fixed(lab, router)


@case("Numbers stop after enabling offload")
def test_offload(lab, router):
    """This kernel has no flowtable: the commands are run, and that is all."""
    router.start()
    router.see()
    router.used.add(next(i for i, (kind, text) in enumerate(router.blocks) if not kind and "counter;" in text))


@case("A host has bytes that are another's")
def test_no_rules(lab, router):
    router.start(lab.names())
    exchange(lab)
    router.see()
    router.fix()
    router.well("rules-ipv4", "rules-ipv6")
    exchange(lab, port=4002)
    wait_until(lambda: router.meter.attributed().get("nflog") == 3, what="their first packets are seen")


@case("No first packets though the rules are loaded")
def test_group_taken(lab, router):
    lab.load_rules()
    with lab.meter(listen="127.0.0.1:10061") as other:
        router.start(lab.names())
        router.see()
        assert "NFLOG group 60 is taken" in router.meter.log()
        router.start(router.fixed_config(), lab.names())
        router.fix()
        router.well("nflog-group", "rules-ipv4", "sources")
        exchange(lab)
        wait_until(lambda: router.meter.attributed().get("nflog") == 3, what="their first packets are seen")
        assert other.process.running()


def answers(node, url):
    return node.run("curl", "-sf", "-o", "/dev/null", "--max-time", "5", url, check=False).returncode == 0


@case("The port does not answer")
def test_no_answer_on_the_lan(lab, router):
    url = "http://192.168.77.1:10060/metrics"
    router.start('listen = {"127.0.0.1:10060"}')
    assert url in BOOK and not answers(lab["desktop"], url)
    router.see()
    router.start(router.fixed_config())
    assert answers(lab["desktop"], url)


@case("The port answers nothing from elsewhere")
def test_no_answer_elsewhere(lab, router):
    url = f"http://{lab.wan_v4}:10060/metrics"
    router.start(*SIDES)
    assert not answers(lab.inet, url) and answers(lab["desktop"], url)
    router.start(*SIDES, router.fixed_config())
    assert answers(lab.inet, url)


@case("Hosts are shown by their MAC address")
def test_no_names(lab, router):
    router.start()
    exchange(lab)
    router.see()
    router.start(router.fixed_config())
    truth = exchange(lab, hosts=lab.hosts[:1])
    wait_until(lambda: {host for host, _, _ in router.meter.hosts()} >= {"desktop", lab.hosts[1].mac},
               what="the desktop has its name")
    assert router.meter.hosts()["desktop", 4, "in"].bytes >= truth["desktop", 4, "in"].bytes


@case("Two rows for one host")
def test_two_rows(lab, router):
    lab.load_rules()
    router.start()
    truth = exchange(lab, hosts=lab.hosts[:1])
    lab["desktop"].ip("link set eth0 address 02:00:5e:00:53:0b")
    lab.router.run("ip", "neigh", "flush", "all")
    exchange(lab, truth, hosts=lab.hosts[:1], port=4002)
    router.see()
    router.start(router.fixed_config())
    counted(router, truth)  # host_counts() adds up what has one name


@case("Counters began anew")
def test_counters_began_anew(lab, router):
    router.start(lab.names())
    truth = exchange(lab)
    counted(router, truth)
    router.see()
    router.start(lab.names())
    counted(router, truth)
    router.meter.stop()
    shutil.rmtree(RUN)
    router.start(lab.names())
    assert not router.meter.hosts()
    assert "RuntimeDirectoryPreserve=yes" in (ROOT / "init/hostmeter.service").read_text()


@case("One host's counts jump")
def test_zeroed(lab, router):
    router.start(lab.names())
    server, desktop = udp(lab.inet, lab.server_v4, 4001), udp(lab["desktop"], lab.hosts[0].v4)
    truth = Truth()
    truth.asked("desktop", 4, talk(desktop, server, (lab.server_v4, 4001)))
    counted(router, truth)
    lab.router.run("conntrack", "-L", "-z")
    truth["desktop", 4, "out"] += say(desktop, (lab.server_v4, 4001), 10)
    counted(router, truth)
    assert "hostmeter_resets_total 1" in router.see()


@case("The connection table is full")
def test_the_table_is_full(lab, router):
    router.start("reliable-fill = 1", lab.names())
    desktop = udp(lab["desktop"], lab.hosts[0].v4)
    for i in range(int(int(lab.router.read_sysctl("netfilter__nf_conntrack_max")) * 0.011)):
        say(desktop, (lab.server_v4, 1024 + i % 60000), 1)
    router.see()
    router.see()
    lab.router.run("conntrack", "-F")
    wait_until(lambda: router.meter.value("hostmeter_reliable") == 1, what="it is reliable again")
    router.well("table")
