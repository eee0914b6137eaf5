# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS and passwords on the metrics' port, as --web.config.file of other exporters has them."""

import base64
import http.client
import signal
import socket
import ssl
import statistics
import threading
import time
import warnings

from lab import wait_until
from lab.meter import PROGRAM
from test_prometheus import query

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import crypt

URL = "https://127.0.0.1:10060"


def bcrypt(password, cost=4):
    return crypt.crypt(password, f"$2b${cost:02}$abcdefghijklmnopqrstuu")


class Certificates:
    """A directory with a CA and what it signed, made by openssl."""

    def __init__(self, lab):
        self.lab, self.directory, self.serial = lab, lab.scratch / "tls", 1
        self.directory.mkdir()
        self.key("ca.key")
        self.openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=test CA", "-days", "9", "-out", "ca.crt")
        self.issue("server", "router")

    def openssl(self, *argv):
        return self.lab.router.output("env", "-C", self.directory, "openssl", *argv)

    def key(self, name):
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name)

    def issue(self, name, common_name, purpose="serverAuth"):
        self.serial += 1
        self.key(f"{name}.key")
        (self.directory / "ext").write_text(f"subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage={purpose}\n")
        self.openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={common_name}", "-out", "csr")
        self.openssl("x509", "-req", "-in", "csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", self.serial,
                     "-days", "9", "-extfile", "ext", "-out", f"{name}.crt")

    def write(self, tls="", users=None):
        """The path of a file with these lines in tls_server_config and these users."""
        path = self.directory / "web.yml"
        text = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n" + tls
        if users:
            text += "basic_auth_users:\n" + "".join(f"  {user}: {secret}\n" for user, secret in users.items())
        path.write_text(text)
        return path


def curl(lab, *options, url=URL + "/metrics"):
    """(curl's exit status, HTTP status, headers)"""
    done = lab.router.run("curl", "-sS", "--max-time", "30", "-o", "/dev/null", "-D", "-", "--cacert", lab.scratch / "tls/ca.crt",
                          *options, url, check=False)
    words = done.stdout.split()
    return done.returncode, int(words[1]) if len(words) > 1 else 0, done.stdout


def presented(lab):
    """The common name on the certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=lab.scratch / "tls/ca.crt")
    plain = lab.router.socket(socket.AF_INET, socket.SOCK_STREAM)
    plain.settimeout(20)
    plain.connect(("127.0.0.1", 10060))
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        return dict(pair[0] for pair in connection.getpeercert()["subject"])["commonName"]


def test_prometheus_scrapes_over_tls_with_a_password(lab):
    certificates = Certificates(lab)
    certificates.issue("client", "prometheus", "clientAuth")
    web = certificates.write("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n  min_version: TLS13\n",
                             {"prometheus": bcrypt("secret", 10)})
    jobs = "".join(f"""
  - job_name: {name}
    scheme: https
    tls_config: {{ ca_file: tls/ca.crt, cert_file: tls/client.crt, key_file: tls/client.key, server_name: localhost }}
    basic_auth: {{ username: prometheus, password: {password} }}
    static_configs:
      - targets: ["127.0.0.1:10060"]
