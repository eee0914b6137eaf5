# SPDX-License-Identifier: GPL-2.0-or-later
"""
The cases, run in the guest: each network is built anew, a meter finds its sides by itself, hosts talk to the Internet.

What the meter says is compared with nft counters for each host, family and direction, byte by byte. Then: who is
answered on the metrics port, and what --check complains of.
"""

import faulthandler
import json
import platform
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from lab import PROGRAM, Count, wait_until
from network import Network, noted, sides, total, wan_kinds

FOUND = {"interfaces": (), "listen": ":10060"}
CASES = {}
CASE_SECONDS = 150  # a case that takes longer hangs: where is printed, and the guest ends


@dataclass
class Expected:
    """What must be true in a network."""
    sides: dict
    provider: tuple  # addresses of the router that the provider can reach: it gets no answer
    bad: frozenset = frozenset()  # lines of --check that are to complain
    again: Callable = None  # in the middle; the hosts talk before and after it
    known: Callable = None  # (what it is, {key: Count}): a difference that is understood
    kinds: dict = field(default_factory=dict)  # {(interface, kind): a function that gives the bytes}
    attributed: frozenset = None  # how flows may be attributed, where that matters
    audit: bool = False  # whether --audit is to explain every byte of some more traffic


def case(name):
    def add(build):
        CASES[name] = build
        return build
    return add


WAN = Network.wan_v4, Network.wan_v6, Network.router_v6
PLAIN = {"wan": "wan", "br-lan": "lan"}


@case("baseline")
def baseline(net):
    del net
    return Expected(PLAIN, WAN)


def flowtable(net, wan, flags=""):
    """Flows leave the forward hook after their first packets."""
    net.nft(f"""
        table inet fast {{
            flowtable f {{ hook ingress priority 0; devices = {{ {", ".join(net.ports_of_lan())}, {wan} }}; {flags} }}
            chain forward {{ type filter hook forward priority filter; meta l4proto {{ tcp, udp }} flow add @f; }}
        }}
    """)


@case("flowtable that counts")
def flowtable_that_counts(net):
    flowtable(net, "wan", "counter;")
    return Expected(PLAIN, WAN, audit=True)


@case("flowtable that does not count")
def flowtable_that_does_not_count(net):
    """The kernel counts only what passes the forward hook. The rest is lost to every meter, and --check says so."""
    net.count_forwarded()
    flowtable(net, "wan")

    def known():
        forwarded = net.forwarded()
        return "packets that took the flowtable", {key: count - forwarded[key] for key, count in net.truth().items()}

    return Expected(PLAIN, WAN, known=known, bad=frozenset({"flowtable"}))


class Pppoe:
    """A provider that wants PPPoE on the port wan: the router's ppp0 is its WAN."""

    def __init__(self, net):
        self.net = net
        net.router.ip("address flush dev wan\n-6 route flush default")
        net.inet.ip(f"address flush dev eth0\n-6 route delete {net.lan_v6}")
        options = net.scratch / "pppoe-server"
        options.write_text("noauth\nlcp-echo-interval 0\n+ipv6\nnodefaultroute\n")
        net.router.run("modprobe", "-a", "ppp_generic", "pppoe")
        self.server = net.inet.spawn(*"pppoe-server -F -k -N 1 -I eth0".split(), "-L", net.server_v4, "-R", net.wan_v4,
                                     "-O", options)
        net.wan_is("ppp0")
        self.dial()

    def dial(self):
        net = self.net
        self.line = net.router.spawn(*"pppd plugin pppoe.so nic-wan user x noauth nodetach +ipv6 noipdefault "
                                     "defaultroute persist maxfail 0 holdoff 1 lcp-echo-interval 0".split())
        for node, address in (net.router, net.wan_v4), (net.inet, net.server_v4):
            try:
                wait_until(lambda node=node, address=address: f" {address} peer" in node.output("ip", "address"), 30)
            except AssertionError:
                raise AssertionError(f"no PPP in {node.name}:\n{self.server.output()}{self.line.output()}") from None
        far = next(word for word in net.inet.output("ip", "-o", "link").split() if word.startswith("ppp")).rstrip(":")
        net.router.ip(f"""
            address add {net.wan_v6}/64 dev ppp0 nodad
            -6 route replace default dev ppp0
        """)
        net.inet.ip(f"""
            address add {net.server_v6}/64 dev {far} nodad
            -6 route replace {net.lan_v6} dev {far}
        """)

    def redial(self):
        self.line.stop()
        wait_until(lambda: "ppp" not in self.net.router.output("ip", "-o", "link"), 20, "ppp0 is gone")
        wait_until(lambda: "ppp" not in self.net.inet.output("ip", "-o", "link"), 20, "the provider's end is gone")
        self.dial()


