# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing that a stranger wrote controls a terminal, turns or hides text, or forges a line: on no way out."""

import base64
import json
import os
import socket
import subprocess
import threading
import time

import pytest
from lab import PROGRAM, answered, curl, wait_until
from test_web import bcrypt

# What is not shown: controls (C0, DEL, C1), marks of direction, what has no width, line ends; and what is no UTF-8.
HIDDEN = [*range(0x00, 0x20), *range(0x7F, 0xA0), 0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x2028, 0x202F),
          *range(0x2060, 0x2070), 0xFEFF]
CHARACTERS = "".join(map(chr, HIDDEN)).replace("\0", "")
RAW = CHARACTERS.replace("\n", "").replace("\r", "").encode() + b"\x9b31m\xff\xfe\xc0\xaf\xed\xa0\x80"


def assert_harmless(output, what):
    text = output.decode()  # it is UTF-8
    left = sorted({hex(ord(c)) for c in text.replace("\r\n", "\n") if ord(c) in HIDDEN and c not in "\n\t"})
    assert not left, (what, left, text)


class Stranger:
    """Answers on a UNIX socket as a meter that means no good."""

    def __init__(self, path, status=200):
        self.status, self.asked = status, []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen()
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.server.close()

    def serve(self):
        while True:
            try:
                client = self.server.accept()[0]
            except OSError:
                return
            with client:
                path = client.recv(4096).split()[1].decode()
                self.asked.append(path)
                client.sendall(b"HTTP/1.0 %d Fine\r\n\r\n" % self.status + self.body(path))

    def body(self, path):
        if self.status != 200 or path == "/metrics":
            return b"text " + RAW + b"\nhost_bytes_total{host=\"" + RAW + b"\"} 1\n"
        if path.startswith("/api/v1/hosts"):
            return self.hosts()
        if path == "/api/v1/status":
            return self.state()
        if "json=1" in path:
            line = {"schema": 1, "host": CHARACTERS, "in": 1, "out": 2}
            return json.dumps(line).encode() + b"\n" + json.dumps(line, ensure_ascii=False).encode() + b"\n"
        return b"tcp 6 host=\"" + RAW + b"\" in=1 out=2\n"

    @staticmethod
    def hosts():
        counts = {family: {way: {"bytes": 7, "packets": 1} for way in ("in", "out")} for family in "46"}
        host = {"host": CHARACTERS, "mac": CHARACTERS, "addresses": [CHARACTERS], "wan": counts, "local": counts,
                "connections": {"4": 1, "6": 0}, "first_seen": 1.0, "last_seen": 2.0}
        return json.dumps({"schema": 1, "time": time.time(), "dump_time": time.time(), "hosts": [host]}, ensure_ascii=False).encode()

    @staticmethod
    def state():
        bytes_, text = {"rx": {"bytes": 1}, "tx": {"bytes": 1}}, CHARACTERS
        return json.dumps({
            "schema": 1, "version": text, "ready": True, "flows": {"live": 1, "without_counters": 1},
            "interfaces": [{"interface": text, "side": side, **bytes_} for side in ("wan", "lan")],
            "sides": [{"interface": text, "side": text, "reason": text, "carries": text}],
            "names": [{"path": text, "error": text}], "listen": [text], "checkpoint": {"failures": 1, "error": text},
            "wan": [{"interface": text, "unseen": bytes_}], "warnings": [{"id": text, "count": 3, "text": text}],
            "sources": [{"source": "conntrack", "up": False}], "dump": {"age_seconds": 1e9, "interval_seconds": 1},
        }, ensure_ascii=False).encode()


def run(directory, *options):
    argv = [PROGRAM, "--config", directory / "conf", "--socket", directory / "socket", *options]
    (directory / "conf").write_text("")
    return subprocess.run(argv, capture_output=True, timeout=60, env=os.environ | {"LC_ALL": "C.UTF-8", "TERM": "dumb"})


