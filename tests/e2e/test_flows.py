# SPDX-License-Identifier: GPL-2.0-or-later
"""--flows: what conntrack -L prints, each line with its host."""

import json
import re

import pytest
from lab import wait_until


def listed(meter, *options):
    text = meter.node.output(meter.argv[0], "--config", meter.config, "--socket", meter.socket, *options)
    return text.splitlines()


def kernel_lines(lab):
    text = lab.router.run("conntrack", "-L", "-o", "extended").stdout
    return sorted(re.sub(r" use=\d+$", "", without_timeout(line)) for line in text.splitlines())


def without_timeout(line):
    """Seconds left pass while one looks."""
    return re.sub(r"^(\S+ +\d+ +\S+ +\d+) \d+", r"\1", line).strip()


@pytest.fixture
def busy(lab, traffic):
    """A meter, and flows of every host in both families that stay for a while."""
    lab.load_rules()
    with lab.meter(config=lab.names(lab.hosts)) as meter:
        for host in lab.hosts:
            for ipv in 4, 6:
                traffic.ping(host, ipv)
                traffic.http(host, ipv)
        wait_until(lambda: meter.value("hostmeter_flows_undecided") == 0 and meter.value("hostmeter_flows") > 6,
                   what="all flows are decided")
        yield meter


def test_every_line_is_the_kernels(lab, busy):
    ours = listed(busy, "--flows")
    told = sorted(re.sub(r" (use=\d+ )?host=.*$", "", without_timeout(line)) for line in ours)
    assert told == kernel_lines(lab)
    for line in ours:
        counted = dict(word.split("=", 1) for word in line[line.index(" host="):].split())
        packets = [int(n) for n in re.findall(r" bytes=(\d+)", line)]
        assert counted["scope"] in ("wan", "local", "router", "none")
        if counted["scope"] == "wan":
            assert counted["by"] == "nflog"
            # Nothing passes any more: what the kernel has is what the meter counted, turned to the host's side.
            assert sorted(packets) == sorted([int(counted["in"]), int(counted["out"])])


def test_a_host_and_filters(lab, busy):
    name = lab.hosts[0].name
    ours = listed(busy, f"--flows={name}")
    assert ours and all(f" host={name} " in line for line in ours)
    by_mac = [without_timeout(line) for line in listed(busy, f"--flows={lab.hosts[0].mac}")]
    assert by_mac == [without_timeout(line) for line in listed(busy, "--flows") if f" mac={lab.hosts[0].mac} " in line]
    six = listed(busy, "--flows", "--ipv", "6", "--proto", "tcp", "--port", "80")
    assert six and all(line.startswith("ipv6") and " tcp " in line and "port=80" in line for line in six)
    nobody = lab.router.run(busy.argv[0], "--config", busy.config, "--socket", busy.socket, f"--flows={name}s", check=False)
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert nobody.stderr == f'hostmeter: error: --flows: the meter knows no host "{name}s"; similar: "{name}"\n'
    assert [without_timeout(line) for line in listed(busy, f"--flows={name.upper()}")] == [without_timeout(line) for line in ours]
    # Each protocol by the name that its lines have.
    for proto in "tcp", "icmp", "icmpv6":
        lines = listed(busy, "--flows", "--proto", proto)
        assert lines and all(line.split()[2] == proto for line in lines)


def test_top_is_sorted(busy):
    def size(line):
        return sum(int(n) for n in re.search(r" in=(\d+) out=(\d+)$", line).groups())

    every = sorted((size(line) for line in listed(busy, "--flows")), reverse=True)
    assert [size(line) for line in listed(busy, "--flows", "--top", "3")] == every[:3]


def test_json(lab, busy):
    objects = [json.loads(line) for line in listed(busy, "--flows", "--json")]
    assert {o["host"] for o in objects} >= {host.name for host in lab.hosts}
    assert all(o["schema"] == 1 for o in objects)


def test_a_wrong_filter_is_one_line(busy):
    for option, value in ("ipv", "5"), ("proto", "none"), ("port", "70000"), ("host", "x" * 64):
        given = [f"--flows={value}"] if option == "host" else ["--flows", f"--{option}", value]
        done = busy.node.run(busy.argv[0], "--config", busy.config, "--socket", busy.socket, *given, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.endswith(f'--flows: there is no such {option}: "{value}"\n') and done.stderr.count("\n") == 1
    done = busy.node.run(busy.argv[0], "--config", busy.config, "--socket", busy.socket, "--flows=desktop", "--port", "1")
    assert done.stdout == "" and done.stderr.endswith("desktop has no such connection now\n")


def test_the_lan_may_not_list_them(lab, busy):
    done = lab.router.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                          "http://127.0.0.1:10060/api/v1/flows", check=False)
    assert done.stdout == "403"
