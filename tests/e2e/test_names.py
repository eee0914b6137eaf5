# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of hosts from a real DHCP server, followed live."""

import pytest
from lab import wait_until


@pytest.fixture
def leases(lab):
    """A dnsmasq on the LAN; gives the file of its leases."""
    file = lab.scratch / "leases" / "dnsmasq.leases"
    file.parent.mkdir(exist_ok=True)
    server = lab.router.spawn(
        "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--log-facility=-",
        f"--interface={lab.lan}", "--bind-interfaces", "--dhcp-range=192.168.77.100,192.168.77.150,1h",
        f"--dhcp-leasefile={file}", "--dhcp-authoritative", "--no-ping", f"--pid-file={file}.pid")
    wait_until(lambda: "DHCP, IP range" in server.output(), what="dnsmasq serves")
    yield file
    server.kill()


def ask_for_lease(node, name):
    """The host keeps its address; all that counts is that the server hears its name."""
    node.run("busybox", "udhcpc", "-i", "eth0", "-f", "-n", "-q", "-t", "5", "-T", "1", "-s", "/bin/true", "-x",
             f"hostname:{name}")


def test_a_lease_names_its_host_and_a_rename_keeps_its_counts(lab, leases, traffic):
    """The old series ends, the new one goes on from the same value: a host is its MAC."""
    phone = lab.hosts[2]
    lab.load_rules()
    config = (f'names-leases = {{"{leases}"}}\nnames-ethers = {{}}\nnames-odhcpd = {{}}\nnames-hosts = {{}}\n'
              f'host "desktop" {{ mac = {{"{lab.hosts[0].mac}"}} }}\n')
    with lab.meter(config=config) as meter:
        for host in lab.hosts[0], phone:
            traffic.ping(host, 4)
            traffic.ping(host, 6)
        lab.settled(meter)

        def counts(label):
            return {key[1:]: count for key, count in meter.hosts().items() if key[0] == label}

        before = counts(phone.mac)
        assert before
        ask_for_lease(lab[phone.name], "tablet")
        wait_until(lambda: counts("tablet"), what="the lease's name")
        assert counts("tablet") == before and not counts(phone.mac)
        info = [dict(labels) for name, labels in meter.metrics() if name == "hostmeter_host_info"]
        assert [(i["mac"], i["random"], i["source"]) for i in info if i["host"] == "tablet"] == [(phone.mac, "0", "leases")]

        ask_for_lease(lab[phone.name], "reader")
        wait_until(lambda: counts("reader"), what="the new name")
        assert counts("reader") == before and not counts("tablet")
        traffic.ping(phone, 4)
        lab.settled(meter)
        assert counts("reader")[(4, "out")].bytes > before[(4, "out")].bytes

        # The configuration is trusted more than what a host calls itself.
        ask_for_lease(lab[lab.hosts[0].name], "router")
        wait_until(lambda: "router" in leases.read_text(), what="the lease")
        assert counts("desktop") and not counts("router-host")
