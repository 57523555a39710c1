"""Shared by all Python tests: a private cache on disk, and the devices to run on.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import tempfile

import hypothesis
import pytest

# Before tilewright is imported: compiled kernels of a test run stay out of the user's
# cache, and every run starts with an empty one.
_cache = tempfile.TemporaryDirectory(prefix="tilewright-test-cache-")
os.environ["TILEWRIGHT_CACHE_DIR"] = _cache.name
# Peers' threads sleep while ours run.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("KMP_BLOCKTIME", "0")

# A test must not pass on one machine and fail on a slower one, or on Tuesdays.
hypothesis.settings.register_profile("tilewright", deadline=None, derandomize=True)
hypothesis.settings.load_profile("tilewright")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--device NAME`, repeatable: where kernels run; the CPU by default."""
    parser.addoption("--device", action="append", default=[], help="device to run kernels on")


#: One of each vendor: what tests marked `every_device` run on beside the CPU.
EMULATED = ["cuda-emulator:sm_80", "hip-emulator:gfx942"]


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "every_device: runs on emulated GPUs as well")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `device` runs once on each of them."""
    if "device" not in metafunc.fixturenames:
        return
    everywhere = metafunc.definition.get_closest_marker("every_device")
    default = ["cpu", *EMULATED] if everywhere else ["cpu"]
    metafunc.parametrize("device", metafunc.config.getoption("device") or default)


def pytest_unconfigure() -> None:
    """Remove the private cache."""
    _cache.cleanup()
