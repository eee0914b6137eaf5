# SPDX-License-Identifier: GPL-2.0-or-later
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import Lab, Traffic  # noqa: E402


def pytest_sessionstart():
    if not os.path.ismount("/run") or not os.path.isdir("/run/netns"):
        raise pytest.UsageError("these tests build networks: start them by tests/run-e2e")


@pytest.fixture
def lab():
    """A home network of the test's own, rules not loaded. Its files lie in TMPDIR: pytest's paths outgrow sun_path."""
    with Lab() as network:
        yield network


@pytest.fixture
def traffic(lab):
    return Traffic(lab)
