# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes out: both formats, the JSON interface, and who gets an answer at all."""

import gzip
import json
import os
import socket
import stat
import urllib.parse
from pathlib import Path

import pytest
from lab import answered, closed, curl, host_counts, parse_metrics, wait_until
from lab.meter import PROGRAM
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

LOCAL = "http://127.0.0.1:10060"
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

# Prometheus 2.42 always asks for OpenMetrics first; what comes through here asks for nothing.
PLAIN_PROXY = """
import http.server, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = urllib.request.urlopen("http://127.0.0.1:10060" + self.path)
        body = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", 10061), Handler).serve_forever()
"""

PROMETHEUS = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: openmetrics
    static_configs:
      - targets: ["127.0.0.1:10060"]
  - job_name: text
    static_configs:
      - targets: ["127.0.0.1:10061"]
"""


def headers(node, url, *options):
    """(status line, {lower-case name: value})."""
    first, *rest = node.output("curl", "-sSg", "-D", "-", "-o", "/dev/null", *options, url).splitlines()
    return first, {name.lower(): value for name, _, value in (line.partition(": ") for line in rest if line)}


# --- Formats

def test_both_formats_say_the_same(lab, traffic):
    lab.load_rules()
    with lab.meter(config=lab.names(lab.hosts[:2])) as meter:
        for host in lab.hosts:
            traffic.http(host, 4)
            traffic.http(host, 6)
        lab.settled(meter)
        text = parse_metrics(answered(lab.router, LOCAL + "/metrics"))
        families = list(parse_openmetrics(answered(lab.router, LOCAL + "/metrics", "-H", f"Accept: {OPENMETRICS}")))
        samples = {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples}
        assert samples.keys() == text.keys() and len(samples) > 100
        assert host_counts(samples) == host_counts(text) != {}
        types = {family.name: family.type for family in families}
        assert types["host_bytes"] == "counter" and types["hostmeter_build"] == "info"
        units = {family.name: family.unit for family in families}
        assert units["host_bytes"] == "bytes" and units["process_cpu_seconds"] == "seconds"
        assert all(sample.timestamp is None for family in families for sample in family.samples)


def test_answers_say_their_format(lab):
    with lab.meter():
        _, text = headers(lab.router, LOCAL + "/metrics")
        assert text["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        _, openmetrics = headers(lab.router, LOCAL + "/metrics", "-H", f"Accept: {OPENMETRICS}")
        assert openmetrics["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        assert text["vary"] == openmetrics["vary"] == "Accept, Accept-Encoding"
        for path in "/api/v1/hosts", "/api/v1/status":
            assert headers(lab.router, LOCAL + path)[1]["content-type"] == "application/json"


def test_promtool_has_nothing_to_say(lab, traffic):
    lab.load_rules()
    with lab.meter(config=lab.names()) as meter:
        traffic.http(lab.hosts[0], 4)
        lab.settled(meter)
        checked = lab.router.run("promtool", "check", "metrics", stdin=answered(lab.router, LOCAL + "/metrics"), check=False)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_real_prometheus_reads_both(lab, traffic):
    lab.load_rules()
    (lab.scratch / "proxy.py").write_text(PLAIN_PROXY)
    (lab.scratch / "prometheus.yml").write_text(PROMETHEUS)

    def ask(path, **query):
        answer = json.loads(lab.router.http_get(f"http://127.0.0.1:9090{path}?{urllib.parse.urlencode(query)}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def counts(job):
        rows = ask("/api/v1/query", query=f'host_bytes_total{{job="{job}"}}')["result"]
        return {(row["metric"]["host"], row["metric"]["ipv"], row["metric"]["direction"]): row["value"][1] for row in rows}

    with lab.meter(config=lab.names()) as meter:
        lab.router.spawn("/usr/bin/python3", lab.scratch / "proxy.py")
        lab.router.wait_listening(10061)
        lab.router.spawn("prometheus", f"--config.file={lab.scratch / 'prometheus.yml'}",
                         f"--storage.tsdb.path={lab.scratch / 'tsdb'}", "--web.listen-address=127.0.0.1:9090")
        lab.router.wait_listening(9090)
        for host in lab.hosts:
            traffic.http(host, 4)
        want = {(host, str(ipv), direction): str(count.bytes)
                for (host, ipv, direction), count in lab.settled(meter).items()}
        for job in "openmetrics", "text":
            wait_until(lambda j=job: want.items() <= counts(j).items(), 30, f"{job}: every host's bytes")
        assert counts("openmetrics") == counts("text") and len(want) >= 6
        assert {target["health"] for target in ask("/api/v1/targets")["activeTargets"]} == {"up"}

        def kinds(job):
            return {row["metric"]: row["type"] for row in ask("/api/v1/targets/metadata", match_target=f'{{job="{job}"}}')}

        assert kinds("openmetrics")["hostmeter_build"] == "info" and kinds("openmetrics")["host_bytes"] == "counter"
        assert kinds("text")["hostmeter_build_info"] == "gauge" and kinds("text")["host_bytes_total"] == "counter"


def test_gzip_is_the_same_page(lab, traffic):
    lab.load_rules()
    packed = lab.scratch / "packed"
    with lab.meter(config=lab.names()) as meter:
        traffic.http(lab.hosts[0], 4)
        lab.settled(meter)
        for path in "/metrics", "/api/v1/hosts", "/api/v1/status", "/":
            answered(lab.router, LOCAL + path, "-H", "Accept-Encoding: gzip", "-o", packed)
            text = gzip.decompress(packed.read_bytes()).decode()
            plain = answered(lab.router, LOCAL + path)
            if path == "/metrics":
                assert host_counts(parse_metrics(text)) == host_counts(parse_metrics(plain)) != {}
            elif path == "/api/v1/hosts":
                assert [host["wan"] for host in json.loads(text)["hosts"]] == [h["wan"] for h in json.loads(plain)["hosts"]]
            elif path == "/api/v1/status":  # its first member but one is the time
                assert list(json.loads(text)) == list(json.loads(plain))
            else:
                assert text[:30] == plain[:30]
            assert headers(lab.router, LOCAL + path, "-H", "Accept-Encoding: gzip")[1]["content-encoding"] == "gzip"
            assert "content-encoding" not in headers(lab.router, LOCAL + path, "-H", "Accept-Encoding: gzip;q=0")[1]


# --- HTTP

def test_methods_and_paths(lab):
    with lab.meter():
        status, head = headers(lab.router, LOCAL + "/metrics", "-I")
        assert "200" in status and int(head["content-length"]) > 1000
        for method in "POST", "PUT", "DELETE", "OPTIONS", "TRACE":
            status, answer = headers(lab.router, LOCAL + "/metrics", "-X", method, "-d", "x" * 100)
            assert "405" in status and answer["allow"] == "GET, HEAD"
        assert curl(lab.router, LOCAL + "/nothing")[1] == 404
        assert answered(lab.router, LOCAL + "/-/healthy") == "healthy\n"
        wait_until(lambda: curl(lab.router, LOCAL + "/-/ready")[1] == 200, what="ready")
        page = answered(lab.router, LOCAL + "/")
        assert lab.lan in page and lab.wan in page and 'href="/metrics"' in page


def test_other_names_get_nothing(lab):
    own = lab.router.output("hostname").strip()
    with lab.meter(config='server-name = {"meter.example.net"}\n'):
        for path in "/", "/metrics", "/api/v1/hosts", "/api/v1/status":
            for name in "evil.example", "router.evil.example:10060", "router.lan.evil.example":
                assert curl(lab.router, LOCAL + path, "-H", f"Host: {name}")[1] == 421
            for name in ("meter.example.net", own, "192.168.77.1:10060", "[2001:db8:77::1]", "localhost",
                         "router", "router.lan", "OpenWrt.LAN.:10060", "router.home.arpa"):
                answered(lab.router, LOCAL + path, "-H", f"Host: {name}")
        for path in "/-/healthy", "/-/ready":
            answered(lab.router, LOCAL + path, "-H", "Host: evil.example")


def raw(node, address, request):
    """The status of the answer to these bytes, and whether it has a host's counts."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with node.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(10)
        client.connect((address, 10060))
        client.sendall(request)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    return int(answer.split()[1]), b"host_bytes_total" in answer


