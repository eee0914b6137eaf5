# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGHUP: everything that can change while the meter runs does, a mistake changes nothing, and no counter falls."""

import os
import signal
import socket

import pytest
from lab import answered, closed, wait_until
from test_web import bcrypt

NO_NAMES = "names-ethers = {}\nnames-leases = {}\nnames-odhcpd = {}\nnames-hosts = {}\n"


def start(lab, config="", **keywords):
    """The meter with all that a reload may change in the file, not on the command line."""
    meter = lab.meter(config=config, **{"interfaces": (), **keywords})
    for option in "--listen", "--dump-interval":
        at = meter.argv.index(option)
        del meter.argv[at:at + 2]
    return meter


def file_of(lab, *lines, listen="127.0.0.1:10060", lan=None, names=NO_NAMES):
    return (f'lan = {{"{lan or lab.lan}"}}\nwan = {{"{lab.wan}"}}\nlisten = {{"{listen}"}}\ndump-interval = 1\n{names}'
            + "".join(f"{line}\n" for line in lines))


def reload(meter, text=None):
    """Sends SIGHUP and returns the line that the log gets for it."""
    if text is not None:
        meter.config.write_text(text)

    def lines():
        return [line for line in meter.log().splitlines() if "read again: " in line or "what was read before stays" in line]

    before = len(lines())
    meter.process.send(signal.SIGHUP)
    wait_until(lambda: len(lines()) > before or not meter.process.running(), what="the reload's line")
    assert meter.process.running(), meter.log()
    assert len(lines()) == before + 1, meter.log()
    return lines()[-1]


def labels(meter):
    return {key[0] for key in meter.hosts()}


def all_counters(meter):
    return {key: value for key, value in meter.metrics().items() if key[0].endswith("_total")}


def not_fallen(before, after):
    assert {key: (value, after.get(key)) for key, value in before.items() if after.get(key, -1) < value} == {}


def test_sighup_without_any_file_does_not_end_it(lab):
    with lab.meter() as meter:
        assert reload(meter).endswith(f"{meter.config}: read again: nothing changed")
        assert meter.stop() == 0


def test_a_host_gets_its_name_and_keeps_its_bytes(lab, traffic):
    lab.load_rules()
    desktop = lab.hosts[0]
    with start(lab, file_of(lab)) as meter:
        traffic.ping(desktop, 4)
        traffic.ping(desktop, 6)
        lab.settled(meter)
        counts = {key[1:]: count for key, count in meter.hosts().items() if key[0] == desktop.mac}
        assert counts
        before = all_counters(meter)
        line = reload(meter, file_of(lab, f'host "desk" {{ mac = {{"{desktop.mac}"}} }}'))
        assert "read again: changed: host" in line
        assert {key[1:]: count for key, count in meter.hosts().items() if key[0] == "desk"} == counts
        assert desktop.mac not in labels(meter)
        line = reload(meter, file_of(lab, f'host "table" {{ mac = {{"{desktop.mac}"}} }}'))
        assert {key[1:]: count for key, count in meter.hosts().items() if key[0] == "table"} == counts
        # The rest goes on as well, and the same name does.
        not_fallen({key: value for key, value in before.items() if ("host", desktop.mac) not in key[1]}, all_counters(meter))
        traffic.ping(desktop, 4)
        lab.settled(meter)
        assert meter.hosts()[("table", 4, "out")].bytes > counts[(4, "out")].bytes
        reload(meter, file_of(lab))
        assert desktop.mac in labels(meter) and "table" not in labels(meter)


def test_each_address_of_listen_comes_and_goes(lab):
    with start(lab, file_of(lab)) as meter:
        url = "http://127.0.0.1:{}/metrics".format
        answered(lab.router, url(10060))
        with lab.router.entered():
            kept = socket.create_connection(("127.0.0.1", 10060), 20)
        line = reload(meter, file_of(lab, listen='127.0.0.1:10061", "127.0.0.1:10062'))
        assert "changed: listen" in line
        answered(lab.router, url(10061))
        answered(lab.router, url(10062))
        assert not lab.router.listens(10060)
        assert kept.recv(1) == b""
        # All addresses of a port in place of one, and back.
        reload(meter, file_of(lab, listen=":10061"))
        answered(lab.router, url(10061))
        answered(lab[lab.hosts[0].name], f"http://{lab.router_v4}:10061/metrics")
        reload(meter, file_of(lab, listen="127.0.0.1:10061"))
        answered(lab.router, url(10061))
        assert not lab.router.listens(10062)
        assert meter.value("hostmeter_listen_waiting") == 0