PPPOE = {"ppp0": "wan", "wan": "carrier", "br-lan": "lan"}


@case("PPPoE with redial")
def pppoe_with_redial(net):
    line = Pppoe(net)
    return Expected(PPPOE, WAN, again=line.redial)


@case("PPPoE and flowtable")
def pppoe_and_flowtable(net):
    Pppoe(net)
    flowtable(net, "wan", "counter;")
    return Expected(PPPOE, WAN, audit=True)


def vlan_wan(net):
    net.router.ip("link add link wan name wan.7 type vlan id 7")
    net.move_wan("wan.7")
    net.inet.ip(f"""
        link add link eth0 name eth0.7 type vlan id 7
        address flush dev eth0
        address add {net.server_v4}/24 dev eth0.7
        address add {net.server_v6}/64 dev eth0.7 nodad
        link set eth0.7 up
        -6 route replace {net.lan_v6} via {net.wan_v6} dev eth0.7
    """)


@case("VLAN as WAN, filtering bridge")
def vlans(net):
    """The LAN is VLAN 10 of the bridge, untagged at the hosts' ports; br-lan itself has no address."""
    vlan_wan(net)
    net.router.ip(f"""
        address flush dev br-lan
        link set br-lan type bridge vlan_filtering 1
        link add link br-lan name br-lan.10 type vlan id 10
        address add {net.router_v4}/24 dev br-lan.10
        address add {net.router_v6}/64 dev br-lan.10 nodad
        link set br-lan.10 up
    """)
    net.router.run("bridge", "vlan", "add", "dev", "br-lan", "vid", "10", "self")
    for port in net.ports_of_lan():
        net.router.run("bridge", "vlan", "add", "dev", port, "vid", "10", "pvid", "untagged")
    return Expected({"wan.7": "wan", "wan": "carrier", "br-lan.10": "lan"}, WAN)


@case("VLAN as WAN and flowtable")
def vlan_and_flowtable(net):
    vlan_wan(net)
    flowtable(net, "wan", "counter;")
    return Expected({"wan.7": "wan", "wan": "carrier", "br-lan": "lan"}, WAN, audit=True)


@case("WireGuard as LAN")
def wireguard_as_lan(net):
    """A road warrior reaches the Internet through the router, by IPv4 and IPv6; each of its addresses is a host."""
    host = net.warrior()
    net.wireguard((net.router, 51820, "", 0, f"{host.v4}/32, {host.v6}/128", """
        address add 10.9.0.1/24 dev wg0
        address add 2001:db8:9::1/64 dev wg0 nodad
        link set wg0 up
    """), (net[host.name], 51821, net.wan_v4, 51820, "0.0.0.0/0, ::/0", f"""
        address add {host.v4}/24 dev wg0
        address add {host.v6}/64 dev wg0 nodad
        link set wg0 up
        route add default dev wg0
        -6 route add default dev wg0
    """))
    # The truth is counted behind WireGuard, which cuts and joins long packets: there are none of them.
    net.inet.run("ethtool", "-K", "eth0", "tso", "off", "gso", "off")
    net[host.name].run("ethtool", "-K", "wg0", "gro", "off")
    net.count_outer()
    return Expected({**PLAIN, "wg0": "lan"}, WAN, kinds={("wan", "tunnel"): net.outer, ("wan", "router"): lambda: 0})


def provider_by_wireguard(net, routes):
    net.wireguard((net.router, 51820, net.server_v4, 51820, "0.0.0.0/0, ::/0", f"""
        address add 10.8.0.2/24 dev wg0
        address add 2001:db8:8::2/64 dev wg0 nodad
        link set wg0 up
        {routes}
    """), (net.inet, 51820, net.wan_v4, 51820, f"10.8.0.2/32, 2001:db8:8::2/128, {net.lan_v6}", f"""
        address add 10.8.0.1/24 dev wg0
        address add 2001:db8:8::1/64 dev wg0 nodad
        link set wg0 up
        -6 route replace {net.lan_v6} dev wg0
    """))
    net.wan_is("wg0")
    net.count_outer()
    return Expected({**PLAIN, "wg0": "wan"}, (*WAN, "10.8.0.2", "2001:db8:8::2"),
                    kinds={("wan", "tunnel"): net.outer, ("wan", "router"): lambda: 0}, audit=True)


