# SPDX-License-Identifier: GPL-2.0-or-later
"""The reader that matters: a real Prometheus."""

import json
import urllib.parse

from lab import Count, Oracle, wait_until

CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: hostmeter
    static_configs:
      - targets: ["127.0.0.1:10060"]
"""


def query(lab, expression):
    """[(labels, value)] of an instant query."""
    url = "http://127.0.0.1:9090/api/v1/query?query=" + urllib.parse.quote(expression)
    answer = json.loads(lab.router.http_get(url))
    assert answer["status"] == "success", answer
    return [(row["metric"], float(row["value"][1])) for row in answer["data"]["result"]]


def test_prometheus_has_every_hosts_bytes(lab, traffic):
    oracle = Oracle(lab)
    lab.load_rules()
    (lab.scratch / "prometheus.yml").write_text(CONFIG)
    with lab.meter(config=lab.names()) as meter:
        lab.router.spawn("prometheus", f"--config.file={lab.scratch / 'prometheus.yml'}",
                         f"--storage.tsdb.path={lab.scratch / 'tsdb'}", "--web.listen-address=127.0.0.1:9090")
        lab.router.wait_listening(9090)
        for host in lab.hosts:
            traffic.http(host, 4)
            traffic.tcp_up(host, 6)
        lab.settled(meter)
        judged = oracle.hosts_counts()

        def stored():
            counts = {}
            for name, make in ("host_bytes_total", lambda v: Count(int(v), 0)), \
                              ("host_packets_total", lambda v: Count(0, int(v))):
                for labels, value in query(lab, name):
                    key = labels["host"], int(labels["ipv"]), labels["direction"]
                    counts[key] = counts.get(key, Count()) + make(value)
            return {key: count for key, count in counts.items() if count != Count()}

        wait_until(lambda: stored() == judged, deadline=30, what="Prometheus has what the oracle says")
        assert len(judged) == 12
        assert query(lab, 'up{job="hostmeter"}')[0][1] == 1
        macs = {(labels["host"], labels.get("mac")) for labels, _ in query(lab, "host_bytes_total")}
        assert macs >= {(host.name, host.mac) for host in lab.hosts}


def test_promtool_has_nothing_to_say(lab, traffic):
    lab.load_rules()
    with lab.meter(config=lab.names(lab.hosts[:2])) as meter:
        for host in lab.hosts:
            traffic.http(host, 4)
        lab.settled(meter)
        text = lab.router.http_get("http://127.0.0.1:10060/metrics")
        assert "host_bytes_total{" in text
        checked = lab.router.run("promtool", "check", "metrics", stdin=text, check=False)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_answer_says_its_format(lab):
    with lab.meter():
        head = lab.router.output("curl", "-sS", "-D", "-", "-o", "/dev/null", "http://127.0.0.1:10060/metrics")
        assert "200" in head.splitlines()[0]
        assert "content-type: text/plain; version=0.0.4" in head.lower()


def test_once_prints_what_the_page_has(lab, traffic):
    lab.load_rules()
    with lab.meter(config=lab.names()) as meter:
        traffic.http(lab.hosts[0], 4)
        settled = lab.settled(meter)
        assert settled and meter.hosts(meter.once()) == settled
        assert meter.hosts(lab.router.http_get("http://127.0.0.1:10060/metrics")) == settled