def test_the_name_that_is_asked_for(lab):
    """By each way to the port: no Host, two of them, one that is hidden from a careless parser, an absolute target."""
    ways = [(lab.router, "127.0.0.1"), (lab.router, "::1"), (lab.router, "::ffff:127.0.0.1"), (lab["desktop"], lab.router_v4),
            (lab["desktop"], lab.router_v6), (lab["desktop"], f"::ffff:{lab.router_v4}")]
    one = "GET {} HTTP/1.1\r\n{}Connection: close\r\n\r\n"
    told = [
        ("GET /metrics HTTP/1.0\r\n\r\n", 200),  # no browser leaves it out
        ("GET /metrics HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421),
        (one.format("/metrics", ""), 400),
        *((one.format("/metrics", f"Host:{host}\r\n"), status) for host, status in [
            (" router:10060", 200), (" [::1]:10060", 200), (f" [::ffff:{lab.router_v4}]", 200), (f"{lab.router_v4}:80", 200),
            (" evil.example", 421), ("evil.example:10060", 421), ("", 421), (" router, evil.example", 421),
            (" router\r\nHost: evil.example", 400), (" evil.example\r\nhost: router", 400), (" router\r\nHost: router", 400),
            (" router\r\n .evil.example", 400), (" evil.example\0.lan", 421), (" [evil.example]", 421), (" router@evil.example", 421),
        ]),
        (one.format("/metrics", "Host : router\r\n"), 400),
        (one.format("/metrics", "hOsT: evil.example\r\n"), 421),
        (one.format("http://router:10060/metrics", "Host: evil.example\r\n"), 200),
        (one.format("http://evil.example/metrics", "Host: router\r\n"), 421),
        (one.format("HTTP://evil.example:10060/metrics?x", "Host: router\r\n"), 421),
        (one.format("http://router@evil.example/metrics", "Host: router\r\n"), 421),
        (one.format("http://evil.example%2fmetrics", "Host: router\r\n"), 421),
        (one.format("http:///metrics", "Host: router\r\n"), 421),
        (one.format("//evil.example/metrics", "Host: router\r\n"), 404),
    ]
    with lab.meter(listen=":10060"):
        for node, address in ways:
            for request, status in told:
                assert raw(node, address, request.encode()) == (status, status == 200), (address, request)


# --- Who gets an answer

def test_lan_is_answered_and_wan_is_not(lab):
    with lab.meter(listen=":10060"):
        for host in lab.hosts[:2]:
            for address in lab.router_v4, f"[{lab.router_v6}]", lab.wan_v4, f"[{lab.wan_v6}]":
                answered(lab[host.name], f"http://{address}:10060/metrics")
        for address in lab.wan_v4, f"[{lab.wan_v6}]":
            for path in "/metrics", "/", "/-/healthy", "/nothing":
                closed(lab.inet, f"http://{address}:10060{path}")
            assert curl(lab.inet, f"http://{address}:10060/", "-X", "POST")[1] == 0
            answered(lab.router, f"http://{address}:10060/metrics")


def link_local(node, interface):
    for line in node.output("ip", "-6", "-o", "address", "show", "dev", interface, "scope", "link").splitlines():
        return line.split()[3].split("/")[0]
    return None


def test_link_local_counts_by_its_link(lab):
    host = lab[lab.hosts[0].name]
    with lab.meter(listen=":10060"):
        for node, theirs, want in (host, lab.lan, answered), (lab.inet, lab.wan, closed):
            wait_until(lambda n=node: link_local(n, "eth0") and "tentative" not in n.output("ip", "-6", "address"))
            address = wait_until(lambda t=theirs: link_local(lab.router, t))
            want(node, f"http://[{address}%eth0]:10060/metrics")


@pytest.mark.parametrize("allow", ['"198.51.100.0/24", "2001:db8:ff::/64"', '"198.51.100.1", "2001:db8:ff::1"'])
def test_allow_adds_to_it(lab, allow):
    with lab.meter(listen=":10060", config=f"allow = {{{allow}}}\n"):
        for address in lab.wan_v4, f"[{lab.wan_v6}]":
            answered(lab.inet, f"http://{address}:10060/metrics")
        answered(lab[lab.hosts[0].name], f"http://{lab.router_v4}:10060/metrics")


def test_prefixes_of_the_lan_are_followed(lab):
    host = lab[lab.hosts[0].name]
    host.ip("address add 10.44.0.2/24 dev eth0")
    lab.router.ip(f"route add 10.44.0.0/24 dev {lab.lan}")
    url, options = f"http://{lab.router_v4}:10060/metrics", ("--interface", "10.44.0.2")
    with lab.meter(listen=":10060"):
        assert curl(host, url, *options)[1] == 0
        lab.router.ip(f"address add 10.44.0.1/24 dev {lab.lan}")
        wait_until(lambda: curl(host, url, *options)[1] == 200, what="the new prefix is known")
        lab.router.ip(f"address delete 10.44.0.1/24 dev {lab.lan}\nroute replace 10.44.0.0/24 dev {lab.lan}")
        wait_until(lambda: curl(host, url, *options)[1] == 0, what="and forgotten")


def test_the_socket_is_for_its_group(lab):
    with lab.meter() as meter:
        mode = meter.socket.stat().st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660
        for path in "/", "/api/v1/hosts", "/api/v1/status", "/-/healthy":
            assert meter.get(path)


NOBODY = 65534


def test_an_ordinary_user_of_the_group_may_watch(lab):
    """The group is the one that the meter runs as. A user namespace of one user has no second to try with: root tries."""
    ids = Path("/proc/self/gid_map").read_text().split()
    if int(ids[2]) <= NOBODY:
        return
    meter, place = lab.meter(), Path("/run/watched.sock")  # the scratch directory is for root alone
    meter.argv[meter.argv.index(meter.socket)] = meter.socket = place
    with meter:
        os.chown(place, 0, NOBODY)

        def asked_by(group):
            return lab.router.run("setpriv", "--reuid=1234", f"--regid={group}", "--clear-groups", PROGRAM, "--config",
                                  "/dev/null", "--socket", place, "--watch", "--count", "1", check=False)

        member, stranger = asked_by(NOBODY), asked_by(1234)
        assert member.returncode == 0 and "router" in member.stdout, member.stderr
        assert stranger.returncode == 1 and "only root and the socket's group may ask" in stranger.stderr
        assert len(stranger.stderr.splitlines()) == 1


# --- JSON

def test_json_has_what_the_metrics_have(lab, traffic):
    lab.load_rules()
    with lab.meter(config=lab.names(lab.hosts[:2])) as meter:
        for host in lab.hosts:
            traffic.http(host, 4)
            traffic.http(host, 6)
        want = lab.settled(meter)
        page = json.loads(answered(lab.router, LOCAL + "/api/v1/hosts"))
        got = {(host["host"], int(ipv), direction): (count["bytes"], count["packets"]) for host in page["hosts"]
               for ipv, family in host["wan"].items() for direction, count in family.items() if count["packets"]}
        assert got == {key: (count.bytes, count.packets) for key, count in want.items()} and len(got) == 12
        by_mac = {host["mac"]: host for host in page["hosts"]}
        for host in lab.hosts:
            row = by_mac[host.mac]
            assert {host.v4, host.v6} <= set(row["addresses"])
            assert row["first_seen"] <= row["last_seen"] <= page["time"] < row["first_seen"] + 600
        assert by_mac[lab.hosts[2].mac]["host"] == lab.hosts[2].mac

        status = json.loads(answered(lab.router, LOCAL + "/api/v1/status"))
        assert status["schema"] == page["schema"] == 1 and status["ready"]
        sides = {row["interface"]: row["side"] for row in status["interfaces"]}
        assert sides == {lab.lan: "lan", lab.wan: "wan"}
        assert status["uptime_seconds"] < 600 and status["warnings"] == []


def test_a_lost_source_is_a_warning(lab):
    with lab.meter(), lab.meter(listen="127.0.0.1:10062") as second:
        warnings = {row["id"]: row["count"] for row in json.loads(second.get("/api/v1/status"))["warnings"]}
        assert warnings == {"source-down": 1}


# --- Names of interfaces, and the process

def test_an_interface_keeps_its_old_name(lab, traffic):
    config = f'interface "{lab.wan}" {{ name = "uplink" }}\ninterface "{lab.lan}" {{ name = "{lab.wan}" }}\n'
    with lab.meter(config=config) as meter:
        traffic.http(lab.hosts[0], 4)

        def moved():
            value = meter.value("network_bytes_total", interface="uplink", direction="rx")
            return value and value > 300_000

        wait_until(moved, what="the WAN's counter under its other name")
        labels = {dict(labels).get("interface") for _, labels in meter.metrics()}
        assert "uplink" in labels and lab.wan in labels and lab.lan not in labels
        sides = {dict(labels)["interface"]: dict(labels)["side"] for name, labels in meter.metrics()
                 if name == "hostmeter_interface_info"}
        assert sides == {"uplink": "wan", lab.wan: "lan"}


def test_process_metrics_are_its_own(lab):
    with lab.meter() as meter:
        pid = next(int(line.split()[0]) for line in lab.router.output("ps", "-eo", "pid,args").splitlines()
                   if str(meter.config) in line and "hostmeter --config" in line.replace(str(meter.argv[0]), "hostmeter"))
        values = {name: meter.value(f"process_{name}") for name in
                  ("resident_memory_bytes", "open_fds", "max_fds", "start_time_seconds", "cpu_seconds_total")}
        status = dict(line.split(":", 1) for line in lab.router.output("cat", f"/proc/{pid}/status").splitlines())
        assert abs(values["resident_memory_bytes"] - int(status["VmRSS"].split()[0]) * 1024) < 2 << 20
        now = int(lab.router.output("date", "+%s"))
        assert now - 600 < values["start_time_seconds"] <= now + 1
        assert 5 < values["open_fds"] < values["max_fds"] and 0 < values["cpu_seconds_total"] < 60


def test_once_prints_the_page(lab, traffic):
    lab.load_rules()
    with lab.meter(config=lab.names()) as meter:
        traffic.http(lab.hosts[0], 4)
        want = lab.settled(meter)
        assert meter.hosts(meter.once()) == want and len(want) == 2


def test_once_replaces_a_file(lab, traffic):
    """As node_exporter's textfile collector reads: at any moment, as anybody, whatever ends in .prom."""
    lab.load_rules()
    folder = lab.scratch / "textfile"
    folder.mkdir()
    page = folder / "hostmeter.prom"
    with lab.meter(config=lab.names()) as meter:
        traffic.http(lab.hosts[0], 4)
        want = lab.settled(meter)
        assert meter.once("--output", page) == ""
        assert meter.hosts(page.read_text()) == want and stat.S_IMODE(page.stat().st_mode) == 0o644
        before, open_page = page.stat().st_ino, page.open()
        meter.once("--output", page)
        assert page.stat().st_ino != before and meter.hosts(open_page.read()) == want
        open_page.close()
        assert os.listdir(folder) == ["hostmeter.prom"]


def test_once_leaves_the_file_when_it_fails(lab):
    folder = lab.scratch / "textfile"
    folder.mkdir()
    page = folder / "hostmeter.prom"
    page.write_text("old\n")
    taken = folder / "taken"
    taken.mkdir()

    def failed(*options):
        done = lab.router.run(PROGRAM, "--socket", meter.socket, "--once", *options, check=False)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and done.stdout == "", done
        assert sorted(os.listdir(folder)) == ["hostmeter.prom", "taken"]
        return done.stderr

    with lab.meter() as meter:
        assert "No such file" in failed("--output", lab.scratch / "nowhere" / "page.prom")
        assert "Is a directory" in failed("--output", taken)
    assert "no meter runs here" in failed("--output", page)
    assert page.read_text() == "old\n"


def test_cgi_through_a_web_server(lab, traffic):
    """What stood in /www/cgi-bin/metrics of the router stays a script of one line."""
    lab.load_rules()
    script = lab.scratch / "www" / "cgi-bin" / "metrics"
    script.parent.mkdir(parents=True)
    url = "http://127.0.0.1:8080/cgi-bin/metrics"
    with lab.meter(config=lab.names()) as meter:
        script.write_text(f"#!/bin/sh\nexec {PROGRAM} --cgi --config {meter.config} --socket {meter.socket}\n")
        script.chmod(0o755)
        lab.router.spawn("busybox", "httpd", "-f", "-p", "127.0.0.1:8080", "-h", lab.scratch / "www")
        lab.router.wait_listening(8080)
        traffic.http(lab.hosts[0], 4)
        want = lab.settled(meter)
        assert meter.hosts(answered(lab.router, url)) == want and len(want) == 2
        status, head = headers(lab.router, url)
        assert "200" in status and head["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "host_bytes_total" not in curl(lab.router, url)[2]
