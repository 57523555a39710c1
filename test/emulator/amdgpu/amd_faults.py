"""The hand-made faults of AMD's code: what a program is, its objects, and where all are.

`python amd_faults.py` assembles them to vectors/faults/; it needs clang 22 and lld.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import gzip
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import amd_assembly
import fault
from fault import Fault, counted, words

__all__ = ["Fault", "Program", "counted", "everything", "words"]

VECTORS = Path(__file__).resolve().parent / "vectors" / "faults"


@dataclass(frozen=True)
class Program(fault.Program):
    """A kernel in AMD's assembly, of two arrays: see amd_assembly.kernel."""

    arch: str = "gfx942"
    _: KW_ONLY
    lds: int = 0
    scratch: int = 0
    more: str = ""

    @property
    def text(self) -> str:
        return amd_assembly.kernel(
            self.arch, self.body, lds=self.lds, scratch=self.scratch, more=self.more
        )


def everything() -> list[Fault]:
    """All faults, of all files."""
    import amd_faults_control
    import amd_faults_global
    import amd_faults_hazards
    import amd_faults_lds
    import amd_faults_memory
    import amd_faults_waits

    files = (
        amd_faults_memory,
        amd_faults_global,
        amd_faults_lds,
        amd_faults_waits,
        amd_faults_hazards,
        amd_faults_control,
    )
    return [fault for file in files for fault in file.FAULTS]


def missed() -> list[tuple[Fault, str]]:
    """Faults that are not reported, and why."""
    import amd_faults_missed

    return amd_faults_missed.MISSED


def vector(name: str) -> bytes:
    """The object of a program, or of a fault, as it was assembled once."""
    return gzip.decompress((VECTORS / f"{name}.hsaco.gz").read_bytes())


def main() -> None:
    """Assembles all."""
    faults = [*everything(), *(one for one, _ in missed())]
    every = [*fault.check_names(faults).values(), *faults]
    VECTORS.mkdir(exist_ok=True)
    for old in VECTORS.glob("*.gz"):
        old.unlink()
    for one in every:
        arch = one.arch if isinstance(one, Program) else one.program.arch
        code = amd_assembly.assemble(one.text, arch)
        if code is None:
            raise SystemExit("clang 22 and lld are needed: scripts/debian-packages.txt")
        (VECTORS / f"{one.name}.hsaco.gz").write_bytes(gzip.compress(code, 9, mtime=0))
    print(f"{len(every)} objects")


if __name__ == "__main__":
    import amd_faults  # the faults are made of its classes, not of this script's

    amd_faults.main()
