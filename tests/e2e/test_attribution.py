# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose a flow is: hosts that come, go, hide and answer. docs/attribution.md lists these cases."""

import re
import socket
import threading

import pytest
from lab import Count, Truth, Tun, conntrack_list, nft_counters, packet, say, talk, udp, wait_until

NFLOG_ONLY = pytest.mark.parametrize("rules", ["nflog"], indirect=True)
NEIGHBOUR_ONLY = pytest.mark.parametrize("rules", ["neighbour"], indirect=True)
# Nothing but the end of a flow tells its bytes.
NO_DUMPS = "--dump-interval", "3600"
ECHO = 7


def pass_on(lab, ipv, old, new):
    """The LAN's address .50 leaves one host and is another's at once; the router asks anew, as after a while."""
    address = lease(ipv)
    length = 24 if ipv == 4 else 64
    if old:
        lab[old.name].ip(f"address del {address}/{length} dev eth0")
    lab[new.name].ip(f"address add {address}/{length} dev eth0 {'nodad' if ipv == 6 else ''}")
    lab.router.ip(f"neighbour flush dev {lab.lan}")


def lease(ipv):
    return "192.168.77.50" if ipv == 4 else "2001:db8:77::50"


def outside(lab, ipv, sport):
    """Where the server finds this host's port."""
    return (lab.wan_v4 if ipv == 4 else lease(ipv)), sport


# --- An address that is another's


def test_address_passes_to_another_host_while_a_flow_is_open(lab, rules):
    desktop, laptop, _ = lab.hosts
    truth = Truth()
    server = {ipv: udp(lab.inet, lab.server(ipv), ECHO) for ipv in (4, 6)}
    with lab.meter(config=lab.names()) as meter:
        for ipv in 4, 6:
            pass_on(lab, ipv, None, desktop)
        old = {ipv: udp(lab[desktop.name], lease(ipv), 4000) for ipv in (4, 6)}
        for ipv in 4, 6:
            truth.asked(desktop, ipv, talk(old[ipv], server[ipv], (lab.server(ipv), ECHO)))
        wait_until(lambda: meter.hosts() == truth, what="a dump brings the open flows")
        for ipv in 4, 6:
            pass_on(lab, ipv, desktop, laptop)
            new = udp(lab[laptop.name], lease(ipv), 4001)
            truth.asked(laptop, ipv, talk(new, server[ipv], (lab.server(ipv), ECHO), 50, 1000))
            # The server has not heard of it yet: the old flow goes on.
            truth[desktop.name, ipv, "in"] += say(server[ipv], outside(lab, ipv, 4000), 500)
        assert lab.settled(meter) == truth
        assert meter.attributed().get("nflog", 0) == (4 if rules == "nflog" else 0)


# Without rules nobody knows of the first flow before it is the second host's address.
@NFLOG_ONLY
def test_address_passes_on_before_any_dump(lab, rules, warm):
    desktop, laptop, _ = lab.hosts
    truth = Truth()
    with lab.meter(*NO_DUMPS, config=lab.names()) as meter:
        warm(meter, truth)
        for ipv in 4, 6:
            server = udp(lab.inet, lab.server(ipv), ECHO)
            pass_on(lab, ipv, None, desktop)
            old = udp(lab[desktop.name], lease(ipv), 4000)
            truth.asked(desktop, ipv, talk(old, server, (lab.server(ipv), ECHO)))
            pass_on(lab, ipv, desktop, laptop)
            new = udp(lab[laptop.name], lease(ipv), 4001)
            truth.asked(laptop, ipv, talk(new, server, (lab.server(ipv), ECHO), 50, 1000))
            truth[desktop.name, ipv, "in"] += say(server, outside(lab, ipv, 4000), 500)
        assert lab.settled(meter) == truth
        assert set(meter.attributed()) == {"nflog"}


