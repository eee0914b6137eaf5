# SPDX-License-Identifier: GPL-2.0-or-later
"""What a meter that root starts may still do, and its children; and that its files go on for whoever starts the next one."""

import os
import pwd
import re
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab import Count, Truth, talk, udp, wait_until
from lab.meter import PROGRAM
from test_web import Certificates, bcrypt, curl

NET_ADMIN, NONE = "0000000000001000", "0000000000000000"
NOBODY = pwd.getpwnam("nobody")
HOME = Path("/run/hostmeter")


def one_user():
    """Whether this user namespace has root alone."""
    return int(Path("/proc/self/uid_map").read_text().split()[2]) == 1


needs_users = pytest.mark.skipif(one_user(), reason="other users are needed: run it as root")


def status_of(pid):
    return {key: value.strip() for key, value in
            (line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())}


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_confined(pid, uid, filters, own=NET_ADMIN):
    status = status_of(pid)
    assert status["CapEff"] == status["CapPrm"] == own, status
    assert status["CapInh"] == status["CapBnd"] == status["CapAmb"] == NONE, status
    assert status["NoNewPrivs"] == "1", status
    assert status["Seccomp"] == ("2" if filters else "0") and int(status["Seccomp_filters"]) >= filters, status
    assert set(status["Uid"].split()) == {str(uid)}, status


def are_confined(meter, uid, filters=True):
    """The meter, its guard and the process that checks passwords."""
    pid = meter.process.pid
    wait_until(lambda: len(children(pid)) == 2, what="both children")
    is_confined(pid, uid, 1 if filters else 0)
    for child in children(pid):
        wait_until(lambda child=child: status_of(child)["NoNewPrivs"] == "1" and (not filters or status_of(child)["Seccomp"] == "2"),
                   what="the child has begun")
        is_confined(child, uid, 1 if filters else 0, NONE)


@pytest.fixture(autouse=True)
def home():
    """Nothing is left of the test before."""
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture
def web(lab):
    path = lab.scratch / "web.yml"
    path.write_text(f"basic_auth_users:\n  somebody: {bcrypt('secret')}\n")
    return path


def at_home(lab, *options, config=""):
    """A meter with its files where they are by default. Its directory can be reached by all users."""
    HOME.mkdir(exist_ok=True)
    meter = lab.meter("--runtime-dir", HOME, "--socket", HOME / "hostmeter.sock", *options, config=config)
    meter.socket = HOME / "hostmeter.sock"
    return meter


def owners(*names):
    return {(HOME / name).lstat().st_uid for name in names} | {HOME.lstat().st_uid}


@contextmanager
def users(*lines):
    """The machine has these users as well."""
    own = Path("/run/passwd")
    own.write_text(Path("/etc/passwd").read_text() + "".join(f"{line}\n" for line in lines))
    subprocess.run(["mount", "--bind", own, "/etc/passwd"], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "/etc/passwd"], check=True)


def start_alone(lab, *options, **keywords):
    """A meter that is to end by itself."""
    return lab.router.run("timeout", "10", PROGRAM, "--config", "/dev/null", "--listen", "127.0.0.1:10061", *options, check=False,
                          **keywords)


@pytest.mark.parametrize("seccomp", [True, False])
def test_one_right_stays(lab, web, seccomp):
    """It stays root, for there is no user for it; the filter is on unless it is switched off."""
    with lab.meter("--web.config.file", web, "--seccomp", str(seccomp).lower()) as meter:
        are_confined(meter, os.getuid(), seccomp)
        assert ("and a filter of system calls" in meter.log()) == seccomp


class Desktop:
    """Traffic of a host, and whether a meter has all of it."""

    def __init__(self, lab):
        self.host, self.far, self.truth = lab.hosts[0], (lab.server_v4, 9), Truth()
        self.here, self.server = udp(lab[self.host.name], self.host.v4), udp(lab.inet, *self.far)

    def counted(self, meter):
        for _ in range(10):
            self.truth.asked(self.host, 4, talk(self.here, self.server, self.far))
        wait_until(lambda: all(meter.hosts().get(key, Count()) == count for key, count in self.truth.items()),
                   what=f"it has {self.truth}")


