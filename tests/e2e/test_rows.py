# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks in which an address, a MAC or a name alone does not tell whose the bytes are.

All bytes are known before they are sent.
"""

import json
import signal
import socket
import subprocess
import sys

import pytest
from lab import PROGRAM, Host, MulticastRouter, Truth, answered, closed, say, talk, udp, wait_until

PORT = 9


def macs(meter):
    """{(host, mac)} of all series of hosts."""
    return {(dict(labels)["host"], dict(labels)["mac"])
            for name, labels in meter.metrics() if name == "host_bytes_total"}


# --- Hosts behind one MAC, named by their addresses

EXTENDED = {4: ("192.168.77.50", "192.168.77.51", "192.168.77.52"),
            6: ("2001:db8:77::50", "2001:db8:77::51", "2001:db8:77::52")}
BEHIND = {4: ("10.20.0.50", "10.20.0.51", "10.20.0.52"), 6: ("2001:db8:20::50", "2001:db8:20::51", "2001:db8:20::52")}


def extender(lab, device):
    """All have the laptop's MAC, as an extender gives it to its clients. Returns (node, addresses)."""
    for addresses in EXTENDED.values():
        for address in addresses:
            lab[device.name].ip(f"address add {address}/{64 if ':' in address else 24} dev eth0 nodad")
    return lab[device.name], EXTENDED


def second_router(lab, device):
    """A network behind the laptop, which does not translate."""
    barn = lab.node("barn")
    barn.ip(f"link add eth0 type veth peer name barn netns {device.name}")
    for addresses in BEHIND.values():
        for address in addresses:
            barn.ip(f"address add {address}/{64 if ':' in address else 24} dev eth0 nodad")
    lab[device.name].ip("""
        address add 10.20.0.1/24 dev barn
        address add 2001:db8:20::1/64 dev barn nodad
        link set barn up
    """)
    lab[device.name].sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
    barn.ip("""
        link set eth0 up
        route add default via 10.20.0.1 dev eth0
        route add default via 2001:db8:20::1 dev eth0
    """)
    lab.router.ip(f"""
        route add 10.20.0.0/24 via {device.v4} dev {lab.lan}
        route add 2001:db8:20::/64 via {device.v6} dev {lab.lan}
    """)
    lab.inet.ip(f"route add 2001:db8:20::/64 via {lab.wan_v6} dev eth0")
    return barn, BEHIND


def both_ways(lab, truth, node, addresses, names):
    """The first address is names[0]'s, and so on: each asks the server."""
    for ipv, of_family in addresses.items():
        server = udp(lab.inet, lab.server(ipv), PORT)
        for name, address in zip(names, of_family):
            truth.asked(name, ipv, talk(udp(node, address), server, (lab.server(ipv), PORT)))


@pytest.mark.parametrize("behind", [extender, second_router])
@pytest.mark.parametrize("own", [True, False], ids=["named", "nameless"])
def test_addresses_behind_one_mac(lab, rules, behind, own):
    """The MAC has a name of its own, or none: the configured addresses are hosts, and its others are the MAC's."""
    device, truth = lab.hosts[1], Truth()
    node, addresses = behind(lab, device)
    names = "tv", "radio", device.name if own else device.mac
    config = "".join(f'host "{name}" {{ address = {{"{addresses[4][i]}", "{addresses[6][i]}"}} }}\n'
                     for i, name in enumerate(names[:2]))
    with lab.meter(config=config + (lab.names() if own else "")) as meter:
        both_ways(lab, truth, node, addresses, names)
        # From outside, over IPv6: no translation is in the way.
        service, caller = udp(node, addresses[6][0], PORT), udp(lab.inet, lab.server_v6)
        truth.answered("tv", 6, talk(caller, service, (addresses[6][0], PORT)))
        assert lab.settled(meter) == truth
        listed = {host["host"]: host["addresses"] for host in json.loads(meter.get("/api/v1/hosts"))["hosts"]}
        assert set(listed["tv"]) == {addresses[4][0], addresses[6][0]}
        assert not {addresses[4][0], addresses[6][1]} & set(listed[names[2]])
        expected = {("tv", ""), ("radio", ""), (names[2], device.mac)}
        assert expected <= macs(meter) and {mac for _, mac in macs(meter)} <= {"", device.mac}
        # Killed with a flow of each open: they go on under the same names.
        both_ways(lab, truth, node, addresses, names)
        lab.router.run("conntrack", "-F")
        assert meter.steady() == truth
        meter.stop(signal.SIGKILL)
        meter.start()
        both_ways(lab, truth, node, addresses, names)
        assert lab.settled(meter) == truth


