# SPDX-License-Identifier: GPL-2.0-or-later
"""Every mistake gives one clear line and the right exit status; every end that was asked for is status 0."""

import os
import signal
import subprocess

import pytest
from lab import PROGRAM, ROOT


def refused(meter, status, *words):
    """It ends by itself with this status and one line, and every word is in it."""
    done = meter.node.run(*meter.argv, check=False, deadline=20)
    lines = (done.stdout + done.stderr).splitlines()
    assert (done.returncode, len(lines)) == (status, 1), (done.returncode, lines)
    for word in words:
        assert str(word) in lines[0], lines[0]


def test_unknown_option(lab):
    refused(lab.meter("--colour"), 2, "--colour")


@pytest.mark.parametrize("options,word", [
    (["--nflog-group", "many"], "many"), (["--nflog-group", "65536"], "65536"), (["--dump-interval", "soon"], "soon"),
    (["--dump-share", "-1"], "-1"), (["--listen", "nowhere:at:all"], "nowhere:at:all"), (["stray"], "stray"),
])
def test_bad_value(lab, options, word):
    refused(lab.meter(*options), 2, word)


def test_unknown_key(lab):
    meter = lab.meter(config='\ncolour = "blue"\n')
    refused(meter, 2, meter.config, "colour", ":2")


def test_bad_mac(lab):
    meter = lab.meter(config='host "desktop" {\n\tmac = {"00:00:5e:00:53"}\n}\n')
    refused(meter, 2, meter.config, "00:00:5e:00:53")


def test_missing_configuration_file(lab):
    meter = lab.meter()
    meter.config.unlink()
    refused(meter, 2, meter.config)


def test_socket_in_use(lab):
    with lab.meter() as first:
        second = lab.meter("--socket", first.socket, "--nflog-group", "61", listen="127.0.0.1:10061")
        refused(second, 1, first.socket)


def test_missing_privileges(lab):
    meter = lab.meter()
    meter.argv = ["setpriv", "--bounding-set=-all", "--", *meter.argv]
    refused(meter, 1, "CAP_NET_ADMIN")


def test_once_without_a_meter(lab):
    meter = lab.meter("--once")
    refused(meter, 1, meter.socket)


def test_replay_of_nothing(lab):
    meter = lab.meter("--replay", lab.scratch / "none.pcap")
    refused(meter, 1, lab.scratch / "none.pcap")


@pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM])
def test_ends_when_told(lab, signo):
    with lab.meter() as meter:
        assert meter.stop(signo) == 0
        assert not meter.socket.exists()


def test_starts_again_after_a_kill(lab, traffic):
    """The socket that a killed meter left is no obstacle."""
    with lab.meter() as meter:
        meter.kill()
        assert meter.socket.exists()
        meter.start()
        assert meter.stop() == 0


def test_group_of_another_is_said_and_metering_goes_on(lab, traffic):
    lab.load_rules()
    with lab.meter():
        second = lab.meter(listen="127.0.0.1:10061", config=lab.names())
        with second:
            traffic.http(lab.hosts[0], 4)
            assert len(lab.settled(second)) == 2
            assert "60" in second.log()


def test_help_and_version(lab):
    assert "--dump-interval" in lab.router.output(PROGRAM, "--help")
    assert "hostmeter" in lab.router.output(PROGRAM, "--version")


def printed_rules(lab, kind):
    """What --print-rules gives for another group, which then stands in every rule."""
    text = lab.router.output(PROGRAM, f"--print-rules={kind}", "--nflog-group", "77")
    rules = "".join(line for line in text.splitlines() if line[:1] != "#")
    assert rules.count("group 77") == 2 and "group 60" not in rules
    return text


def test_printed_nft_rules_load(lab):
    lab.router.run("nft", "-f", "-", stdin=printed_rules(lab, "nft"))
    assert lab.router.output("nft", "list", "table", "inet", "hostmeter").count("log group 77") == 2


@pytest.mark.parametrize("tool", ["iptables", "ip6tables"])
def test_printed_iptables_rules_load(lab, tool):
    """One text serves both families."""
    lab.router.run(f"{tool}-restore", "-w", "--noflush", stdin=printed_rules(lab, "iptables"))
    saved = lab.router.output(f"{tool}-save", "-t", "mangle")
    assert saved.count("-j NFLOG") == 2 and saved.count("-A FORWARD -j HOSTMETER") == 1


@pytest.mark.parametrize("disposition", [signal.SIG_DFL, signal.SIG_IGN], ids=["default", "ignored"])
def test_a_reader_that_has_enough_is_no_error(lab, disposition):
    """As "| head" is: whether or not the shell ignores SIGPIPE, nothing is said of it, and nothing goes on."""
    with lab.meter(config=lab.names()) as meter:
        for words in ("--once", "--cgi", "--flows", "--print-rules", "--check", "--help", "--version", "--watch=0.2 --count 9",
                      "--watch=0.2 --json", "--replay {trace}", "--replay {trace} --explain all"):
            trace = ROOT / "tests/traces/home.pcap"
            reading, writing = os.pipe()
            os.close(reading)
            command = meter.node.command(PROGRAM, "--config", meter.config, "--socket", meter.socket, *words.format(trace=trace).split())
            done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=30, check=False,
                                  restore_signals=False, preexec_fn=lambda: signal.signal(signal.SIGPIPE, disposition))
            os.close(writing)
            assert done.stderr == "", words
            assert done.returncode in (-signal.SIGPIPE, 1) or (words, done.returncode) == ("--flows", 0), words
