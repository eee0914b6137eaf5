# SPDX-License-Identifier: GPL-2.0-or-later
"""Every kind of flow finds its first packet again, through NAT, both ways, however short it lives: no dump helps."""

import socket
import struct

import pytest
from lab import Count, Truth, conntrack_list, packet, say, talk, udp

NO_DUMPS = "--dump-interval", "3600"
SCTP, GRE, NOBODYS = 132, 47, 253
ECHO = 7


@pytest.fixture
def meter(lab, rules, warm, truth):
    with lab.meter(*NO_DUMPS, config=lab.names()) as running:
        warm(running, truth)
        yield running


@pytest.fixture
def truth():
    return Truth()


@pytest.fixture(autouse=True)
def every_answer_is_first_hand(request, rules):
    """With the rules no flow needs the neighbour table."""
    meter = request.getfixturevalue("meter")
    yield
    assert set(meter.attributed()) == {rules}


def raw(node, ipv, proto):
    sock = node.socket(socket.AF_INET6 if ipv == 6 else socket.AF_INET, socket.SOCK_RAW, proto)
    sock.settimeout(5)
    return sock


def count(ipv, payload):
    return Count(len(payload) + (40 if ipv == 6 else 20), 1)


def ask_raw(lab, host, ipv, proto, question, answer):
    """One packet of this protocol to the server and one back; the counts are as the router sees them."""
    server, client = raw(lab.inet, ipv, proto), raw(lab[host.name], ipv, proto)
    packet.send(lab[host.name], packet.ip(host.address(ipv), lab.server(ipv), proto, question))
    where = server.recvfrom(65536)[1][0]
    packet.send(lab.inet, packet.ip(lab.server(ipv), where, proto, answer))
    client.recv(65536)
    return count(ipv, question), count(ipv, answer)


def test_protocols_without_ports_and_rare_ones(lab, rules, meter, truth):
    """The router is told not to look at SCTP's checksum, which is nobody's here."""
    desktop = lab.hosts[0]
    lab.router.sysctl(netfilter__nf_conntrack_checksum=0)
    gre = struct.pack("!HH", 0, 0x0800)
    for ipv in 4, 6:
        for proto, question, answer in (
                (SCTP, packet.sctp(4000, 5000, 0, 1, 77, 100), packet.sctp(5000, 4000, 77, 2, 88, 300)),
                (GRE, gre + bytes(120), gre + bytes(360)), (NOBODYS, bytes(140), bytes(420))):
            truth.asked(desktop, ipv, ask_raw(lab, desktop, ipv, proto, question, answer))
    flows = [flow for flow in conntrack_list(lab.router) if flow.proto in ("sctp", "gre", "unknown")]
    assert len(flows) == 6 and all(side.packets == 1 for flow in flows for side in flow.counts), flows
    assert lab.settled(meter) == truth


def words(lab, start, *options):
    """The words of conntrack -L that start so, without that."""
    return [word[len(start):] for word in lab.router.output("conntrack", "-L", *options).split()
            if word.startswith(start)]


def test_echo_ids_that_nat_changes(lab, rules, meter, truth):
    """Two hosts ping with the same id, and behind one address they cannot both keep it."""
    lab.router.run("nft", "-f", "-", stdin=f"""
        table ip6 nat {{
            chain postrouting {{
                type nat hook postrouting priority srcnat
                oifname "{lab.wan}" masquerade
            }}
        }}""")
    for ipv, proto in (4, socket.IPPROTO_ICMP), (6, socket.IPPROTO_ICMPV6):
        for host, size in (lab.hosts[0], 100), (lab.hosts[1], 300):
            client = raw(lab[host.name], ipv, proto)
            asked = packet.echo_request(host.address(ipv), lab.server(ipv), 7777, size)
            packet.send(lab[host.name], asked)
            while client.recv(65536)[20 if ipv == 4 else 0] not in (0, 129):
                pass
            truth.asked(host, ipv, [Count(len(asked), 1)] * 2)
        ids = words(lab, "id=", "-f", f"ipv{ipv}")
        assert len(ids) == 4 and len(set(ids)) == 2, "NAT was to change one id"
    assert lab.settled(meter) == truth


