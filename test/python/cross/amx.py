# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Intel's AMX on an x86-64 that may lack it: amx.c, linked into the launcher, emulates it."""

from __future__ import annotations

import functools
from pathlib import Path

from cross.machine import Machine, build_programs

COMPILERS = ("gcc", "g++")

#: Linux's names of what CPU targets need to be `cpu:sapphirerapids`, ...
NEEDED = ("avx2", "fma", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")
#: ... and those of the extensions that it can do without, by LLVM's.
LINUX_NAMES = {
    "avxvnni": "avx_vnni",
    "avx512ifma": "avx512ifma",
    "avx512vbmi": "avx512vbmi",
    "avx512vbmi2": "avx512_vbmi2",
    "avx512bitalg": "avx512_bitalg",
    "avx512vnni": "avx512_vnni",
    "avx512vpopcntdq": "avx512_vpopcntdq",
    "avx512bf16": "avx512_bf16",
    "avx512fp16": "avx512_fp16",
}


@functools.cache
def _flags() -> frozenset[str]:
    """The extensions of this CPU as Linux names them; none of one that is no x86-64."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    flags = next((line for line in lines if line.startswith("flags")), ":")
    return frozenset(flags.split(":", 1)[1].split())


def missing() -> list[str]:
    """The extensions that this CPU lacks to be one with AMX but for the tiles."""
    return [flag for flag in NEEDED if flag not in _flags()]


def target() -> str:
    """Sapphire Rapids, less what this CPU lacks: amx.c emulates AMX alone."""
    lacking = [f",-{name}" for name, flag in LINUX_NAMES.items() if flag not in _flags()]
    return "cpu:sapphirerapids" + "".join(lacking)


class AmxMachine(Machine):
    """This machine with AMX. `programs` is where they were built, `log` a file to write."""

    def __init__(self, programs: Path, log: Path) -> None:
        super().__init__(["env", f"TILEWRIGHT_AMX_LOG={log}", programs / "launch"])
        self.log = log

    @property
    def products(self) -> int | None:
        """How many products of tiles were emulated; None where the CPU has AMX itself."""
        lines = self.log.read_text().splitlines()
        if "native" in lines:
            return None
        return sum(int(line.split()[1]) for line in lines)


def build(folder: Path) -> Path:
    """The folder, with the programs of CMakeLists.txt for this machine up to date."""
    build_programs(folder, COMPILERS)
    return folder
