# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A machine of another architecture, on which kernels compiled for it run when called."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from cross import aarch64
from tilewright.compiler.kernel import Kernel

BUILD = Path(__file__).parents[3] / "build" / "aarch64"


@pytest.fixture(scope="session")
def launcher() -> Path:
    """The launcher for AArch64."""
    lacking = aarch64.missing_tools()
    if lacking:
        pytest.skip(f"no {', '.join(lacking)}; scripts/debian-packages-dev.txt has them")
    return aarch64.build_launcher(BUILD)


@pytest.fixture
def machine(launcher: Path, monkeypatch: pytest.MonkeyPatch) -> aarch64.Machine:
    """What kernels run on that are called in the test."""
    machine = aarch64.Machine(launcher)
    launch = property(lambda kernel: functools.partial(machine.call, kernel))
    monkeypatch.setattr(Kernel, "launch", launch)
    return machine
