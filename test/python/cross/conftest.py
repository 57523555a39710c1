# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Machines other than this one, on which kernels compiled for them run when called."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from cross import aarch64
from cross.machine import Machine
from tilewright.compiler.kernel import Kernel

BUILD = Path(__file__).parents[3] / "build"


def launch_on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the kernels that are called in the test run on `machine`."""
    launch = property(lambda kernel: functools.partial(machine.call, kernel))
    monkeypatch.setattr(Kernel, "launch", launch)


@pytest.fixture(scope="session")
def aarch64_launcher() -> Path:
    """The launcher for AArch64."""
    lacking = aarch64.missing_tools()
    if lacking:
        pytest.skip(f"no {', '.join(lacking)}; scripts/debian-packages-dev.txt has them")
    return aarch64.build_launcher(BUILD / "aarch64")


@pytest.fixture
def aarch64_machine(aarch64_launcher: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """An AArch64, where kernels run that are called in the test."""
    machine = aarch64.make_machine(aarch64_launcher)
    launch_on(machine, monkeypatch)
    return machine