def test_address_passes_on_after_the_flow_has_ended(lab, rules):
    """Its DESTROY overtakes its first packet, which waits in the kernel for company."""
    desktop, laptop, _ = lab.hosts
    truth = Truth()
    with lab.meter(*NO_DUMPS, config=lab.names()) as meter:
        for ipv in 4, 6:
            server = udp(lab.inet, lab.server(ipv), ECHO)
            pass_on(lab, ipv, None, desktop)
            old = udp(lab[desktop.name], lease(ipv), 4000)
            truth.asked(desktop, ipv, talk(old, server, (lab.server(ipv), ECHO)))
            lab.router.run("conntrack", "-F")
            pass_on(lab, ipv, desktop, laptop)
            new = udp(lab[laptop.name], lease(ipv), 4001)
            truth.asked(laptop, ipv, talk(new, server, (lab.server(ipv), ECHO), 50, 1000))
        assert lab.settled(meter) == truth
        assert sum(meter.attributed().values()) == 4


# --- Addresses that come and go


@pytest.mark.parametrize("dumps", [(), NO_DUMPS], ids=["dumps", "ends"])
def test_privacy_addresses_are_one_host(lab, rules, dumps):
    """Five IPv6 addresses in turn, beside IPv4; the router has forgotten each of them when its flow ends."""
    desktop = lab.hosts[0]
    node, truth = lab[desktop.name], Truth()
    server = {ipv: udp(lab.inet, lab.server(ipv), ECHO) for ipv in (4, 6)}
    with lab.meter(*dumps, config=lab.names()) as meter:
        truth.asked(desktop, 4, talk(udp(node, desktop.v4), server[4], (lab.server_v4, ECHO)))
        for number in range(1, 6):
            address = f"2001:db8:77::{number}:cafe"
            node.ip(f"address add {address}/64 dev eth0 nodad")
            truth.asked(desktop, 6, talk(udp(node, address), server[6], (lab.server_v6, ECHO), 100, 200 * number))
            node.ip(f"address del {address}/64 dev eth0")
            if number % 2:
                lab.router.ip(f"neighbour del {address} dev {lab.lan}")
            else:
                lab.router.ip(f"neighbour flush dev {lab.lan}")
        lab.router.ip(f"neighbour flush dev {lab.lan}")
        assert "lladdr" not in lab.router.output("ip", "neighbour", "show", "dev", lab.lan)
        assert lab.settled(meter) == truth
        assert {key[0] for key in truth} == {desktop.name}
        assert {dict(labels)["mac"] for name, labels in meter.metrics() if name == "host_bytes_total"} \
            <= {"", desktop.mac}


# --- Begun from the WAN


def test_inbound_flow_is_the_hosts(lab, rules, warm):
    """IPv4 through a port forward, IPv6 straight to it. A host that does not answer shows no packet of its own."""
    laptop, truth = lab.hosts[1], Truth()
    lab.port_forward(8053, laptop, 53, "udp")
    with lab.meter(*NO_DUMPS, config=lab.names()) as meter:
        warm(meter, truth)
        for ipv, to in (4, (lab.wan_v4, 8053)), (6, (laptop.v6, 53)):
            service = udp(lab[laptop.name], laptop.address(ipv), 53)
            stranger = udp(lab.inet, lab.server(ipv))
            truth.answered(laptop, ipv, talk(stranger, service, to))
            truth[laptop.name, ipv, "in"] += say(udp(lab.inet, lab.server(ipv)), to, 700)
            assert len(service.recv(2000)) == 700
        assert lab.settled(meter) == truth
        by = meter.attributed()
        assert by["neighbour"] == 2 if rules == "nflog" else by == {"neighbour": 4}


def test_flow_that_came_assured_is_the_neighbours(lab):
    """As conntrackd brings it from another router: the rules pass it by, and the neighbour table tells whose it is."""
    laptop, truth = lab.hosts[1], Truth()
    lab.load_rules()
    with lab.meter(*NO_DUMPS, config=lab.names()) as meter:
        lab.router.run("conntrack", "-I", "-p", "udp", "-s", laptop.v6, "-d", lab.server_v6, "--sport", 5000, "--dport", 9,
                       "-t", 60, "-u", "SEEN_REPLY,ASSURED")
        asker, answerer = udp(lab[laptop.name], laptop.v6, 5000), udp(lab.inet, lab.server_v6, 9)
        truth.asked(laptop, 6, talk(asker, answerer, (lab.server_v6, 9)))
        assert not meter.value("hostmeter_sightings_total")
        assert lab.settled(meter) == truth
        assert meter.attributed() == {"neighbour": 1}


