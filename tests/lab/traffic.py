# SPDX-License-Identifier: GPL-2.0-or-later
"""Real traffic between the hosts and the WAN server."""

from .node import wait_until

IPERF, HTTP = 5201, 80


class Traffic:
    """The servers on the WAN, and a host's use of them. Every call returns when its traffic has been sent."""

    def __init__(self, lab):
        self.lab = lab
        self.files = lab.scratch / "www"
        self.files.mkdir(exist_ok=True)
        (self.files / "page").write_bytes(b"x" * 300_000)
        self.iperf_server = lab.inet.spawn("iperf3", "--server", "--port", IPERF, "--forceflush")
        self.iperf_runs = 0
        self.serve(lab.inet)
        lab.inet.wait_listening(IPERF)

    def serve(self, node, port=HTTP):
        """An HTTP server with one file, /page, for both families."""
        node.spawn("/usr/bin/python3", "-m", "http.server", "--bind", "::", "--directory", self.files, port)
        node.wait_listening(port)

    def iperf(self, host, ipv, *options):
        # It serves one client at a time, and says so when it is free for the next.
        self.iperf_runs += 1
        wait_until(lambda: self.iperf_server.output().count("Server listening") >= self.iperf_runs,
                   what="the iperf3 server is free")
        self.lab[host.name].run("iperf3", "--client", self.lab.server(ipv), "--port", IPERF, *options)

    def tcp_up(self, host, ipv, size="16M"):
        self.iperf(host, ipv, "--bytes", size)

    def tcp_down(self, host, ipv, size="16M"):
        self.iperf(host, ipv, "--reverse", "--bytes", size)

    def udp(self, host, ipv, size="1M"):
        self.iperf(host, ipv, "--udp", "--bitrate", "50M", "--bytes", size)

    def ping(self, host, ipv, count=5):
        self.lab[host.name].run("ping", f"-{ipv}", "-q", "-i", "0.01", "-c", count, self.lab.server(ipv))

    def http(self, host, ipv):
        address = self.lab.server(ipv) if ipv == 4 else f"[{self.lab.server(ipv)}]"
        self.lab[host.name].http_get(f"http://{address}:{HTTP}/page", "-o", "/dev/null")

    def everything(self, host, ipv):
        for way in self.tcp_up, self.tcp_down, self.udp, self.ping, self.http:
            way(host, ipv)
