# SPDX-License-Identifier: GPL-2.0-or-later
"""What is not there yet when the meter starts: it meters all the same, says so once, and takes it when it comes."""

import json
import socket

import pytest
from lab import PROGRAM, Truth, answered, talk, udp, wait_until

PORT = 9
LATE = "192.168.77.200"


def checked(meter, name, *options):
    """The state and the text of a line of --check."""
    done = meter.node.run(PROGRAM, "--config", meter.config, "--socket", meter.socket, "--check", "--json", *options,
                          check=False)
    rows = {row["name"]: row for row in json.loads(done.stdout)["checks"]}
    return rows[name]["state"], rows[name]["text"]


def waiting(meter):
    return {row["address"]: row["error"] for row in json.loads(meter.get("/api/v1/status"))["listen_waiting"]}


def said(meter, text):
    """The log has this, and the first dump is in: what begins now is counted from its first byte."""
    wait_until(lambda: text in meter.log(), what=text)
    wait_until(lambda: meter.value("hostmeter_ready") == 1, what="the first dump is in")


def exchange(lab, truth, host, times=3):
    server = udp(lab.inet, lab.server_v4, PORT)
    for _ in range(times):
        truth.asked(host, 4, talk(udp(lab[host.name], host.v4), server, (lab.server_v4, PORT)))


def exact(lab, meter, truth):
    assert {key: count for key, count in lab.settled(meter).items() if key[0] != "router"} == truth


def test_a_port_in_use_is_told_once_and_taken_when_it_is_free(lab):
    """The log, the metric, --check and the status tell; what is metered meanwhile is exact."""
    lab.load_rules()
    truth = Truth()
    with lab.router.entered():
        squatter = socket.create_server(("127.0.0.1", 10060))
    with lab.meter(config=f'listen = {{"127.0.0.1:10060"}}\n{lab.names()}') as meter:
        said(meter, 'listen "127.0.0.1:10060": in use by another program: tried again every 5 s; the meter runs')
        exchange(lab, truth, lab.hosts[0])
        assert meter.value("hostmeter_listen_waiting") == 1
        assert waiting(meter) == {"127.0.0.1:10060": "Address already in use"}
        state, text = checked(meter, "port")
        assert state == "bad" and "127.0.0.1:10060: in use by" in text
        exact(lab, meter, truth)
        squatter.close()
        wait_until(lambda: lab.router.listens(10060), 15, "it listens")
        answered(lab.router, "http://127.0.0.1:10060/metrics")
        assert meter.log().count('listen "127.0.0.1:10060": in use by another program') == 1
        assert meter.log().count("metrics: http://127.0.0.1:10060/metrics") == 1
        assert meter.value("hostmeter_listen_waiting") == 0 and waiting(meter) == {}
        assert checked(meter, "port") == ("ok", "127.0.0.1:10060 is the running meter's")
        assert meter.stop() == 0


@pytest.mark.parametrize("address", [LATE, "2001:db8:77::200"])
def test_an_address_that_comes_later(lab, address):
    host = f"[{address}]" if ":" in address else address
    with lab.meter(listen=f"{host}:10060") as meter:
        assert f'listen "{host}:10060": this machine does not have the address yet' in meter.log()
        assert meter.value("hostmeter_listen_waiting") == 1
        lab.router.ip(f"address add {address}/{64 if ':' in address else 24} dev {lab.lan}")
        # At once, by the kernel's event, and not by a timer.
        wait_until(lambda: lab.router.listens(10060), 2, "it listens")
        answered(lab.router, f"http://{host}:10060/metrics")
        answered(lab[lab.hosts[0].name], f"http://{host}:10060/metrics")
        # It goes and comes: the socket stays.
        lab.router.ip(f"address del {address}/{64 if ':' in address else 24} dev {lab.lan}")
        lab.router.ip(f"address add {address}/{64 if ':' in address else 24} dev {lab.lan}")
        wait_until(lambda: meter.value("hostmeter_listen_waiting") == 0, what="it listens still")
        answered(lab.router, f"http://{host}:10060/metrics")


def sides(meter):
    return {dict(labels)["interface"]: dict(labels)["side"] for name, labels in meter.metrics()
            if name == "hostmeter_interface_info"}


def plug_again(lab, tv):
    """The interface guest and its host's, made anew: another ifindex, the same name."""
    lab.router.ip(f"link add guest type veth peer name eth0 address {tv.mac} netns {tv.name}")
    lab[tv.name].ip(f"""
        address add {tv.v4}/24 dev eth0
        link set eth0 up
        route add default via 192.168.78.1 dev eth0
    """)
    lab.router.ip("address add 192.168.78.1/24 dev guest\nlink set guest up")


def test_a_lan_that_comes_later_and_again(lab, rules):
    """--lan guest, which a router makes after the meter started, and makes anew now and then."""
    truth = Truth()
    with lab.meter("--lan", "guest", config=lab.names()) as meter:
        said(meter, 'lan: there is no interface "guest" yet: it is metered when it comes')
        assert meter.value("hostmeter_interfaces_missing") == 1
        state, text = checked(meter, "lan", "--lan", "guest")
        assert state == "bad" and 'there is no interface "guest"' in text
        exchange(lab, truth, lab.hosts[0])
        exact(lab, meter, truth)
        tv = lab.second_lan()
        for again in range(3):
            if again:
                lab.router.ip("link del guest")
                wait_until(lambda: "guest" not in sides(meter), what="it is gone")
                plug_again(lab, tv)
            wait_until(lambda: sides(meter).get("guest") == "lan", what="it is a LAN")
            assert meter.value("hostmeter_interfaces_missing") == 0
            exchange(lab, truth, tv)
            exact(lab, meter, {(tv.mac if key[0] == "tv" else key[0], *key[1:]): count for key, count in truth.items()})
        assert checked(meter, "lan", "--lan", "guest")[0] == "ok"
        assert meter.stop() == 0


def test_a_wan_that_comes_later(lab, rules):
    """Hosts are served meanwhile, and what goes over it is counted from its first packet on."""
    desktop, truth = lab.hosts[0], Truth()
    with lab.meter("--wan", "wan2", config=lab.names()) as meter:
        said(meter, 'wan: there is no interface "wan2" yet')
        exchange(lab, truth, desktop)
        lab.second_wan()
        lab.default_routes("wan2")
        wait_until(lambda: sides(meter).get("wan2") == "wan", what="it is a WAN")
        server = udp(lab.inet, lab.far(4), PORT)
        truth.asked(desktop, 4, talk(udp(lab[desktop.name], desktop.v4), server, (lab.far(4), PORT)))
        exact(lab, meter, truth)
        assert meter.value("hostmeter_interfaces_missing") == 0