def test_allow_and_sides(lab):
    inet = f"http://{lab.wan_v4}:10060/metrics"
    desktop = lab[lab.hosts[0].name]
    lan = f"http://{lab.router_v4}:10060/metrics"
    with start(lab, file_of(lab, listen=":10060")) as meter:
        closed(lab.inet, inet)
        answered(desktop, lan)
        assert "changed: allow" in reload(meter, file_of(lab, f'allow = {{"{lab.server_v4}"}}', listen=":10060"))
        answered(lab.inet, inet)
        assert "changed: lan, allow" in reload(meter, file_of(lab, listen=":10060", lan="later0"))
        closed(lab.inet, inet)
        closed(desktop, lan)
        sides = {dict(key[1]).get("interface"): dict(key[1]).get("side") for key in meter.metrics()
                 if key[0] == "hostmeter_interface_info"}
        assert sides == {lab.wan: "wan"}
        assert 'lan: there is no interface "later0" yet' in meter.log()
        assert meter.value("hostmeter_interfaces_missing") == 1
        reload(meter, file_of(lab, listen=":10060"))
        answered(desktop, lan)


def test_names_and_intervals(lab, traffic):
    lab.load_rules()
    phone = lab.hosts[2]
    names = lab.scratch / "ethers"
    names.write_text(f"{phone.mac} from-ethers\n")
    with start(lab, file_of(lab)) as meter:
        traffic.ping(phone, 4)
        lab.settled(meter)
        assert phone.mac in labels(meter)
        others = NO_NAMES.replace("names-ethers = {}", f'names-ethers = {{"{names}"}}')
        text = file_of(lab, 'interface "wan" { name = "isp" }', names=others).replace("dump-interval = 1", "dump-interval = 2")
        line = reload(meter, text)
        assert "changed: dump-interval, names-ethers, interface" in line
        assert "from-ethers" in labels(meter) and phone.mac not in labels(meter)
        assert meter.value("hostmeter_dump_interval_seconds") == 2
        assert meter.value("network_bytes_total", interface="isp", direction="rx") is not None
        reload(meter, file_of(lab))
        assert phone.mac in labels(meter)


@pytest.mark.parametrize("text,fault", [
    ('lan = {"br-lan"}\nlisten = {"127.0.0.1:10061"}\ncolour = 1\n', ':3: unknown key "colour"'),
    ('listen = {"127.0.0.1:10061"}\nhost "a" {\n\tmac = "00:00:5e"\n}\n', ":3: host \"a\": bad MAC address"),
    ('listen = {"127.0.0.1:10061"}\nweb.config.file = "{directory}/web.yml"\n', "web.yml:2: unknown key \"nonsense\""),
    ('listen = {"127.0.0.1:10061"}\nhost "a" {\n', ':2: this "{" has no "}"'),
    (None, "No such file or directory"),
])
def test_a_mistake_changes_nothing(lab, text, fault):
    desktop = lab.hosts[0]
    with start(lab, file_of(lab, f'host "desk" {{ mac = {{"{desktop.mac}"}} }}')) as meter:
        (meter.directory / "web.yml").write_text("\nnonsense: 1\n")
        if text is None:
            meter.config.rename(meter.directory / "away")
            line = reload(meter)
        else:
            line = reload(meter, text.replace("{directory}", str(meter.directory)))
        assert fault in line and "what was read before stays" in line
        assert str(meter.config) in line or "web.yml" in line
        answered(lab.router, "http://127.0.0.1:10060/metrics")
        assert not lab.router.listens(10061)
        # And a right one after it counts.
        assert "changed: listen" in reload(meter, file_of(lab, listen="127.0.0.1:10061"))
        answered(lab.router, "http://127.0.0.1:10061/metrics")


def test_what_needs_a_restart_is_told_by_its_name(lab):
    with start(lab, file_of(lab)) as meter:
        line = reload(meter, file_of(lab, "nflog-group = 61", "max-hosts = 100", "event-buffer = 9000", 'allow = {"10.0.0.0/8"}',
                                     'state-dir = "/nowhere"', 'runtime-dir = "/nowhere"', 'socket = "/nowhere/s"'))
        # Those of the command line keep their precedence.
        assert line.endswith("changed: allow; needs a restart: nflog-group, event-buffer, max-hosts")
        assert '"nflog_group":60' in meter.get("/api/v1/status")
        line = reload(meter)
        assert line.endswith("nothing changed; needs a restart: nflog-group, event-buffer, max-hosts")
        assert reload(meter, file_of(lab)).endswith("changed: allow")


