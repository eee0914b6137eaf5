# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that are in use, of others, without an end, or gone: nothing is damaged, nothing hangs, and one line says it."""

import os
import signal
import stat

import pytest
from lab import PROGRAM, wait_until


def refused(meter, *words, status=1):
    """It ends by itself with this status and one line, and every word is in it."""
    done = meter.node.run(*meter.argv, check=False, deadline=20)
    lines = (done.stdout + done.stderr).splitlines()
    assert (done.returncode, len(lines)) == (status, 1), (done.returncode, lines)
    for word in words:
        assert str(word) in lines[0], lines[0]


def failed(meter, *words, options):
    """A client of the meter does the same."""
    done = meter.node.run(PROGRAM, "--config", meter.config, "--socket", meter.socket, *options, check=False, deadline=20)
    lines = (done.stdout + done.stderr).splitlines()
    assert (done.returncode, len(lines)) == (1, 1), (done.returncode, lines)
    for word in words:
        assert str(word) in lines[0], lines[0]


def contents(directory):
    return {entry.name: (entry.stat().st_ino, entry.stat().st_size, entry.stat().st_mtime_ns)
            for entry in os.scandir(directory)}


def same_directory(lab, first):
    return lab.meter("--runtime-dir", first.directory / "run", "--nflog-group", "61", listen="127.0.0.1:10061")


@pytest.mark.parametrize("same_socket", [False, True])
def test_a_second_meter_touches_nothing(lab, same_socket):
    with lab.meter() as first:
        run = first.directory / "run"
        wait_until((run / "checkpoint").exists, what="a checkpoint")
        second = same_directory(lab, first)
        if same_socket:
            second.socket = first.socket
            second.argv += ["--socket", first.socket]
        # While it is stopped the first one changes nothing there.
        first.process.send(signal.SIGSTOP)
        try:
            before = contents(run)
            refused(second, f'runtime-dir "{run}"', f"in use by another hostmeter (process {first.process.pid})")
            assert contents(run) == before
        finally:
            first.process.send(signal.SIGCONT)
        assert first.get("/metrics")
        # The lock ends with its process, however that ends.
        first.process.send(signal.SIGKILL)
        first.process.wait()
        with second:
            assert second.get("/metrics")


def test_a_lock_that_was_removed_is_taken_again(lab):
    with lab.meter() as first:
        lock = first.directory / "run" / "lock"
        lock.unlink()
        wait_until(lock.exists, what="the lock")
        refused(same_directory(lab, first), "in use by another hostmeter")


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775])
def test_a_runtime_directory_where_others_write(lab, mode):
    meter = lab.meter()
    run = meter.directory / "run"
    run.chmod(mode)
    refused(meter, f'runtime-dir "{run}": other users can write in it (mode {mode:04o}): chmod go-w {run}')
    assert not list(run.iterdir())
    run.chmod(0o755)
    with meter:
        pass


def test_a_runtime_directory_that_is_a_link(lab):
    meter = lab.meter()
    run = meter.directory / "run"
    run.rename(meter.directory / "real")
    run.symlink_to("real")
    refused(meter, f'runtime-dir "{run}": is a symbolic link')
    assert not list(run.iterdir())


def test_a_runtime_directory_of_somebody_else(lab):
    meter = lab.meter()
    run = meter.directory / "run"
    try:
        os.chown(run, 4711, 4711)
    except OSError:
        pytest.skip("an ordinary user gives no directory away")
    refused(meter, f'runtime-dir "{run}": belongs to user', "4711", f"chown root {run}")
    assert not list(run.iterdir())


def test_names_in_files_without_an_end(lab):
    """Each is told of once; the other files count, and the meter stops when it is told to."""
    files = lab.scratch / "names"
    files.mkdir()
    (files / "leases").symlink_to("/proc/kmsg")
    os.mkfifo(files / "odhcpd")
    (files / "hosts").symlink_to("/dev/zero")
    desktop = lab.hosts[0]
    (files / "ethers").write_text(f"{desktop.mac} by-ethers\n")
    config = "".join(f'names-{kind} = {{"{files}/{kind}"}}\n' for kind in ("ethers", "leases", "odhcpd", "hosts"))
    with lab.meter(config=config) as meter:
        lab[desktop.name].run("ping", "-c", "1", lab.server_v4)
        wait_until(lambda: any(host == "by-ethers" for host, _, _ in meter.hosts()), what="the name")
        log = meter.log()
        assert log.count(f"names: {files}/leases: is a file that the kernel makes up") == 1
        assert log.count(f"names: {files}/odhcpd: is not a regular file") == 1
        assert log.count(f"names: {files}/hosts: is not a regular file") == 1
        # One that appears in its place while the meter runs.
        (files / "ethers").unlink()
        (files / "ethers").symlink_to("/proc/kmsg")
        wait_until(lambda: f"names: {files}/ethers: is a file that the kernel makes up" in meter.log(), what="the line")
        assert meter.get("/metrics")
        assert meter.stop() == 0