@needs_users
def test_a_user_of_its_own(lab, web):
    """A user that is named, counts that go on whoever starts the next meter, and root's clients."""
    lab.load_rules()
    desktop, names = Desktop(lab), lab.names(lab.hosts[:1])
    as_nobody = at_home(lab, "--web.config.file", web, "--user", "nobody", config=names)
    as_root = at_home(lab, "--user", "root", config=names)
    with as_nobody as meter:
        are_confined(meter, NOBODY.pw_uid)
        assert status_of(meter.process.pid)["Gid"].split()[0] == str(NOBODY.pw_gid)
        desktop.counted(meter)
        assert owners("checkpoint", "hostmeter.sock") == {NOBODY.pw_uid}
        meter.stop(signal.SIGKILL)
        meter.start()
        desktop.counted(meter)
        assert "host_bytes_total" in meter.once()
        assert meter.stop() == 0
        assert not meter.socket.exists()
    with as_root as meter:
        desktop.counted(meter)
        assert owners("checkpoint", "hostmeter.sock") == {0}
        meter.stop(signal.SIGKILL)
    with as_nobody as meter:
        desktop.counted(meter)
        assert owners("checkpoint", "hostmeter.sock") == {NOBODY.pw_uid}
        meter.stop(signal.SIGKILL)
    with as_a_service(at_home(lab, config=names)) as meter:
        desktop.counted(meter)
        status = status_of(meter.process.pid)
        assert status["CapEff"] == status["CapPrm"] == NET_ADMIN and status["CapInh"] == status["CapAmb"] == NONE, status
        assert status["Uid"].split()[0] == str(NOBODY.pw_uid) and status["Seccomp"] == "2", status


def as_a_service(meter):
    """As systemd starts it, with User= and AmbientCapabilities=."""
    program, config = Path("/run/hostmeter-program"), Path("/run/hostmeter.conf")  # all users can reach these
    shutil.copy(PROGRAM, program)
    shutil.copy(meter.config, config)
    rest = [word if word != meter.config else config for word in meter.argv[1:]]
    meter.argv = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--inh-caps=+net_admin",
                  "--ambient-caps=+net_admin", "--bounding-set=-all,+net_admin", program, *rest]
    return meter


@needs_users
def test_the_usual_user(lab):
    """Nobody is named: hostmeter, if there is such a user, with that user's groups; if it is of no use, root."""
    with users("hostmeter:x:4242:4243::/:/bin/false"):
        with at_home(lab) as meter:
            is_confined(meter.process.pid, 4242, 1)
            assert "runs as user hostmeter" in meter.log()
        with lab.meter() as meter:  # in a directory that this user does not reach
            is_confined(meter.process.pid, 0, 1)
            assert "user hostmeter cannot use" in meter.log() and "stays root" in meter.log()


@needs_users
def test_what_only_root_may_open(lab):
    """It is opened before: a port below 1024, keys of root's, a trace. What cannot be read again is told."""
    trace, leases, kea = lab.scratch / "trace.pcap", HOME.parent / "leases", HOME.parent / "kea"
    leases.write_text(f"0 {lab.hosts[0].mac} {lab.hosts[0].v4} desktop *\n")
    leases.chmod(0o600)
    kea.mkdir(mode=0o700, exist_ok=True)
    certificates = Certificates(lab)
    web = certificates.write()
    for path in web, certificates.directory / "server.key":
        path.chmod(0o600)
    with at_home(lab, "--user", "nobody", "--listen", "127.0.0.1:443", "--web.config.file", web, "--trace", trace,
                 config=f'names-leases = {{"{leases}", "{kea}/*.csv"}}') as meter:
        assert curl(lab, url="https://127.0.0.1:443/metrics")[:2] == (0, 200)
        wait_until(lambda: trace.stat().st_size > 24, what="the trace grows")
        for path in leases, rf"{kea}/\*.csv":
            assert re.search(f"{path}: .*Permission denied", meter.log()), meter.log()
        check = lab.router.run(PROGRAM, "--config", meter.config, "--socket", meter.socket, "--check", check=False).stdout
        assert re.search(f"BAD +names.*{leases}.*Permission denied", check), check
        assert f"{web}: user nobody cannot read it" in meter.log()
        meter.process.send(signal.SIGHUP)
        wait_until(lambda: "what was read before stays" in meter.log(), what="the reload failed")
        assert curl(lab, url="https://127.0.0.1:443/metrics")[:2] == (0, 200)


@needs_users
def test_a_directory_of_others_is_not_given_away(lab):
    """It has somebody else's file; links in it are not followed."""
    HOME.mkdir(exist_ok=True)
    theirs, secret = HOME / "theirs", HOME.parent / "secret"
    theirs.touch()
    secret.touch()
    done = start_alone(lab, "--user", "nobody", "--runtime-dir", HOME)
    assert done.returncode == 1 and 'user nobody cannot write there: Permission denied' in done.stderr
    theirs.unlink()
    for link in Path.symlink_to, Path.hardlink_to:
        link(HOME / "checkpoint", secret)
        done = start_alone(lab, "--user", "nobody", "--runtime-dir", HOME)
        assert done.returncode == 1 and "Operation not permitted" in done.stderr, done
        assert owners() | {secret.stat().st_uid} == {0}
        (HOME / "checkpoint").unlink()


def test_a_user_that_cannot_be(lab):
    done = start_alone(lab, "--user", "no-such-user", "--runtime-dir", lab.scratch / "run")
    assert done.returncode == 2 and done.stderr == '<3>user "no-such-user": there is no such user\n'