def test_the_command_line_wins_as_at_the_start(lab):
    with lab.meter(config='listen = {"127.0.0.1:10061"}\n') as meter:
        assert reload(meter, 'listen = {"127.0.0.1:10062"}\ndump-interval = 5\nlan = {"wan"}\n').endswith("nothing changed")
        answered(lab.router, "http://127.0.0.1:10060/metrics")
        assert meter.value("hostmeter_dump_interval_seconds") == 1


def test_requests_that_wait_do_not_stop_it(lab):
    """Clients whose password is being checked, or that wait for a dump, when their port is closed, and the users change."""
    web = lab.scratch / "web.yml"
    users = [f"basic_auth_users:\n  a: {bcrypt(word, 12)}\n" for word in ("one", "two")]
    lines = 'web.config.file = "{}"'.format(web), f'allow = {{"{lab.server_v4}"}}'
    for way in range(2):
        web.write_text(users[0])
        with start(lab, file_of(lab, *lines[1 - way:])) as meter:
            for turn in range(4):
                port = 10060 + turn
                asking = [lab.router.spawn("curl", "-s", "-o", "/dev/null", "-u", f"a:{client}",
                                           f"http://127.0.0.1:{port}/metrics") for client in range(8)]
                web.write_text(users[turn % 2])
                wait_until(lambda: len(lab.router.output("ss", "-Htn", "state", "established", "sport", "=", f":{port}")
                                       .splitlines()) >= 4 or not any(one.running() for one in asking),
                           what="clients wait", step=0.01)
                reload(meter, file_of(lab, *lines[1 - way:], listen=f"127.0.0.1:{port + 1}"))
                for one in asking:
                    one.wait()
            assert lab.router.listens(10064)
            assert meter.stop() == 0


def test_the_supervisor_is_told(lab):
    """Type=notify: RELOADING=1 with the monotonic time, then READY=1."""
    path = lab.scratch / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(path))
        supervisor.settimeout(20)
        meter = start(lab, file_of(lab))
        meter.argv = ["env", f"NOTIFY_SOCKET={path}", *meter.argv]
        with meter:
            assert supervisor.recv(200) == b"READY=1"
            for text in file_of(lab, 'allow = {"10.0.0.0/8"}'), "colour = 1\n":
                reload(meter, text)
                began = supervisor.recv(200).decode().splitlines()
                assert began[0] == "RELOADING=1" and began[1].startswith("MONOTONIC_USEC=")
                assert int(began[1].split("=")[1]) > 0
                assert supervisor.recv(200) == b"READY=1"


def test_many_reloads_lose_no_byte(lab, traffic):
    """While hosts talk, everything changes back and forth: the counts are what went over the wire."""
    lab.load_rules()
    desktop = lab.hosts[0]
    texts = (file_of(lab, f'host "desk" {{ mac = {{"{desktop.mac}"}} }}'),
             file_of(lab, f'host "desk" {{ mac = {{"{desktop.mac}"}} }}', 'tunnel = {"192.0.2.200"}', "forget-after = 86400",
                     f'host "tv" {{ mac = {{"{lab.hosts[1].mac}"}} }}', listen="127.0.0.1:10061"))
    with start(lab, texts[0]) as meter:
        traffic.ping(desktop, 4)
        lab.settled(meter)
        size = os.stat(meter.process.log).st_size
        last = all_counters(meter)
        one = meter.hosts()[("desk", 4, "out")]
        for turn in range(20):
            traffic.ping(desktop, 4)
            reload(meter, texts[(turn + 1) % 2])
            now = all_counters(meter)
            not_fallen({key: value for key, value in last.items() if not {("host", "tv"), ("host", lab.hosts[1].mac)} & key[1]},
                       now)
            last = now
        lab.settled(meter)
        counted = meter.hosts()[("desk", 4, "out")]
        assert (counted.bytes, counted.packets) == (21 * one.bytes, 21 * one.packets)
        assert os.stat(meter.process.log).st_size - size < 20 * 400
