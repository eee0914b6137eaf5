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


NO_OTHER_NAMES = "names-ethers = {}\nnames-odhcpd = {}\nnames-hosts = {}\n"

# Each names the phone, whose MAC address and addresses are filled in.
FORMATS = {
    "ethers": "{mac} from-ethers\n",
    "bare-mac": "{bare} from-bare-mac\n",
    "hosts": "{v4} {v4}.lan from-hosts\n",
    "odhcpd": "# br-lan 00030001{bare} 0 broken\\x20from\\x20odhcpd 1713258215 d09 128 2001:db8:77::d09/128\n",
    "odhcpd-ipv4": "# br-lan {bare} ipv4 from-odhcpd-ipv4 1713258215 32 32 {v4}/32\n",
    "dhcp-hostsfile": "{mac},192.168.77.64,from-dhcp-hostsfile,infinite\n",
    "uci": "config host\n\toption name 'from-uci'\n\toption mac '{mac}'\n\toption ip '{v4}'\n",
    "dhcpd": "lease {v4} {{\n  hardware ethernet {mac};\n  client-hostname \"old\";\n}}\n"
             "lease {v4} {{\n  hardware ethernet {mac};\n  client-hostname \"from-dhcpd\";\n}}\n",
    "kea4": "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n"
            "{v4},{mac},,3600,1700000000,1,0,0,from-kea4.lan.,0,\n",
    "kea6": "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,"
            "hostname,hwaddr,state\n{v6},00:02:00:01,3600,1700000000,1,1800,0,7,128,0,0,from-kea6,{mac},0\n",
}


def test_a_name_comes_from_each_format(lab, traffic):
    """A file's format is known by its content; one that has none is told of."""
    phone, file = lab.hosts[2], lab.scratch / "names"
    shown = {"mac": phone.mac, "bare": phone.mac.replace(":", ""), "v4": phone.v4, "v6": phone.v6}
    lab.load_rules()
    with lab.meter(config=f'names-leases = {{"{file}"}}\n' + NO_OTHER_NAMES) as meter:
        traffic.ping(phone, 4)
        traffic.ping(phone, 6)
        lab.settled(meter)
        for kind, text in FORMATS.items():
            file.write_text(text.format(**shown))
            name = "from odhcpd" if kind == "odhcpd" else f"from-{kind}"
            wait_until(lambda: name in {host for host, _, _ in meter.hosts()}, what=name)

        file.write_text(f"phone = {phone.mac}\n")
        wait_until(lambda: phone.mac in {host for host, _, _ in meter.hosts()}, what="no name")
        wait_until(lambda: f"names: {file}: no line of it could be used\n" in meter.log(), what="the log tells of it")


def test_a_lease_cannot_take_a_configured_name(lab, traffic):
    desktop, phone = lab.hosts[0], lab.hosts[2]
    file = lab.scratch / "names"
    file.write_text(f"1700000000 {phone.mac} {phone.v4} desktop *\n")
    lab.load_rules()
    with lab.meter(config=f'names-leases = {{"{file}"}}\nhost "desktop" {{ mac = {{"{desktop.mac}"}} }}\n' +
                   NO_OTHER_NAMES) as meter:
        for host in desktop, phone:
            traffic.ping(host, 4)
        lab.settled(meter)
        info = {labels["mac"]: labels["host"] for labels in
                (dict(labels) for name, labels in meter.metrics() if name == "hostmeter_host_info")}
        assert info[desktop.mac] == "desktop" and info[phone.mac] == "desktop-host", info