@case("WireGuard as a second WAN")
def wireguard_as_second_wan(net):
    """It takes all by halves, beside the default route of the WAN that carries it."""
    return provider_by_wireguard(net, f"""
        route add {net.server_v4}/32 dev wan
        route add 0.0.0.0/1 dev wg0
        route add 128.0.0.0/1 dev wg0
        -6 route add ::/1 dev wg0
        -6 route add 8000::/1 dev wg0
    """)


@case("WireGuard by policy table")
def wireguard_by_policy_table(net):
    """As wg-quick does it."""
    expected = provider_by_wireguard(net, """
        route add default dev wg0 table 51820
        rule add not fwmark 51820 table 51820
        rule add table main suppress_prefixlength 0
        -6 route add default dev wg0 table 51820
        -6 rule add not fwmark 51820 table 51820
        -6 rule add table main suppress_prefixlength 0
    """)
    net.router.run("wg", "set", "wg0", "fwmark", "51820")
    return expected


@case("macvlan as WAN")
def macvlan_as_wan(net):
    """The port has an address of its own, to reach the modem."""
    net.router.ip("link add link wan name mv0 type macvlan mode bridge")
    net.move_wan("mv0")
    net.router.ip("address add 192.168.100.2/24 dev wan")
    net.inet.ip("address add 192.168.100.1/24 dev eth0")
    return Expected({"mv0": "wan", "wan": "carrier", "br-lan": "lan"}, (*WAN, "192.168.100.2"))


@case("VRF around LAN and WAN")
def vrf(net):
    net.router.ip(f"""
        link add internet type vrf table 10
        link set internet up
        link set wan master internet
        link set br-lan master internet
        -6 address replace {net.wan_v6}/64 dev wan nodad
        -6 address replace {net.router_v6}/64 dev br-lan nodad
        route replace default via {net.server_v4} dev wan table 10
        -6 route replace default via {net.server_v6} dev wan table 10
    """)
    net.router.sysctl(ipv4__tcp_l3mdev_accept=1)
    return Expected(PLAIN, WAN)


@case("conntrack entries in NFLOG")
def entries_in_nflog(net):
    """NETFILTER_NETLINK_GLUE_CT: each first packet comes with its entry, and so belongs to its flow even where the
    packet itself does not tell the ports."""
    return Expected(PLAIN, WAN, again=net.long_headers, attributed=frozenset({"nflog", "router"}))


def report(name, problems, truth, meter, answers):
    """One line for the case, and what is wrong below it."""
    want, got = total(truth), total({key: count for key, count in meter.items() if key in truth})
    figures = "  ".join(f"{what} {count.bytes:>8} B {count.packets:>5} p"
                        for what, count in (("truth", want), ("meter", got), ("difference", got - want)))
    print(f"{platform.release():20} {name:29} {figures}  {answers}  {'FAILED' if problems else 'ok'}")
    for problem in problems:
        print("      |", problem.replace("\n", "\n      |   "))


def compare(should, counted):
    """Problems: each series that differs, and series that should not be there."""
    problems = []
    for key in sorted(should.keys() | counted.keys(), key=str):
        want, got = should.get(key, Count()), counted.get(key, Count())
        if got != want:
            off = got - want
            problems.append(f"{key[0]} IPv{key[1]} {key[2]}: {got.bytes} B {got.packets} p, "
                            f"should be {want.bytes} B {want.packets} p: {off.bytes:+} B {off.packets:+} p")
    return problems


def asks(net, expected, problems):
    """Every host is answered, and nobody on the provider's side: there the connection ends without a byte."""
    sides_of_port = {"LAN": [(host.name, address) for host in net.ports for address in (net.router_v4, net.router_v6)],
                     "provider": [("inet", address) for address in expected.provider]}
    text = []
    for side, asked in sides_of_port.items():
        want = "HTTP/1.1 200 OK" if side == "LAN" else ""
        got = [net.answers(net[name], address) for name, address in asked]
        problems += [f'{name} asks {address}: "{answer}", should be "{want}"'
                     for (name, address), answer in zip(asked, got) if answer != want]
        text.append(f"{side} answered {sum(map(bool, got))}/{len(asked)}")
    return ", ".join(text)


