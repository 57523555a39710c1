# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Machines other than this one, on which kernels compiled for them run when called."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from cross import aarch64, amx
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


@pytest.fixture(scope="session")
def amx_programs() -> Path:
    """The folder of the launcher and the emulator's tests."""
    lacking = amx.missing()
    if lacking:
        pytest.skip(f"this CPU has no {', '.join(lacking)}")
    return amx.build(BUILD / "amx")


@pytest.fixture
def amx_machine(
    amx_programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> amx.AmxMachine:
    """An x86-64 with AMX, where kernels run that are called in the test."""
    machine = amx.AmxMachine(amx_programs, tmp_path / "amx.log")
    launch_on(machine, monkeypatch)
    return machine