""" for name, password in (("right", "secret"), ("wrong", "guess")))
    (lab.scratch / "prometheus.yml").write_text("global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:" + jobs)
    with lab.meter("--web.config.file", web) as meter:
        assert "metrics: https://127.0.0.1:10060/metrics" in meter.log()
        lab.router.spawn("prometheus", f"--config.file={lab.scratch / 'prometheus.yml'}",
                         f"--storage.tsdb.path={lab.scratch / 'tsdb'}", "--web.listen-address=127.0.0.1:9090")
        lab.router.wait_listening(9090)

        def up(job):
            return [value for _, value in query(lab, f'up{{job="{job}"}}')]

        wait_until(lambda: up("right") == [1] and up("wrong") == [0], deadline=30, what="one password is right, the other is not")
        assert query(lab, 'hostmeter_source_up{job="right",source="events"}')[0][1] == 1
        assert query(lab, 'count({job="wrong",__name__=~"host.*"})') == []


def test_who_may_come_in(lab):
    certificates = Certificates(lab)
    web = certificates.write(users={"prometheus": bcrypt("secret"), "alice": bcrypt("other")})
    with lab.meter("--web.config.file", web) as meter:
        for path in ("/metrics", "/", "/api/v1/hosts", "/-/healthy", "/-/ready", "/nowhere"):
            status, code, head = curl(lab, url=URL + path)
            assert (status, code) == (0, 401), (path, head)
            assert 'www-authenticate: basic realm="hostmeter"' in head.lower()
        assert curl(lab, "-u", "prometheus:secret", url=URL + "/-/healthy")[1] == 200
        assert curl(lab, "-u", "alice:other")[1] == 200
        assert curl(lab, "-u", "prometheus:secret", "-I")[1] == 200
        assert curl(lab, "-u", "prometheus:secret", "-d", "x")[1] == 405
        for wrong in ("prometheus:other", "prometheus:", "mallory:secret", "prometheus:" + "x" * 600):
            assert curl(lab, "-u", wrong)[1] == 401, wrong
        assert curl(lab, "-H", "Authorization: Basic !!!!")[1] in (401, 429)
        assert curl(lab, "-H", "Authorization: Bearer x")[1] == 401
        # Neither is asked of on the UNIX socket.
        assert "hostmeter_source_up" in meter.get("/metrics") and "hostmeter_source_up" in meter.once()
        assert meter.log().count("wrong password") == 1
        # What is known goes on; a guesser is told to wait, and how long.
        codes = [curl(lab, "-u", f"prometheus:{i}") for i in range(6)]
        assert codes[-1][1] == 429 and "retry-after: " in codes[-1][2].lower()
        assert curl(lab, "-u", "prometheus:secret")[1] == 200


def test_plain_http_is_refused_at_once(lab):
    certificates = Certificates(lab)
    with lab.meter("--web.config.file", certificates.write()) as meter:
        began = time.monotonic()
        assert curl(lab, url="http://127.0.0.1:10060/metrics")[:2] in ((52, 0), (56, 0))
        assert time.monotonic() - began < 10  # closed, not timed out
        assert curl(lab)[1] == 200
        # Not by the CA that we know; not by an old version.
        assert curl(lab, "--capath", "/nonexistent", "--cacert", "/etc/ssl/certs/ca-certificates.crt")[0] in (60, 77)
        assert meter.process.running()


def test_client_certificates(lab):
    certificates = Certificates(lab)
    certificates.issue("client", "prometheus", "clientAuth")
    certificates.issue("wrong", "prometheus", "serverAuth")
    directory = certificates.directory
    certificates.key("stranger.key")
    certificates.openssl("req", "-x509", "-new", "-key", "stranger.key", "-subj", "/CN=x", "-days", "9", "-out", "stranger.crt")

    def come(name=None):
        options = ("--cert", directory / f"{name}.crt", "--key", directory / f"{name}.key") if name else ()
        return curl(lab, *options)[1]

    ca = "  client_ca_file: ca.crt\n  client_auth_type: "
    with lab.meter("--web.config.file", certificates.write(ca + "RequireAndVerifyClientCert\n")) as meter:
        assert (come("client"), come(), come("stranger"), come("wrong")) == (200, 0, 0, 0)
        certificates.write(ca + "VerifyClientCertIfGiven\n")
        meter.process.send(signal.SIGHUP)
        wait_until(lambda: come() == 200, what="no certificate is fine")
        assert (come("client"), come("wrong")) == (200, 0)
        certificates.write("  client_auth_type: RequireAnyClientCert\n")
        meter.process.send(signal.SIGHUP)
        wait_until(lambda: come("stranger") == 200, what="any certificate is fine")
        assert (come("client"), come()) == (200, 0)


def test_a_new_certificate_comes_with_sighup(lab):
    certificates = Certificates(lab)
    web = certificates.write(users={"a": bcrypt("old")})
    with lab.meter("--web.config.file", web) as meter:
        assert presented(lab) == "router"
        kept = http.client.HTTPSConnection("localhost", context=ssl.create_default_context(cafile=certificates.directory / "ca.crt"))
        with lab.router.entered():
            kept.sock = kept._context.wrap_socket(socket.create_connection(("127.0.0.1", 10060), 20), server_hostname="localhost")

        def ask_kept(password):
            token = base64.b64encode(f"a:{password}".encode()).decode()
            kept.request("GET", "/-/healthy", headers={"Authorization": f"Basic {token}"})
            answer = kept.getresponse()
            answer.read()
            return answer.status

        assert ask_kept("old") == 200
        certificates.issue("server", "renewed")
        certificates.write(users={"a": bcrypt("new")})
        meter.process.send(signal.SIGHUP)
        wait_until(lambda: presented(lab) == "renewed", what="the new certificate is shown")
        # The connection that was there goes on, and the new password counts for it, too.
        assert ask_kept("old") == 401 and ask_kept("new") == 200
        assert curl(lab, "-u", "a:new")[1] == 200
        kept.close()

        for text, fault in (("tls_server_config:\n  cert_file: none\n  key_file: server.key\n",
                             f'web.yml:2: cert_file: "{certificates.directory}/none" cannot be read: No such file or directory'),
                            ("basic_auth_users:\n  a: x\n", 'web.yml:2: the password of user "a" is no bcrypt hash'),
                            ("{}\n", "TLS is on, and only a restart can switch it off")):
            web.write_text(text)
            meter.process.send(signal.SIGHUP)
            wait_until(lambda: fault in meter.log(), what=fault)
        assert meter.log().count("what was read before stays") == 3
        assert presented(lab) == "renewed" and curl(lab, "-u", "a:new")[1] == 200
        assert meter.stop() == 0


def test_a_mistake_ends_it_with_status_2(lab):
    certificates = Certificates(lab)
    certificates.issue("other", "other")

    def complaint(text):
        path = certificates.directory / "web.yml"
        path.write_text(text)
        done = lab.router.run(PROGRAM, "--config", "/dev/null", "--runtime-dir", lab.scratch / "r", "--web.config.file", path,
                              check=False, deadline=20)
        assert done.returncode == 2, done.stderr
        lines = [line for line in done.stderr.splitlines() if "web.yml" in line]
        assert len(lines) == 1 and lines[0].startswith(f"<3>{path}:"), done.stderr
        return lines[0].removeprefix(f"<3>{path}:")

    directory = certificates.directory
    assert complaint("tls_server_config:\n  cert_file: server.crt\n  key_file: other.key\n") == \
        f'3: key_file: "{directory}/other.key" does not belong to the certificate of cert_file'
    assert complaint("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: "
                     "RequireAndVerifyClientCert\n  client_ca_file: gone.crt\n") == \
        f'5: client_ca_file: "{directory}/gone.crt" cannot be read: No such file or directory'
    assert complaint("basic_auth_user:\n  a: b\n") == '1: unknown key "basic_auth_user"'


def flood(lab, web):
    """Thirty askers guess as fast as they can for two seconds: (answers, their own waits, the meter's longest stall)."""
    with lab.meter("--web.config.file", web) as meter:
        assert curl(lab, "-u", "prometheus:secret")[1] == 200
        end, codes, waits = time.monotonic() + 2, [], []

        def guess(number):
            context = ssl._create_unverified_context()
            token = base64.b64encode(f"prometheus:{number}".encode()).decode()
            while time.monotonic() < end:
                plain = lab.router.socket(socket.AF_INET, socket.SOCK_STREAM)
                try:
                    plain.settimeout(60)
                    plain.bind((f"127.0.1.{number + 1}", 0))
                    plain.connect(("127.0.0.1", 10060))
                    connection = http.client.HTTPConnection("127.0.0.1")
                    connection.sock = context.wrap_socket(plain)
                    connection.request("GET", "/metrics", headers={"Authorization": f"Basic {token}"})
                    codes.append(connection.getresponse().status)
                    connection.close()
                except OSError:
                    pass  # more connections than the meter takes: they are not even asked
                finally:
                    plain.close()

        guessers = [threading.Thread(target=guess, args=(number,)) for number in range(30)]
        for thread in guessers:
            thread.start()
        while time.monotonic() < end:
            began = time.monotonic()
            meter.get("/-/ready")
            waits.append(time.monotonic() - began)
        for thread in guessers:
            thread.join()
        assert curl(lab, "-u", "prometheus:secret")[1] == 200
        return codes, waits, meter.value("hostmeter_loop_stall_seconds_max")


def test_guessing_costs_the_guesser(lab):
    """A check takes 0.15 s and more, and the loop waits for none of them."""
    certificates = Certificates(lab)
    web = certificates.write(users={"prometheus": bcrypt("secret", 11)})
    stalls = []
    # A machine that is busy with other things stalls everybody at times: a loop that waits for checks stalls each time.
    while not stalls or (min(stalls) >= 0.1 and len(stalls) < 3):
        codes, waits, stall = flood(lab, web)
        stalls.append(stall)
        assert set(codes) == {401, 429}, set(codes)
        assert codes.count(401) < codes.count(429)
        assert statistics.median(waits) < 0.1
    assert min(stalls) < 0.1, stalls