@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize("options", [
    ["--once"], ["--once", "--cgi"], ["--flows"], ["--flows", "--json"], ["--flows", "--top", "5"], ["--check"],
    ["--check", "--json"], ["--watch=0.2", "--count", "1"], ["--watch=0.2", "--count", "1", "--json"], ["--record", "FILE"],
], ids=" ".join)
def test_a_stranger_on_the_socket(tmp_path, options, status):
    with Stranger(tmp_path / "socket", status) as stranger:
        done = run(tmp_path, *(str(tmp_path / "record") if word == "FILE" else word for word in options))
    assert stranger.asked and done.stdout + done.stderr
    assert_harmless(done.stdout, "standard output")
    assert_harmless(done.stderr, "standard error")
    if "--json" in options and done.stdout:
        for line in done.stdout.splitlines():
            json.loads(line)


def test_a_strangers_page_in_a_file(tmp_path):
    with Stranger(tmp_path / "socket"):
        done = run(tmp_path, "--once", "--output", str(tmp_path / "page"))
    assert done.returncode == 0
    assert_harmless((tmp_path / "page").read_bytes(), "the file")


@pytest.mark.parametrize("options", [["--replay"], ["--config"], ["--socket"], ["--lan"], ["--explain=x", "--replay"],
                                     ["--web.config.file"], [], ["--watch=1", "--log-level"]], ids=" ".join)
def test_a_path_in_a_message(tmp_path, options):
    evil = os.fsencode(tmp_path) + b"/no/" + RAW
    done = subprocess.run([PROGRAM, *options, evil], capture_output=True, timeout=60)
    assert done.returncode and done.stderr
    assert_harmless(done.stderr, "standard error")
    assert done.stderr.count(b"\n") == 1


def test_strangers_at_a_meter(lab):
    """A user's name at the door, a request's target and Host, a name in a lease file, the path of that file."""
    web, leases = lab.scratch / "web.yml", lab.scratch / "leases"
    web.write_text(f"basic_auth_users:\n  me: {bcrypt('secret')}\n")
    leases.write_bytes(b"1 00:00:5e:00:53:0b 192.168.77.11 " + RAW.replace(b" ", b"").replace(b"\t", b"") + b" *\n")
    useless = lab.scratch / "no-\u009b2J\u202e"
    useless.write_text("this is no file of names\n")
    config = f'names-leases = {{"{leases}"}}\nnames-hosts = {{"{useless}"}}\nnames-ethers = {{}}\nnames-odhcpd = {{}}\n'
    with lab.meter("--web.config.file", web, "--log-level", "debug", config=config) as meter:
        user = base64.b64encode(RAW + b":guess").decode()
        url = "http://127.0.0.1:10060/metrics"
        wait_until(lambda: curl(lab.router, url, "-H", f"Authorization: Basic {user}")[1] in (401, 429), what="refused")
        curl(lab.router, url + "%c2%9b%e2%80%ae%ff", "-u", "me:secret", "-H", "Host: evil\u009b.example")
        lab["desktop"].output("ping", "-c", "1", lab.router_v4)
        wait_until(lambda: "00:00:5e:00:53:0b" in meter.get("/metrics"), what="the desktop is a host")
        wait_until(lambda: "wrong password" in meter.log(), what="the log has the user")
        for path in "/metrics", "/api/v1/hosts", "/api/v1/status", "/":
            page = answered(lab.router, url.replace("/metrics", path), "-u", "me:secret")
            if path != "/api/v1/status":  # JSON has the path as the configuration has it; its readers clean it
                assert_harmless(page.encode(), path)
        checked = subprocess.run([PROGRAM, "--config", meter.config, "--socket", meter.socket, "--check"], capture_output=True)
        assert_harmless(checked.stdout, "--check")
        assert b"no-?2J?" in checked.stdout, checked.stdout
    assert_harmless(meter.process.log.read_bytes(), "the log")
    assert "no-?2J?" in meter.log()