def test_inbound_to_nobody_is_unknown(lab, rules):
    """Somebody tries an address that no host has. Its bytes did come over the WAN."""
    truth = Truth()
    stranger = udp(lab.inet, lab.server_v6)
    with lab.meter(config=lab.names()) as meter:
        truth["unknown", 6, "in"] = say(stranger, ("2001:db8:77::dead", 53), 700)
        wait_until(lambda: conntrack_list(lab.router), what="it went through the router")
        wait_until(lambda: meter.value("hostmeter_flows_undecided") == 1, what="its bytes are held back")
        assert meter.hosts() == {}
        assert lab.settled(meter) == truth
        assert meter.attributed() == {"none": 1}


def ftp_judge(lab, host):
    """The true bytes of all TCP to and from this host, over the WAN; and the kernel's helper for port 21."""
    lab.router.run("nft", "-f", "-", stdin=f"""
        table ip ftp {{
            ct helper ftp {{
                type "ftp" protocol tcp
                l3proto ip
            }}
            counter in {{ }}
            counter out {{ }}
            chain prerouting {{
                type filter hook prerouting priority filter
                tcp dport 21 ct helper set "ftp"
            }}
            chain forward {{
                type filter hook forward priority filter
                ct state related counter
                iifname "{lab.wan}" ip daddr {host.v4} meta l4proto tcp counter name in
                oifname "{lab.wan}" ip saddr {host.v4} meta l4proto tcp counter name out
            }}
        }}""")

    def read():
        counters = nft_counters(lab.router, "ip", "ftp")
        return {(host.name, 4, way): counters[way] for way in ("in", "out")}

    return read


def listening(node, address, port=0):
    sock = node.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(5)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.listen()
    return sock


def connected(node, to, sport=0):
    sock = node.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(5)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("0.0.0.0", sport))
    sock.connect(to)
    return sock


def address_in(text):
    """The (address, port) of six numbers with commas."""
    numbers = re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", text).groups()
    return ".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])