def test_a_mac_and_an_address_are_one_host(lab, rules):
    """Named by both: one series, by its own MAC, also while it is behind an extender's."""
    device, truth = lab.hosts[1], Truth()
    addresses = ", ".join(f'"{of_family[0]}"' for of_family in EXTENDED.values())
    config = f'host "desktop" {{ mac = "{lab.hosts[0].mac}" address = {{{addresses}, "{lab.hosts[0].v4}"}} }}\n'
    node, _ = extender(lab, device)
    with lab.meter(config=config) as meter:
        both_ways(lab, truth, node, {ipv: some[:1] for ipv, some in EXTENDED.items()}, ("desktop",))
        both_ways(lab, truth, lab["desktop"], {4: (lab.hosts[0].v4,), 6: (lab.hosts[0].v6,)}, ("desktop",))
        assert lab.settled(meter) == truth
        assert {mac for name, mac in macs(meter) if name == "desktop"} == {lab.hosts[0].mac}


# --- Names of interfaces

STRANGE = b"br-\xfc", b"br-\xf6", "br-ä".encode(), "br-ö".encode(), "br-\u200b".encode()


def bridges(lab):
    """A bridge of each of these names, with an address. Returns the labels that they are to have."""
    labels = []
    for number, name in enumerate(STRANGE, 80):
        subprocess.run([*lab.router.command("ip", "link", "add"), name, "type", "bridge"], check=True)
        subprocess.run([*lab.router.command("ip", "address", "add", f"192.168.{number}.1/24", "dev"), name], check=True)
        subprocess.run([*lab.router.command("ip", "link", "set"), name, "up"], check=True)
        with lab.router.entered():
            index = socket.if_nametoindex(name)
        labels.append(name.decode() if number in (82, 83) else f"br-?#{index}")
    return labels


def test_each_interface_has_a_name_of_its_own(lab):
    """Valid UTF-8 stays; what is none, or invisible, is replaced, and the index tells such names apart."""
    labels = bridges(lab)
    with lab.meter(interfaces=()) as meter:  # its metrics are refused if a series is there twice
        wait_until(lambda: meter.value("hostmeter_dumps_total"), what="a dump")
        sides = {row["interface"]: row["side"] for row in json.loads(meter.get("/api/v1/status"))["sides"]}
        assert [sides.get(label) for label in labels] == ["lan"] * 5
        assert all(any(("interface", label) in pairs for _, pairs in meter.metrics()) for label in labels)
        checked = lab.router.run(PROGRAM, "--check", "--config", meter.config, "--socket", meter.socket, check=False)
        assert all(label in checked.stdout for label in labels)
        assert "\ufffd" not in checked.stdout


def test_the_configuration_names_what_is_not_ascii(lab):
    """As LAN and with another label; of two interfaces only one can have it."""
    bridges(lab)
    config = 'lan = {"br-ä", "br-lan"}\nwan = "wan"\ninterface "br-ö" { name = "br-ä2" }\n'
    with lab.meter(interfaces=(), config=config + 'interface "br-ä" { name = "café" }\n') as meter:
        sides = {row["interface"]: row["side"] for row in json.loads(meter.get("/api/v1/status"))["sides"]}
        assert (sides["café"], sides["br-ä2"], sides["br-lan"]) == ("lan", "other", "lan")
    twice = lab.meter(interfaces=(), config=config + 'interface "br-ä" { name = "br-ä2" }\n')
    done = lab.router.run(*twice.argv, check=False)
    assert done.returncode == 2 and 'name "br-ä2" is already given to interface "br-ö"' in done.stderr


def test_a_dockers_bridge_is_left_out(lab, rules):
    """By evidence it is a LAN, and its containers are hosts; ignored, they are "other", and nobody is answered."""
    container = lab.node("container")
    lab.router.ip("""
        link add docker0 type bridge stp_state 0
        address add 172.17.0.1/16 dev docker0
        link add veth0 address 00:00:5e:00:53:70 type veth peer name eth0 address 00:00:5e:00:53:71 netns container
        link set veth0 master docker0 up
        link set docker0 up
        link add ifb7 type ifb
        address add 172.18.0.1/16 dev ifb7
        link set ifb7 up
    """)
    container.ip("""
        address add 172.17.0.2/16 dev eth0
        link set eth0 up
        route add default via 172.17.0.1 dev eth0
    """)
    for config, side, host in ("", "lan", "00:00:5e:00:53:71"), ('ignore = {"docker0"}\n', "other", "other"):
        truth = Truth()
        with lab.meter(interfaces=(), listen=":10060", config=config) as meter:
            wait_until(lambda: meter.value("hostmeter_dumps_total"), what="a dump")
            sides = {row["interface"]: row["side"] for row in json.loads(meter.get("/api/v1/status"))["sides"]}
            assert (sides["docker0"], sides["ifb7"], sides["br-lan"], sides["wan"]) == (side, "other", "lan", "wan")
            both_ways(lab, truth, container, {4: ("172.17.0.2",)}, (host,))
            assert lab.settled(meter) == truth
            (answered if side == "lan" else closed)(container, "http://172.17.0.1:10060/metrics")


