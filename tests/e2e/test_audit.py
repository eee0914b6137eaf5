# SPDX-License-Identifier: GPL-2.0-or-later
"""--audit: the meter held against the kernel over an interval: exact where all is well, and a fault is seen."""

import http.server
import json
import os
import pty
import re
import signal
import socketserver
import subprocess
import threading

import pytest
from lab import ROOT, Truth, talk, udp, wait_until
from lab.meter import UnixConnection

API = (ROOT / "docs" / "api.md").read_text()


class Audit:
    """A running --audit, whose standard error is a terminal: it shows there when the interval has begun."""

    def __init__(self, meter, *options, seconds=60, socket=None):
        self.terminal, terminal = pty.openpty()
        argv = meter.node.command(meter.argv[0], "--config", meter.config, "--socket", socket or meter.socket,
                                  f"--audit={seconds}", *options)
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=terminal, text=True)
        os.close(terminal)
        self.shown = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while text := os.read(self.terminal, 4096):
                self.shown += text.decode()
        except OSError:
            pass

    def begun(self):
        wait_until(lambda: "auditing: " in self.shown or self.process.poll() is not None, 20, "the interval begins")
        assert "auditing: " in self.shown, self.shown
        return self

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self

    def end(self, deadline=30):
        """(exit status, standard output)"""
        try:
            out, _ = self.process.communicate(timeout=deadline)
        finally:
            self.process.kill()
        return self.process.returncode, out