def six_numbers(sock):
    address, port = sock.getsockname()
    return ",".join([*address.split("."), str(port // 256), str(port % 256)])


def download(sender, receiver, size=200_000):
    """All of it one way, then goodbye from both."""
    writer = threading.Thread(target=sender.sendall, args=(bytes(size),))
    writer.start()
    got = 0
    while got < size:
        got += len(receiver.recv(65536))
    writer.join()
    sender.close()
    assert receiver.recv(1) == b""
    receiver.close()


def test_ftp_data_is_the_hosts_that_began_the_session(lab, rules, warm):
    """A RELATED flow that the kernel's helper expects: active from the server to the host, through its NAT."""
    desktop, truth = lab.hosts[0], Truth()
    node = lab[desktop.name]
    judge = ftp_judge(lab, desktop)
    door = listening(lab.inet, lab.server_v4, 21)
    with lab.meter(*NO_DUMPS, config=lab.names()) as meter:
        warm(meter, truth)
        control = connected(node, (lab.server_v4, 21))
        session, _ = door.accept()
        # The helper reads from the second line on, in each direction.
        session.sendall(b"220 lab\r\n")
        assert control.recv(100)
        control.sendall(b"USER lab\r\n")
        assert session.recv(100)

        active = listening(node, desktop.v4)
        control.sendall(f"PORT {six_numbers(active)}\r\n".encode())
        to = address_in(session.recv(100).decode())
        assert to[0] == lab.wan_v4, "the helper did not translate"
        sender = connected(lab.inet, to, 20)
        download(sender, active.accept()[0])

        passive = listening(lab.inet, lab.server_v4)
        session.sendall(f"227 Entering Passive Mode ({six_numbers(passive)})\r\n".encode())
        receiver = connected(node, address_in(control.recv(100).decode()))
        download(passive.accept()[0], receiver)

        for sock in control, session:
            sock.close()
        assert "ct state related counter packets 2 " in lab.router.output("nft", "list", "table", "ip", "ftp")
        assert lab.settled(meter) == {**truth, **judge()}
        assert judge()[desktop.name, 4, "in"].bytes > 400_000
        assert set(meter.attributed()) == {rules}


def test_icmp_error_makes_no_flow_of_its_own(lab, rules):
    """The server refuses the port. The kernel counts that for no entry: it is in no counter, not even in another's."""
    desktop, truth = lab.hosts[0], Truth()
    with lab.meter(config=lab.names()) as meter:
        for ipv in 4, 6:
            asker = udp(lab[desktop.name], desktop.address(ipv))
            asker.connect((lab.server(ipv), 9))
            asker.send(bytes(100))
            with pytest.raises(ConnectionRefusedError):
                asker.recv(100)
            truth[desktop.name, ipv, "out"] = Count(128 if ipv == 4 else 148, 1)
        assert lab.settled(meter) == truth


# --- Hosts without MAC


@pytest.fixture
def tunnel(lab):
    """A tunnel to 10.8.0.0/24 and 2001:db8:8::/64; its hosts are whoever writes into it."""
    with Tun(lab.router, "tun0") as tun:
        lab.router.ip("""
            address add 10.8.0.1/24 dev tun0
            address add 2001:db8:8::1/64 dev tun0 nodad
            link set tun0 up
        """)
        lab.inet.ip(f"route add 2001:db8:8::/64 via {lab.wan_v6} dev eth0")
        yield tun


def ask_through(tunnel, src, answerer, to, ask=100, answer=300):
    """A talk() that somebody behind the tunnel begins."""
    tunnel.write(packet.udp(src, to[0], 4000, to[1], ask))
    data, back = answerer.recvfrom(2000)
    assert len(data) == ask
    answered = say(answerer, back[:2], answer)
    assert len(tunnel.read()) == answered.bytes
    return Count(answered.bytes - answer + ask, 1), answered


def macs(meter):
    return {dict(labels)["host"]: dict(labels)["mac"] for name, labels in meter.metrics() if name == "host_bytes_total"}


def test_hosts_without_mac_are_told_apart_by_address(lab, rules, tunnel):
    truth = Truth()
    server = {ipv: udp(lab.inet, lab.server(ipv), ECHO) for ipv in (4, 6)}
    with lab.meter("--lan", "tun0", *NO_DUMPS, config='host "roadwarrior" { address = {"10.8.0.2"} }\n') as meter:
        for name, src, size in (("roadwarrior", "10.8.0.2", 100), ("10.8.0.3", "10.8.0.3", 300),
                                ("2001:db8:8::3", "2001:db8:8::3", 500)):
            ipv = 6 if ":" in src else 4
            truth.asked(name, ipv, ask_through(tunnel, src, server[ipv], (lab.server(ipv), ECHO), size, 2 * size))
        assert lab.settled(meter) == truth
        assert {macs(meter)[host] for host, _, _ in truth} == {""}


def test_addresses_of_one_name_are_one_host(lab, rules, tunnel):
    truth = Truth()
    with lab.meter("--lan", "tun0", config='host "roadwarrior" { address = {"10.8.0.2", "2001:db8:8::2"} }\n') as meter:
        for ipv, src in (4, "10.8.0.2"), (6, "2001:db8:8::2"):
            server = udp(lab.inet, lab.server(ipv), ECHO)
            truth.asked("roadwarrior", ipv, ask_through(tunnel, src, server, (lab.server(ipv), ECHO)))
        assert lab.settled(meter) == truth


def test_inbound_to_a_host_without_mac(lab, rules, tunnel):
    truth, stranger = Truth(), udp(lab.inet, lab.server_v6, 5000)
    with lab.meter("--lan", "tun0", *NO_DUMPS, config=lab.names()) as meter:
        asked = say(stranger, ("2001:db8:8::9", 53), 400)
        assert len(tunnel.read()) == asked.bytes
        tunnel.write(packet.udp("2001:db8:8::9", lab.server_v6, 53, 5000, 600))
        assert len(stranger.recv(2000)) == 600
        truth.answered("2001:db8:8::9", 6, (asked, Count(648, 1)))
        assert lab.settled(meter) == truth


def test_tunnel_to_lan_is_local_for_both(lab, rules, tunnel):
    desktop, truth = lab.hosts[0], Truth()
    service = udp(lab[desktop.name], desktop.v4, ECHO)
    with lab.meter("--lan", "tun0", *NO_DUMPS, config=lab.names()) as meter:
        counts = ask_through(tunnel, "10.8.0.2", service, (desktop.v4, ECHO))
        truth.asked("10.8.0.2", 4, counts)
        truth.answered(desktop, 4, counts)
        assert lab.settled(meter) == {}
        assert meter.local() == truth


# --- Behind another router, and nobody


def test_second_router_behind_the_lan_is_one_host(lab, rules, warm):
    """Its hosts have its MAC, and that is all there is to see."""
    laptop, truth = lab.hosts[1], Truth()
    barn = lab.node("barn")
    barn.ip(f"""
        link add eth0 type veth peer name barn netns {laptop.name}
        address add 10.20.0.2/24 dev eth0
        address add 2001:db8:20::2/64 dev eth0 nodad
        link set eth0 up
    """)
    lab[laptop.name].ip("""
        address add 10.20.0.1/24 dev barn
        address add 2001:db8:20::1/64 dev barn nodad
        link set barn up
    """)
    lab[laptop.name].sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
    barn.ip("""
        route add default via 10.20.0.1 dev eth0
        route add default via 2001:db8:20::1 dev eth0
    """)
    lab.router.ip(f"""
        route add 10.20.0.0/24 via {laptop.v4} dev {lab.lan}
        route add 2001:db8:20::/64 via {laptop.v6} dev {lab.lan}
    """)
    lab.inet.ip(f"route add 2001:db8:20::/64 via {lab.wan_v6} dev eth0")
    with lab.meter(*NO_DUMPS, config=lab.names()) as meter:
        warm(meter, truth)
        for ipv, src in (4, "10.20.0.2"), (6, "2001:db8:20::2"):
            server, to = udp(lab.inet, lab.server(ipv), ECHO), (lab.server(ipv), ECHO)
            truth.asked(laptop, ipv, talk(udp(barn, src), server, to))
            truth.asked(laptop, ipv, talk(udp(lab[laptop.name], laptop.address(ipv)), server, to))
        assert lab.settled(meter) == truth
        assert set(meter.attributed()) == {rules}


def strangers(lab, meter, truth, host):
    """Both families: a datagram from an address that the router has never heard of. Returns where they came in."""
    sinks = {}
    for ipv in 4, 6:
        sinks[ipv] = udp(lab.inet, lab.server(ipv), 9)
        asked = packet.udp(lease(ipv), lab.server(ipv), 4000, 9, 100)
        packet.send(lab["desktop"], asked)
        sinks[ipv].recv(2000)
        truth[host, ipv, "out"] = Count(len(asked), 1)
    wait_until(lambda: meter.value("hostmeter_flows_undecided") == 2, what="their bytes are held back")
    assert meter.hosts() == {}
    return sinks


@NEIGHBOUR_ONLY
def test_unknown_stays_unknown(lab, rules):
    """A source that nobody answers is in no neighbour table; what was counted as unknown is not moved afterwards."""
    desktop, truth = lab.hosts[0], Truth()
    with lab.meter(config=lab.names()) as meter:
        strangers(lab, meter, truth, "unknown")
        assert lab.settled(meter) == truth
        for ipv in 4, 6:
            # Now it is answered, and from now on it is known.
            pass_on(lab, ipv, None, desktop)
            server = udp(lab.inet, lab.server(ipv), ECHO)
            truth.asked(desktop, ipv, talk(udp(lab["desktop"], lease(ipv)), server, (lab.server(ipv), ECHO)))
        assert lab.settled(meter) == truth


@NEIGHBOUR_ONLY
def test_bytes_held_back_go_where_they_belong(lab, rules):
    """The neighbour table learns the address while the flow lives: all its bytes are that host's."""
    desktop, truth = lab.hosts[0], Truth()
    with lab.meter(config=lab.names()) as meter:
        sinks = strangers(lab, meter, truth, desktop.name)
        for ipv in 4, 6:
            pass_on(lab, ipv, None, desktop)
            truth[desktop.name, ipv, "in"] = say(sinks[ipv], outside(lab, ipv, 4000), 700)
        wait_until(lambda: meter.hosts() == truth, what="a dump brings it, all at once")
        assert lab.settled(meter) == truth
