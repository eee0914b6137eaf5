# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks in which an address, a MAC or a name alone does not tell whose the bytes are.

All bytes are known before they are sent.
"""

import json
import signal

import pytest
from lab import Truth, talk, udp

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