def test_ports_that_nat_changes(lab, rules, meter, truth):
    """All hosts use one source port to one server port, in UDP and in TCP."""
    server = lab.inet.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.bind((lab.server_v4, ECHO))
    server.listen()
    hear = udp(lab.inet, lab.server_v4, ECHO)
    for number, host in enumerate(lab.hosts):
        counts = talk(udp(lab[host.name], host.v4, 4000), hear, (lab.server_v4, ECHO), 100, 300 + number)
        truth.asked(host, 4, counts)
        client = lab[host.name].socket(socket.AF_INET, socket.SOCK_STREAM)
        client.settimeout(5)
        client.bind((host.v4, 4000))
        client.connect((lab.server_v4, ECHO))
        session, _ = server.accept()
        client.sendall(bytes(100 + number))
        assert len(session.recv(2000)) == 100 + number
        session.close()
        assert client.recv(1) == b""
        client.close()
    lab.quiet()
    for flow in conntrack_list(lab.router):
        if flow.proto == "tcp":
            truth.asked(lab.host_of(flow.src[0]), 4, flow.counts)
    for kind in "udp", "tcp":
        replies = words(lab, "dport=", "-p", kind, "--orig-port-dst", str(ECHO))[1::2]
        assert len(replies) == len(set(replies)) == 3, "NAT was to change ports"
    assert lab.settled(meter) == truth


def test_both_ends_translated(lab, rules, meter, truth):
    """A port forward whose questions come from the router itself, as the host sees it."""
    laptop = lab.hosts[1]
    lab.port_forward(8007, laptop, ECHO, "udp")
    lab.router.run("nft", "add", "rule", "ip", "nat", "postrouting", "oifname", lab.lan, "ip", "daddr", laptop.v4,
                   "masquerade")
    service, stranger = udp(lab[laptop.name], laptop.v4, ECHO), udp(lab.inet, lab.server_v4)
    truth.answered(laptop, 4, talk(stranger, service, (lab.wan_v4, 8007)))
    assert lab.settled(meter) == truth


def test_many_short_flows(lab, rules, meter, truth):
    """Each is over before its first packet is read; each DESTROY waits for it."""
    hear = {ipv: udp(lab.inet, lab.server(ipv), ECHO) for ipv in (4, 6)}
    for turn in range(3):
        for host in lab.hosts:
            for ipv in 4, 6:
                for size in 100, 200, 300:
                    sock = udp(lab[host.name], host.address(ipv))
                    truth.asked(host, ipv, talk(sock, hear[ipv], (lab.server(ipv), ECHO), size + turn, 2 * size))
        lab.router.run("conntrack", "-F")
    assert lab.settled(meter) == truth


def test_fragments(lab, rules, meter, truth):
    """What the kernel tracks is the packet put together again: one IP header, no fragment header."""
    desktop = lab.hosts[0]
    server = {ipv: udp(lab.inet, lab.server(ipv), ECHO) for ipv in (4, 6)}
    for ipv in 4, 6:
        sock = udp(lab[desktop.name], desktop.address(ipv), 4000)
        truth.asked(desktop, ipv, talk(sock, server[ipv], (lab.server(ipv), ECHO), 5000, 20000))
    # Pieces so small that the first one has the ports and nothing more.
    payload = packet.udp_payload(desktop.v6, lab.server_v6, 4001, ECHO, 100)
    for piece in packet.fragments(desktop.v6, lab.server_v6, socket.IPPROTO_UDP, payload, 8):
        packet.send(lab[desktop.name], piece)
    data, back = server[6].recvfrom(2000)
    assert len(data) == 100
    truth.asked(desktop, 6, (Count(148, 1), say(server[6], back, 300)))
    assert lab.settled(meter) == truth


def test_extension_headers(lab, rules, meter, truth):
    desktop = lab.hosts[0]
    server = udp(lab.inet, lab.server_v6, ECHO)
    hop, dst = socket.IPPROTO_HOPOPTS, socket.IPPROTO_DSTOPTS
    for sport, headers in (4000, [dst]), (4001, [hop]), (4002, [hop, dst, dst]):
        chain = packet.udp_payload(desktop.v6, lab.server_v6, sport, ECHO, 100)
        for follows in [*headers[1:], socket.IPPROTO_UDP][::-1]:
            chain = packet.options(follows) + chain
        asked = packet.ip(desktop.v6, lab.server_v6, headers[0], chain)
        packet.send(lab[desktop.name], asked)
        data, back = server.recvfrom(2000)
        assert len(data) == 100 and back[1] == sport
        truth.asked(desktop, 6, (Count(len(asked), 1), say(server, back, 300)))
    assert lab.settled(meter) == truth