def test_a_long_file_of_leases(lab):
    """Ten megabytes: what is read of it is said, and the names at its start count."""
    leases = lab.scratch / "leases"
    desktop = lab.hosts[0]
    with open(leases, "w") as file:
        file.write(f"1 {desktop.mac} {desktop.v4} by-leases *\n")
        for i in range(10_000_000 // 100):
            file.write(f"1 00:00:5e:01:{i % 64 >> 8:02x}:{i % 64:02x} 192.0.2.1 host{i:<40} *{'':19}\n")
    assert leases.stat().st_size > 9_000_000
    with lab.meter(config=f'names-leases = {{"{leases}"}}\n') as meter:
        assert f"{leases}: not all names were read: File too large" in meter.log()
        lab[desktop.name].run("ping", "-c", "1", lab.server_v4)
        wait_until(lambda: any(host == "by-leases" for host, _, _ in meter.hosts()), what="the name")
        text = leases.read_text().replace("by-leases", "renamed", 1)
        leases.write_text(text)
        wait_until(lambda: any(host == "renamed" for host, _, _ in meter.hosts()), what="the new name")
        print("longest turn:", meter.value("hostmeter_loop_stall_seconds_max"))


@pytest.mark.parametrize("kind", ["fifo", "kernel", "device"])
def test_a_configuration_that_is_no_file(lab, kind):
    meter = lab.meter()
    meter.config.unlink()
    if kind == "fifo":
        os.mkfifo(meter.config)
    else:
        meter.config.symlink_to("/proc/kmsg" if kind == "kernel" else "/dev/zero")
    refused(meter, meter.config, "kernel makes up" if kind == "kernel" else "is not a regular file", status=2)


def test_no_configuration_at_all(lab):
    meter = lab.meter()
    meter.config.unlink()
    meter.config.symlink_to("/dev/null")
    with meter:
        assert meter.get("/metrics")


def test_output_into_what_is_no_file(lab):
    fifo, link, full = (lab.scratch / name for name in ("fifo", "link", "full"))
    os.mkfifo(fifo)
    link.symlink_to("none")
    with lab.meter() as meter:
        failed(meter, fifo, "is a FIFO that nobody reads", options=("--once", "--output", fifo))
        failed(meter, link, "is a symbolic link", options=("--once", "--output", link))
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        try:
            meter.once("--output", fifo)
            assert b"hostmeter_" in os.read(reader, 65536)
        finally:
            os.close(reader)
        assert stat.S_ISFIFO(fifo.lstat().st_mode) and stat.S_ISLNK(link.lstat().st_mode)
        try:
            os.mknod(full, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
        except PermissionError:
            pytest.skip("an ordinary user makes no device")
        failed(meter, full, "No space left on device", options=("--once", "--output", full))
        assert stat.S_ISCHR(full.lstat().st_mode)
        assert {entry.name for entry in os.scandir(lab.scratch)} >= {"fifo", "full", "link"}
        assert not list(lab.scratch.glob("full.*"))


def test_a_recording_goes_into_a_file_of_ours(lab):
    victim, link, old = (lab.scratch / name for name in ("victim", "link", "old"))
    victim.write_text("precious\n")
    link.symlink_to(victim)
    old.write_text("an older recording\n")
    old.chmod(0o666)
    refused(lab.meter("--trace", link), f'trace "{link}"', "is a symbolic link")
    with lab.meter("--trace", old) as meter:
        assert stat.S_IMODE(old.stat().st_mode) == 0o600
        failed(meter, link, "is a symbolic link", options=("--record", link, "--seconds", "1"))
        old.chmod(0o644)
    meter.process.wait()
    with lab.meter() as meter:
        meter.node.run(PROGRAM, "--socket", meter.socket, "--record", old, "--seconds", "1", deadline=30)
        assert stat.S_IMODE(old.stat().st_mode) == 0o600 and old.stat().st_size > 100
    assert victim.read_text() == "precious\n"


def test_a_removed_socket_is_made_again(lab):
    meter = lab.meter("--socket", lab.scratch / "sub" / "socket")
    meter.socket = lab.scratch / "sub" / "socket"
    with meter:
        meter.socket.unlink()
        meter.socket.parent.rmdir()
        wait_until(meter.socket.exists, what="the socket")
        assert stat.S_IMODE(meter.socket.stat().st_mode) == 0o660
        assert "hostmeter_" in meter.once()
        assert meter.log().count("it was removed, and is made again") == 1
        assert meter.stop() == 0
        assert not meter.socket.exists()