def options_of(meter):
    """The meter's own, but for --trace and its file, for a program that asks it."""
    return meter.argv[1:-2]


def check(meter, expected, problems):
    done = meter.node.run(PROGRAM, *options_of(meter), "--check", "--json", check=False)
    lines = {line["name"]: line for line in json.loads(done.stdout)["checks"]}
    bad = {name for name, line in lines.items() if line["state"] == "bad"}
    problems += [f"--check: {name}: {lines[name]['text']}" for name in sorted(bad - expected.bad)]
    problems += [f"--check says nothing bad of {name}: {lines[name]['text']}" for name in sorted(expected.bad - bad)]
    return f"--check {' '.join(sorted(bad)) or 'fine'}"


def audit(net, meter, problems):
    process = meter.node.spawn(PROGRAM, *options_of(meter), "--audit=8")
    net.traffic()
    status = process.wait(60)
    if status:
        problems.append(f"--audit: exit status {status}\n{process.output()}")
    return f"--audit {'not explained' if status else 'fine'}"


def measure(net, expected, meter, problems):
    """The traffic of a case; returns the truth and what the meter counted."""
    def settled():
        wait_until(lambda: {name: sides(meter).get(name) for name in expected.sides} == expected.sides, 15,
                   f"sides {expected.sides}")

    for step in (None, expected.again) if expected.again else (None,):
        with noted(problems, "sides"):
            if step:
                step()
            settled()
        with noted(problems, "traffic"):
            net.traffic()
    with noted(problems, "end of flows"):
        net.quiet()
        net.router.run("conntrack", "-F")
    truth, (what, known) = net.truth(), expected.known() if expected.known else ("", {})
    should = {key: count - known.get(key, Count()) for key, count in truth.items()}
    with suppress(AssertionError):
        wait_until(lambda: meter.hosts() == should, 10)
    counted = meter.hosts()
    problems += compare(should, counted)
    if what:
        print(f"      | difference of the next that is known: {what}: {total(known).bytes} B {total(known).packets} p")
    for key, count in expected.kinds.items():
        want, got = count(), wan_kinds(meter).get(key, 0)
        if got != want:
            problems.append(f"kind {key[1]} of {key[0]}: {got} B, should be {want} B: {got - want:+} B")
    if expected.attributed and not meter.attributed().keys() <= expected.attributed:
        problems.append(f"flows were attributed by {meter.attributed()}, should be by {set(expected.attributed)}")
    return truth, counted


def run(name):
    """Runs a case and prints its line; whether all was well."""
    problems, truth, counted, answers = [], {}, {}, ""
    with noted(problems, "case"), Network() as net:
        net.load_rules()
        expected = CASES[name](net)
        net.count_truth()
        trace = net.scratch / "trace"
        with net.meter("--trace", trace, config=net.names(net.hosts), **FOUND) as meter:
            wait_until(lambda: meter.value("hostmeter_dumps_total"), what="first dump")
            truth, counted = measure(net, expected, meter, problems)
            answers = f"{asks(net, expected, problems)}, {check(meter, expected, problems)}"
            if expected.audit:
                answers += f", {audit(net, meter, problems)}"
            if problems:
                problems += [f"sides: {sides(meter)}", f"kinds: {wan_kinds(meter)}", f"local: {total(meter.local())}"]
            meter.stop()
        if problems:
            shutil.copy(trace, f"/out/{name.replace(' ', '-')}.trace")
    report(name, problems, truth, counted, answers)
    return not problems


def main():
    wanted = " ".join(sys.argv[1:])
    names = [name for name in CASES if wanted in name]
    start, results = time.monotonic(), []
    for name in names:
        print(f"case {name}")
        faulthandler.dump_traceback_later(CASE_SECONDS, exit=True)
        results.append(run(name))
    print(f"{results.count(True)} ok, {results.count(False)} FAILED in {time.monotonic() - start:.0f} s")
    sys.exit(0 if results and all(results) else 1)


main()