# --- Routed multicast

GROUPS = {4: "239.1.2.3", 6: "ff0e::77"}


def join(lab, host, ipv):
    """A socket of a host that hears the group."""
    sock = udp(lab[host.name], "::" if ipv == 6 else "0.0.0.0", PORT)
    index = lab[host.name].ifindex("eth0")
    if ipv == 6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                        socket.inet_pton(socket.AF_INET6, GROUPS[6]) + index.to_bytes(4, sys.byteorder))
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        socket.inet_aton(GROUPS[4]) + bytes(4) + index.to_bytes(4, sys.byteorder))
    return sock


def sender(node, address):
    sock, index = udp(node, address), node.ifindex("eth0")
    if ":" in address:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 8)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, bytes(8) + index.to_bytes(4, sys.byteorder))
    return sock


def kinds(meter, interface):
    """{(kind, direction): bytes} of what crossed this interface."""
    return {(label["kind"], label["direction"]): value
            for label, value in ((dict(pairs), value) for (name, pairs), value in meter.metrics().items()
                                 if name == "hostmeter_wan_bytes_total") if label["interface"] == interface}


@pytest.mark.parametrize("far", [False, True], ids=["near", "far"])
def test_multicast_from_the_wan_counts_once(lab, rules, warm, far):
    """Television for two hosts, forwarded to two LANs: WAN traffic of no single host, once, while it flows."""
    truth, sent = Truth(), 0
    lab.second_lan()
    with MulticastRouter(lab.router, lab.wan, lab.lan, "guest") as routes, lab.meter(config=lab.names()) as meter:
        warm(meter, truth)
        for ipv, group in GROUPS.items():
            source = lab.far(ipv) if far else lab.server(ipv)
            routes.route(source, group)
            heard = [join(lab, host, ipv) for host in lab.hosts[:2]]
            sock = sender(lab.inet, source)
            for _ in range(20):
                count = say(sock, (group, PORT), 1300)
                truth["other", ipv, "in"] += count
                sent += count.bytes
                assert all(len(one.recv(2000)) == 1300 for one in heard)
        # The flow lives: it is counted with the next dump, and two dumps later there is no remainder.
        wait_until(lambda: all(meter.hosts().get(key) == truth[key] for key in truth), what="all is counted")
        dumps = meter.value("hostmeter_dumps_total")
        wait_until(lambda: meter.value("hostmeter_dumps_total") >= dumps + 3, what="three dumps")
        of_wan = kinds(meter, lab.wan)
        known = sum(count.bytes for (_, _, way), count in truth.items() if way == "in")
        assert (of_wan["attributed", "rx"], of_wan["unknown", "rx"], of_wan["router", "rx"]) == (known, 0, 0)
        assert of_wan["unseen", "rx"] < sent / 10  # neighbour discovery and the like
        assert lab.settled(meter) == truth
        assert all(count.bytes < 1300 for (host, _, _), count in meter.local().items() if host in ("other", "unknown"))


def test_multicast_from_the_lan_is_local(lab, rules, warm):
    """Wherever it is forwarded to: without the rules that is not known."""
    truth, local, desktop = Truth(), Truth(), lab.hosts[0]
    with MulticastRouter(lab.router, lab.lan, lab.wan) as routes, lab.meter(config=lab.names()) as meter:
        warm(meter, truth)
        for ipv, group in GROUPS.items():
            lab[desktop.name].run("ping", "-c", 1, lab.router_v6 if ipv == 6 else lab.router_v4)  # a neighbour
            routes.route(desktop.address(ipv), group)
            sock = sender(lab[desktop.name], desktop.address(ipv))
            for _ in range(20):
                local[desktop.name, ipv, "out"] += say(sock, (group, PORT), 1300)
        lab.settled(meter)
        assert meter.hosts() == truth
        counted = meter.local()
        assert all(count.bytes <= counted[key].bytes < count.bytes + 2000 for key, count in local.items())


