# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""AArch64 on a machine that is none: a cross compiler builds the launcher, and qemu's
user-mode emulation runs it."""

from __future__ import annotations

import shutil
from pathlib import Path

from cross.machine import Machine, build_programs

SYSTEM = "/usr/aarch64-linux-gnu"  # where Debian puts the libraries of the other machine
COMPILERS = ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++")
EMULATOR = "qemu-aarch64"


def missing_tools() -> list[str]:
    """Those of the tools that this machine lacks; scripts/debian-packages-dev.txt has them."""
    return [tool for tool in (*COMPILERS, EMULATOR) if not shutil.which(tool)]


def build_launcher(build: Path) -> Path:
    """The program of launch.c, built in `build` where it is not up to date."""
    system = ["-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64"]
    build_programs(build, COMPILERS, *system)
    return build / "launch"


def make_machine(launcher: Path, cpu: str = "max") -> Machine:
    """A CPU that is what qemu calls `cpu`: "max" has every extension that qemu knows."""
    return Machine([EMULATOR, "-L", SYSTEM, "-cpu", cpu, launcher])
