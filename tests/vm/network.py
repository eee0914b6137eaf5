# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's network as the cases use it: two hosts, traffic, and nft counters beside the meter."""

import json
import select
import socket
from contextlib import contextmanager

from lab import Count, Host, Lab, nft_counters, talk, udp
from lab.talk import family
from lab.topology import HOSTS

TCP_PORT, UDP_PORT = 5001, 5002
TCP_BYTES = 300_000
DATAGRAMS = 10


def carry(sender, receiver, size):
    """This many bytes through a connection, both ends of which this program has."""
    data, sent, got = bytes(1 << 16), 0, 0
    while got < size:
        readable, writable, _ = select.select([receiver], [sender] if sent < size else [], [], 20)
        assert readable or writable, f"nothing moves after {got} of {size} bytes"
        if writable:
            sent += sender.send(data[:size - sent])
        if readable:
            got += len(receiver.recv(1 << 18))


class Network(Lab):
    hosts = HOSTS[:2]
    lan_v6 = "2001:db8:77::/64"

    def __init__(self):
        super().__init__()
        # Where a host's packets come in: {host: (the router's interface, the host's own)}.
        self.ports = {host: (host.name, "eth0") for host in self.hosts}

    def ports_of_lan(self):
        return [host.name for host in self.hosts]

    def nft(self, rules, node=None):
        (node or self.router).run("nft", "-f", "-", stdin=rules)

    def wan_is(self, interface):
        """Forwarded traffic leaves by this interface as well: translated, its TCP segments no longer than fit."""
        self.nft(f"""
            table ip nat {{ chain postrouting {{ oifname "{interface}" masquerade; }}; }}
            table inet clamp {{
                chain forward {{
                    type filter hook forward priority mangle + 1
                    oifname "{interface}" tcp flags syn tcp option maxseg size set rt mtu
                    iifname "{interface}" tcp flags syn tcp option maxseg size set rt mtu
                }}
            }}
        """)

    def move_wan(self, interface):
        """The WAN's addresses and routes are on this interface from now on."""
        self.router.ip(f"""
            address flush dev {self.wan}
            address add {self.wan_v4}/24 dev {interface}
            address add {self.wan_v6}/64 dev {interface} nodad
            link set {interface} up
            route replace default via {self.server_v4} dev {interface}
            route replace default via {self.server_v6} dev {interface}
        """)
        self.wan_is(interface)

    # --- Traffic

    def _tcp(self, host, ipv):
        here, far = self[host.name], self.far(ipv)
        kind = family(far), socket.SOCK_STREAM
        with self.inet.socket(*kind) as listener, here.socket(*kind) as client:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((far, TCP_PORT))
            listener.listen()
            listener.settimeout(20)
            client.settimeout(20)
            client.bind((host.address(ipv), 0))
            client.connect((far, TCP_PORT))
            server, _ = listener.accept()
            with server:
                carry(server, client, TCP_BYTES)
                carry(client, server, TCP_BYTES)

    def _udp(self, host, ipv):
        far = self.far(ipv)
        here, server = udp(self[host.name], host.address(ipv)), udp(self.inet, far, UDP_PORT)
        with here, server:
            for _ in range(DATAGRAMS):
                talk(here, server, (far, UDP_PORT), 1000, 1000)

    def traffic(self):
        """Each host, both families: TCP and UDP in both directions, and a ping."""
        for host in self.ports:
            for ipv in 4, 6:
                self._tcp(host, ipv)
                self._udp(host, ipv)
                self[host.name].run("ping", "-nqc", "1", "-I", host.address(ipv), self.far(ipv))

    def long_headers(self):
        """Each host sends UDP behind 128 bytes of IPv6 options: NFLOG's part of the packet ends before the ports."""
        option = bytes([0x1e, 124]) + bytes(124)  # experimental, to be skipped by those who do not know it
        for host in self.hosts:
            server = udp(self.inet, self.far_v6, UDP_PORT)
            with udp(self[host.name], host.v6) as sock, server:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, bytes([0, 15]) + option)
                sock.sendto(b"data", (self.far_v6, UDP_PORT))
                server.recv(100)

    # --- The truth

    def count_truth(self):
        """nft counts packets as they come in from a host, before any flowtable, and as they come in at the host."""
        names = "".join(f"counter {host.name}_{ipv}_out {{ }}\n" for host in self.ports for ipv in (4, 6))
        chains = "".join(f"""
            chain {host.name} {{
                type filter hook ingress device "{port}" priority -500
                ip saddr {host.v4} ip daddr {self.far_v4} counter name {host.name}_4_out
                ip6 saddr {host.v6} ip6 daddr {self.far_v6} counter name {host.name}_6_out
            }}
        """ for host, (port, _) in self.ports.items())
        self.nft(f"table netdev truth {{ {names} {chains} }}")
        for host, (_, own) in self.ports.items():
            self.nft(f"""
                table netdev truth {{
                    counter {host.name}_4_in {{ }}
                    counter {host.name}_6_in {{ }}
                    chain in {{
                        type filter hook ingress device "{own}" priority -500
                        ip saddr {self.far_v4} counter name {host.name}_4_in
                        ip6 saddr {self.far_v6} counter name {host.name}_6_in
                    }}
                }}
            """, self[host.name])

    def _counted(self, table_family, table, *nodes):
        """{(series, ipv, direction): Count}. A host without a MAC address is known by its addresses."""
        hosts, counts = {host.name: host for host in self.ports}, {}
        for node in nodes:
            for name, count in nft_counters(node, table_family, table).items():
                host, ipv, direction = name.split("_")
                series = host if hosts[host].mac else hosts[host].address(int(ipv))
                counts[series, int(ipv), direction] = count
        return counts

    def truth(self):
        return self._counted("netdev", "truth", self.router, *(self[host.name] for host in self.ports))

    def count_forwarded(self):
        """nft counts what passes the forward hook, which packets of a flowtable do not."""
        rules = "".join(f"""
            ip saddr {host.v4} ip daddr {self.far_v4} counter name {host.name}_4_out
            ip daddr {host.v4} ip saddr {self.far_v4} counter name {host.name}_4_in
            ip6 saddr {host.v6} ip6 daddr {self.far_v6} counter name {host.name}_6_out
            ip6 daddr {host.v6} ip6 saddr {self.far_v6} counter name {host.name}_6_in
        """ for host in self.hosts)
        names = "".join(f"counter {host.name}_{ipv}_{way} {{ }}\n" for host in self.hosts for ipv in (4, 6)
                        for way in ("in", "out"))
        self.nft(f"""
            table inet forwarded {{
                {names}
                chain forward {{ type filter hook forward priority -200; {rules} }}
            }}
        """)

    def forwarded(self):
        return self._counted("inet", "forwarded", self.router)

    def count_outer(self):
        """nft counts WireGuard's own packets at the router's WAN."""
        self.nft("""
            table inet outer {
                counter wireguard { }
                chain in { type filter hook input priority 0; iifname wan udp dport 51820 counter name wireguard; }
                chain out { type filter hook output priority 0; oifname wan udp sport 51820 counter name wireguard; }
            }
        """)

    def outer(self):
        return nft_counters(self.router, "inet", "outer")["wireguard"].bytes

    # --- Who is answered

    def answers(self, node, address):
        """The first line of what the metrics port answers to this node; "" where the connection ends without a byte."""
        with node.socket(family(address), socket.SOCK_STREAM) as sock:
            sock.settimeout(5)
            try:
                sock.connect((address, 10060))
                sock.sendall(b"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
                return sock.recv(4096).split(b"\r\n")[0].decode()
            except (ConnectionResetError, BrokenPipeError):
                return ""
            except OSError as error:
                return str(error)

    def warrior(self):
        """Adds a host on the Internet, 203.0.113.10, which reaches the router by the provider."""
        host = Host("warrior", "", "10.9.0.10", "2001:db8:9::10")
        self.node(host.name)
        self.inet.sysctl(ipv4__ip_forward=1)
        self.inet.ip(f"""
            link add away type veth peer name eth0 netns {host.name}
            address add 203.0.113.1/24 dev away
            link set away up
            route add 2001:db8:9::/64 via {self.wan_v6} dev eth0
        """)
        self[host.name].ip("""
            address add 203.0.113.10/24 dev eth0
            link set eth0 up
            route add 198.51.100.0/24 via 203.0.113.1 dev eth0
        """)
        self.ports[host] = "wg0", "wg0"
        return host

    def wireguard(self, *ends):
        """wg0 between two nodes. An end: (node, port, address and port of the other, what that may send, ip(8))."""
        keys = [node.output("wg", "genkey").strip() for node, *_ in ends]
        public = [ends[0][0].output("wg", "pubkey", stdin=key + "\n").strip() for key in keys]
        for (node, port, other, other_port, allowed, commands), key, peer in zip(ends, keys, public[::-1]):
            path = self.scratch / f"{node.name}.wg"
            endpoint = f"Endpoint = {other}:{other_port}\n" if other else ""
            path.write_text(f"[Interface]\nPrivateKey = {key}\nListenPort = {port}\n"
                            f"[Peer]\nPublicKey = {peer}\nAllowedIPs = {allowed}\n{endpoint}")
            node.ip("link add wg0 type wireguard")
            node.run("wg", "setconf", "wg0", path)
            node.ip(commands)


def sides(meter):
    return {row["interface"]: row["side"] for row in json.loads(meter.get("/api/v1/status"))["sides"]}


def wan_kinds(meter):
    """{(interface, kind): bytes} of what crossed the WANs, both directions together."""
    kinds = {}
    for (name, labels), value in meter.metrics().items():
        if name == "hostmeter_wan_bytes_total":
            label = dict(labels)
            key = label["interface"], label["kind"]
            kinds[key] = kinds.get(key, 0) + int(value)
    return kinds


@contextmanager
def noted(problems, what):
    """An error within is a problem of the case, not the end of it."""
    try:
        yield
    except Exception as error:  # pylint: disable=broad-except
        problems.append(f"{what}: {type(error).__name__}: {error}")


def total(counts):
    return sum(counts.values(), Count())
