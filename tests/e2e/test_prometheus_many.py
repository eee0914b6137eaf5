# SPDX-License-Identifier: GPL-2.0-or-later
"""One Prometheus for many routers, with the configuration that rules/prometheus has."""

import json
import shutil
import urllib.parse

from lab import Meter, wait_until
from lab.meter import ROOT
from lab.topology import Host

CABIN_V4, CABIN_GATE_V4, CABIN_LAN_V4 = "203.0.113.2", "203.0.113.1", "192.168.80.1"
# The laptop has gone to the cabin: its MAC address there is the one that both configurations name.
GUEST = Host("guest", "00:00:5e:00:53:0c", "192.168.80.12", "2001:db8:80::12")


def cabin(lab):
    """A second router at the same Internet, with one host; returns its node."""
    inet, router, host = lab.inet, lab.node("cabin"), lab.node(GUEST.name)
    router.ip(f"""
        link add wan type veth peer name cabin netns inet
        link add lan type veth peer name eth0 address {GUEST.mac} netns {GUEST.name}
        address add {CABIN_V4}/24 dev wan
        address add {CABIN_LAN_V4}/24 dev lan
        link set wan up
        link set lan up
        route add default via {CABIN_GATE_V4} dev wan
    """)
    inet.ip(f"address add {CABIN_GATE_V4}/24 dev cabin\nlink set cabin up")
    inet.sysctl(ipv4__ip_forward=1)
    host.ip(f"address add {GUEST.v4}/24 dev eth0\nlink set eth0 up\nroute add default via {CABIN_LAN_V4} dev eth0")
    router.sysctl(ipv4__ip_forward=1)
    router.run("nft", "-f", "-", stdin="""
        table ip nat {
            chain postrouting {
                type nat hook postrouting priority srcnat
                oifname "wan" masquerade
            }
        }
    """)
    router.sysctl(netfilter__nf_conntrack_acct=1, netfilter__nf_conntrack_events=1)
    return router


def test_one_prometheus_for_two_routers(lab, traffic):
    away = cabin(lab)
    names = lab.names()
    shutil.copytree(ROOT / "rules/prometheus", lab.scratch / "prometheus")
    config = lab.scratch / "prometheus/prometheus.yml"
    example = config.read_text()
    # Faster than anybody would want it: a test cannot wait for minutes.
    config.write_text(example.replace("scrape_interval: 15s", "scrape_interval: 1s").replace(
        "evaluation_interval: 1m", "evaluation_interval: 1s"))
    assert config.read_text() != example
    routers = lab.scratch / "prometheus/routers"
    shutil.rmtree(routers)
    routers.mkdir()

    def query(expression):
        url = "http://127.0.0.1:9090/api/v1/query?query=" + urllib.parse.quote(expression)
        answer = json.loads(lab.router.http_get(url))
        assert answer["status"] == "success", answer
        return [(row["metric"], float(row["value"][1])) for row in answer["data"]["result"]]

    def listed(name, target):
        (routers / f"{name}.new").write_text(json.dumps([{"targets": [target], "labels": {"instance": name}}]))
        (routers / f"{name}.new").rename(routers / f"{name}.yml")
        wait_until(lambda: query(f'up{{job="hostmeter", instance="{name}"}} == 1'), 30, f"{name} is scraped")

    there = Meter(lab, node=away, listen=":10060", interfaces=("--lan", "lan", "--wan", "wan"),
                  config=names + f'allow = {{"{lab.wan_v4}"}}\n')
    with lab.meter(config=names) as here, there:
        lab.router.spawn("prometheus", f"--config.file={config}", f"--storage.tsdb.path={lab.scratch / 'tsdb'}",
                         "--web.listen-address=127.0.0.1:9090")
        lab.router.wait_listening(9090)
        listed("home", "127.0.0.1:10060")
        listed("cabin", f"{CABIN_V4}:10060")
        for host in *lab.hosts[:2], GUEST:
            traffic.http(host, 4)

        def bytes_of(meter):
            counts = {}
            for (host, _, _), count in meter.hosts().items():
                counts[host] = counts.get(host, 0) + count.bytes
            return counts

        wait_until(lambda: bytes_of(here).get("laptop", 0) > 300_000 and bytes_of(there).get("laptop", 0) > 300_000,
                   what="both meters have seen the laptop")

        def together():
            home, far = bytes_of(here), bytes_of(there)
            want = {host: home.get(host, 0) + far.get(host, 0) for host in ("desktop", "laptop")}
            got = {labels["host"]: value for labels, value in query("sum by (host) (host_bytes_total)")}
            return want.items() <= got.items() and want["laptop"] > 600_000 > want["desktop"] > 300_000

        wait_until(together, 30, "the laptop's bytes of both places in one sum")
        wait_until(lambda: {labels["instance"] for labels, _ in query('host:bytes:rate5m{host="laptop"} >= 0')}
                   == {"home", "cabin"}, 30, "the recording rules keep the two apart")
        (routers / "cabin.yml").unlink()
        wait_until(lambda: not query('up{instance="cabin"}'), 30, "a router that is not listed is not scraped")
