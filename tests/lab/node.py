# SPDX-License-Identifier: GPL-2.0-or-later
"""One network namespace and the processes in it."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
VIOLATION = "is not one that hostmeter needs: process"
LIBC = ctypes.CDLL(None, use_errno=True)


def own_sandbox():
    """Within tests/lab/sandbox, once more what that does: this process has its own /run, and names of namespaces, from now on."""
    if LIBC.unshare(CLONE_NEWNS | CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    for command in ("mount --make-rprivate /", "mount -t tmpfs -o mode=755 hostmeter-lab /run", "mkdir /run/netns",
                    "ip link set lo up"):
        subprocess.run(command.split(), check=True)


def wait_until(predicate, deadline=10.0, what=None, step=0.05):
    """Polls until predicate() is true and returns what it gave; AssertionError once deadline seconds have passed."""
    end = time.monotonic() + deadline
    while True:
        result = predicate()
        if result:
            return result
        if time.monotonic() >= end:
            raise AssertionError(f"not within {deadline} s: {what or predicate}")
        time.sleep(step)


class Process:
    """A background process in a session of its own, output in a file: a Ctrl-C meant for the tests is not for it."""

    def __init__(self, argv, log, env=None):
        self.argv = argv
        self.log = Path(log)
        with open(self.log, "wb") as out:
            self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                          env=env, start_new_session=True)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def output(self):
        return self.log.read_text(errors="replace")

    def wait(self, deadline=10.0):
        """The exit status, negative for a signal."""
        try:
            return self.popen.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {deadline} s: {self.argv}\n{self.output()}") from None

    def send(self, signo, group=False):
        """To the process alone, or to all it started as well, as the keyboard does."""
        (os.killpg if group else os.kill)(self.pid, signo)

    def stop(self, signo=signal.SIGTERM, deadline=10.0):
        """Signals it, waits and returns the exit status. What does not end is killed, and that is an error."""
        if self.running():
            self.send(signo)
        try:
            return self.wait(deadline)
        except AssertionError:
            self.kill()
            raise

    def kill(self):
        """Ends it and all it started, at once."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()


def _setns(file):
    if LIBC.setns(file.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Node:
    """A named network namespace. Commands in it see the whole file system, so a UNIX socket joins them all."""

    def __init__(self, name, scratch):
        self.name = name
        self.scratch = Path(scratch)
        self.processes = []
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.ip("link set lo up")

    @contextmanager
    def entered(self):
        """This program is in the namespace for a moment; what it opens there stays there."""
        with open("/proc/thread-self/ns/net", "rb") as home, open(f"/run/netns/{self.name}", "rb") as there:
            _setns(there)
            try:
                yield
            finally:
                _setns(home)

    def socket(self, family, kind, proto=0):
        with self.entered():
            return socket.socket(family, kind, proto)

    def ifindex(self, name):
        with self.entered():
            return socket.if_nametoindex(name)

    def command(self, *argv):
        return ["nsenter", f"--net=/run/netns/{self.name}", "--", *map(str, argv)]

    def run(self, *argv, check=True, stdin=None, deadline=60, env=None):
        """Runs a command to its end and returns the CompletedProcess, output as text."""
        done = subprocess.run(self.command(*argv), input=stdin, capture_output=True, text=True, timeout=deadline,
                              env={**os.environ, "LC_ALL": "C", **(env or {})}, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{self.name}: {' '.join(map(str, argv))}: exit status {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def output(self, *argv, **keywords):
        return self.run(*argv, **keywords).stdout

    def spawn(self, *argv, env=None):
        """Starts a background process. It dies with this program, even if this program is killed."""
        log = self.scratch / f"{self.name}-{len(self.processes)}-{Path(str(argv[0])).name}.log"
        process = Process(self.command("setpriv", "--pdeathsig", "KILL", "--", *argv), log,
                          env={**os.environ, "LC_ALL": "C", **(env or {})})
        self.processes.append(process)
        return process

    def ip(self, commands):
        """ip(8) commands, one a line; what begins with -6 is of IPv6."""
        lines = [line.strip() for line in commands.splitlines() if line.strip()]
        for is_v6, some in groupby(lines, lambda line: line.startswith("-6 ")):
            batch = "".join(line.removeprefix("-6 ") + "\n" for line in some)
            subprocess.run(["ip", "-netns", self.name, *(["-6"] if is_v6 else []), "-batch", "-"], input=batch,
                           text=True, check=True)

    def sysctl(self, **values):
        """Sets net.… values: sysctl(netfilter__nf_conntrack_acct=1)."""
        script = "set -e\n" + "".join(f"echo {value} >/proc/sys/net/{key.replace('__', '/')}\n"
                                      for key, value in values.items())
        self.run("sh", "-c", script)

    def read_sysctl(self, key):
        return self.output("cat", "/proc/sys/net/" + key.replace("__", "/")).strip()

    def listens(self, port, udp=False):
        return bool(self.output("ss", "-Hlun" if udp else "-Hltn", "sport", "=", f":{port}").strip())

    def wait_listening(self, port):
        wait_until(lambda: self.listens(port), what=f"{self.name} listens on port {port}")

    def http_get(self, url, *options):
        return self.output("curl", "-sSfg", "--max-time", "20", *options, url)

    def close(self):
        for process in self.processes:
            process.kill()
        subprocess.run(["ip", "netns", "delete", self.name], check=True)

    def violations(self):
        """What the log says of system calls that the filter of the meter or of a child of its does not know."""
        return [line for process in self.processes for line in process.output().splitlines() if VIOLATION in line]