# --- The same addresses twice


def twin_lan(lab):
    """A second LAN with the addresses of the first, and the desktop's twin in it: told apart by conntrack zones."""
    twin = Host("twin", "00:00:5e:00:53:1b", lab.hosts[0].v4, lab.hosts[0].v6)
    lab._plug(twin, "two", lab.router_v4, lab.router_v6)
    lab.router.sysctl(ipv4__conf__all__rp_filter=0, ipv4__conf__default__rp_filter=0)
    # Connections are marked by the LAN that began them, and their answers are routed by the mark.
    lab.router.run("nft", "-f", "-", stdin="""
        table inet zones {
            chain raw {
                type filter hook prerouting priority raw
                ct original zone set iifname map { "br-lan" : 1, "two" : 2 }
            }
            chain marked {
                type filter hook prerouting priority mangle
                iifname "two" ct mark set 2
                meta mark set ct mark
            }
        }
        table ip6 nat {
            chain postrouting {
                type nat hook postrouting priority srcnat
                oifname "wan" masquerade
            }
        }
    """)
    lab.router.ip("""
        link set two up
        address add 192.168.77.1/24 dev two noprefixroute
        address add 2001:db8:77::1/64 dev two nodad noprefixroute
        route add 192.168.77.0/24 dev two table 102
        rule add fwmark 2 lookup 102 priority 100
        route add default via 198.51.100.1 dev wan table 102
        -6 route add 2001:db8:77::/64 dev two table 102
        -6 route add default via 2001:db8:ff::1 dev wan table 102
        -6 rule add fwmark 2 lookup 102 priority 100
    """)
    return twin


def test_the_same_addresses_in_two_zones(lab, rules, warm):
    """With the rules each host has its bytes; without, none has the other's. Nor from the same port, where the kernel
    does not add the zone to a first packet."""
    desktop, twin, truth = lab.hosts[0], twin_lan(lab), Truth()
    config = lab.names() + lab.names([twin])
    with lab.meter("--lan", "two", config=config) as meter:
        warm(meter, truth)
        before = dict(meter.steady())
        for number in range(3):
            for host, size in (desktop, 100), (twin, 700):
                for ipv in 4, 6:
                    server = udp(lab.inet, lab.server(ipv), PORT)
                    asker = udp(lab[host.name], host.address(ipv), 5000 + 10 * (size == 700) + number)
                    truth.asked(host, ipv, talk(asker, server, (lab.server(ipv), PORT), size, size))
        counted = lab.settled(meter)
        if rules == "nflog":
            assert counted == truth
            for host, size in (desktop, 100), (twin, 700):
                server = udp(lab.inet, lab.server_v4, PORT)
                asker = udp(lab[host.name], host.v4, 6000)
                truth.asked(host, 4, talk(asker, server, (lab.server_v4, PORT), size, size))
            counted = lab.settled(meter)
            assert all(counted[key].bytes <= truth[key].bytes for key in counted if key[0] != "unknown")
            assert sum(count.bytes for count in counted.values()) == sum(count.bytes for count in truth.values())
            return
        assert {host for host, _, _ in counted} - {host for host, _, _ in before} == {"unknown"}
        assert sum(count.bytes for count in counted.values()) == sum(count.bytes for count in truth.values())


def test_what_a_zone_means_is_learned(lab, rules, warm):
    """Hosts whose address is in one of the networks only show which zone is which; then the others are told apart."""
    desktop, laptop, twin, truth = *lab.hosts[:2], twin_lan(lab), Truth()
    only = Host("twin", twin.mac, "192.168.77.99", "2001:db8:77::99")
    lab["twin"].ip(f"""
        address add {only.v4}/24 dev eth0
        -6 address add {only.v6}/64 dev eth0 nodad
    """)

    def ask(host, name, size, port):
        for ipv in 4, 6:
            server = udp(lab.inet, lab.server(ipv), PORT)
            asker = udp(lab[name], host.address(ipv), port)
            truth.asked(host, ipv, talk(asker, server, (lab.server(ipv), PORT), size, size))

    with lab.meter("--lan", "two", config=lab.names() + lab.names([twin])) as meter:
        warm(meter, truth)
        ask(laptop, laptop.name, 100, 5000)
        ask(only, "twin", 200, 5000)
        meter.steady()
        ask(desktop, desktop.name, 300, 5001)
        ask(twin, "twin", 400, 5002)
        assert lab.settled(meter) == truth