class Liar(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A meter that answers as the true one does, but for its hosts: they go through a function, with their number."""

    daemon_threads = True

    def __init__(self, meter, path, change):
        super().__init__(str(path), LiarHandler)
        self.meter, self.path, self.change, self.asked = meter, path, change, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class LiarHandler(http.server.BaseHTTPRequestHandler):
    def address_string(self):
        return "local"

    def log_message(self, *_):
        pass

    def do_GET(self):
        connection = UnixConnection(self.server.meter.socket)
        connection.request("GET", self.path)
        answer = connection.getresponse()
        body = answer.read()
        if self.path.startswith("/api/v1/hosts"):
            document = json.loads(body)
            self.server.change(document, self.server.asked)
            self.server.asked += 1
            body = json.dumps(document).encode()
        self.send_response(answer.status)
        self.end_headers()
        self.wfile.write(body)


def documented_fields():
    table = API[API.index("## `hostmeter --audit --json`"):].split("| reason |")[0]
    fields = set()
    for name in re.findall(r"^\| `([a-z_.\[\]{},]+)` \|", table, re.M):
        head, brace, rest = name.partition("{")
        inner, _, tail = rest.partition("}")
        fields |= {head + one + tail for one in inner.split(",")} if brace else {name}
    return fields


def fields_of(value, path=""):
    if isinstance(value, dict):
        return {field for key, inner in value.items() for field in fields_of(inner, f"{path}.{key}" if path else key)}
    if isinstance(value, list):
        return {field for inner in value for field in fields_of(inner, path + "[]")}
    return {path}


@pytest.fixture
def metered(lab):
    lab.load_rules()
    with lab.meter(config=lab.names(lab.hosts)) as meter:
        # So old that nothing is left of its start.
        wait_until(lambda: json.loads(meter.get("/api/v1/status"))["uptime_seconds"] > 3.1, what="the meter is not young")
        yield meter


def exchange(lab, truth, sizes=(100, 300), ports=(4001, 4002)):
    """Datagrams of each host in both families; what they are is put into truth."""
    for ipv in 4, 6:
        for port in ports:
            server = udp(lab.inet, lab.server(ipv), port)
            for host in lab.hosts:
                counts = talk(udp(lab[host.name], host.address(ipv)), server, (lab.server(ipv), port), *sizes)
                truth.asked(host, ipv, counts)


def counted(meter, *truths):
    """Waits until the meter has counted all of it."""
    want = Truth()
    for truth in truths:
        for key, count in truth.items():
            want[key] += count
    wait_until(lambda: {key: count for key, count in meter.hosts().items() if key[0] != "router"} == want,
               what="all that is known is counted")


def test_what_is_metered_is_what_the_kernel_has(lab, metered):
    before, truth = Truth(), Truth()
    exchange(lab, before)
    counted(metered, before)
    audit = Audit(metered, "--json").begun()
    exchange(lab, truth, (200, 500), (4001,))   # these go on
    exchange(lab, truth, (70, 700), (4003,))    # these begin, and end before anybody lists them
    lab.router.run("conntrack", "-D", "-p", "udp", "--orig-port-dst", "4003", "-f", "ipv4")
    lab.router.run("conntrack", "-D", "-p", "udp", "--orig-port-dst", "4003", "-f", "ipv6")
    lab.router.run("ping", "-c", "2", "-i", "0.01", "-q", lab.server_v4)
    lab["desktop"].run("ping", "-c", "2", "-i", "0.01", "-q", lab.router_v4)
    counted(metered, before, truth)
    status, out = audit.interrupt().end()
    report = json.loads(out)
    assert status == 0, out
    for line in report["hosts"] + report["sums"]:
        assert line["meter"] == line["kernel"] and not line["reasons"] and not line["unexplained"], line
    told = {(line["host"], line["ipv"], line["direction"]): line["meter"] for line in report["hosts"]
            if line["scope"] == "wan" and line["meter"] and line["host"] != "router"}
    assert told == {key: count.bytes for key, count in truth.items()}
    assert any(line["host"] == "router" and line["meter"] for line in report["hosts"])
    assert {(line["host"], line["ipv"], line["meter"]) for line in report["hosts"] if line["scope"] == "local"} == \
        {("desktop", 4, 2 * 84)}
    for line in report["wan"]:
        assert {"link-headers"} <= {reason["reason"] for reason in line["reasons"]} <= {"link-headers", "no-connection"}
        assert line["kernel"] - line["meter"] == sum(reason["bytes"] for reason in line["reasons"])
    assert report["connections"]["ended"] >= 6 and report["end"] - report["begin"] > 0
    # What is documented is what there is; mac is null or a text, and reasons may be empty on hosts' lines.
    assert fields_of(report) <= documented_fields()
    assert documented_fields() - fields_of(report) <= {f"{kind}[].reasons[].{what}" for kind in ("hosts", "sums")
                                                       for what in ("reason", "bytes")}


def test_traffic_that_goes_on_is_within_bounds(lab, traffic, metered):
    going = lab["desktop"].spawn("ping", "-q", "-i", "0.005", "-s", "1000", lab.server_v6)
    audit = Audit(metered, seconds=1).begun()
    for ipv in 4, 6:
        traffic.http(lab.hosts[1], ipv)
    status, out = audit.end()
    going.kill()
    assert status == 0, out
    assert "every difference is explained" in out
    assert len(re.findall(r"^desktop +wan +IPv6", out, re.M)) == 2, out


def desktop(document):
    return next(host for host in document["hosts"] if host["host"] == "desktop")


def test_a_meter_that_is_wrong_by_a_byte_is_caught(lab, metered):
    before = Truth()
    exchange(lab, before)
    counted(metered, before)
    begun = threading.Event()

    def lie(document, number):
        if begun.is_set():
            desktop(document)["wan"]["4"]["in"]["bytes"] += 1
            desktop(document)["wan"]["6"]["out"]["bytes"] -= 1

    with Liar(metered, lab.scratch / "liar.sock", lie) as liar:
        audit = Audit(metered, socket=liar.path).begun()
        begun.set()
        exchange(lab, Truth())
        status, out = audit.interrupt().end()
    assert status == 1, out
    for line in "IPv4 in", "IPv6 out":
        for host in "desktop", "all hosts":
            assert re.search(rf"^{host} +wan +{line} .* 1 NOT EXPLAINED$", out, re.M), out
    assert "NOT EXPLAINED: 4 of these lines" in out, out


def test_outer_packets_of_a_tunnel_are_the_wans(lab):
    """They are no host's, not the router's either, and the interface's counter has them."""
    with lab.meter(config=f'tunnel = {{"{lab.server_v4}:7777"}}\n') as meter:
        wait_until(lambda: json.loads(meter.get("/api/v1/status"))["uptime_seconds"] > 3.1, what="the meter is not young")
        audit = Audit(meter, "--json").begun()
        asked, got = talk(udp(lab.router, lab.wan_v4), udp(lab.inet, lab.server_v4, 7777), (lab.server_v4, 7777))
        wait_until(lambda: sum(one["tunnel"]["tx"]["bytes"] for one in json.loads(meter.get("/api/v1/status"))["wan"]) == asked.bytes,
                   what="it is counted as a tunnel")
        status, out = audit.interrupt().end()
    report = json.loads(out)
    assert status == 0, out
    assert not any(line["meter"] or line["kernel"] for line in report["hosts"] + report["sums"]), out
    assert {line["direction"]: line["meter"] for line in report["wan"]} == {"rx": got.bytes, "tx": asked.bytes}, out
    for line in report["wan"]:
        assert {"link-headers"} <= {reason["reason"] for reason in line["reasons"]} <= {"link-headers", "no-connection"}, out


def test_nothing_to_compare(lab):
    done = lab.router.run(lab.meter().argv[0], "--audit", "--socket", lab.scratch / "none.sock", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no meter runs here" in done.stderr and len(done.stderr.splitlines()) == 1
    with lab.meter() as meter:
        argv = [meter.argv[0], "--config", meter.config, "--socket", meter.socket, "--audit"]
        early = lab.router.spawn(*argv)
        # Its loop runs, and has its signals, once it listens to ends of connections as the meter does.
        wait_until(lambda: lab.router.output("cat", "/proc/net/netlink").count(f" 12  {early.pid} ") or not early.running(),
                   what="it has begun")
        assert early.stop(signal.SIGINT) == 1
        assert "before there was anything to compare" in early.output()
        # Without the right to read connection tracking it says so.
        done = lab.router.run("setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", *argv, check=False)
        assert (done.returncode, done.stdout) == (1, "") and "CAP_NET_ADMIN" in done.stderr
