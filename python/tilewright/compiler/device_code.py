"""What assemblers say of code for GPUs: the registers, stack and spills of its kernels.

Nothing of it needs a GPU. NVIDIA's `ptxas` says what it thinks of PTX, and LLVM's
`llvm-readelf` what registers a code object of AMD has.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import functools
import re
import subprocess
import tempfile
from pathlib import Path

from .tools import find_program, program_version

READELF = "/usr/lib/llvm-22/bin/llvm-readelf"


@dataclasses.dataclass(frozen=True)
class Entry:
    """A kernel of some code: registers and bytes of stack that a thread has, and how many bytes
    of registers it spills."""

    name: str
    registers: int
    stack_bytes: int
    spilled_bytes: int


def ptxas() -> str | None:
    """NVIDIA's assembler; None where there is none."""
    return find_program("ptxas")


@functools.cache
def ptxas_version() -> str | None:
    """As in "ptxas 13.0"; None where there is none."""
    place = ptxas()
    return place and f"ptxas {program_version(place) or 'of an unknown version'}"


_PTXAS_ENTRY = re.compile(
    r"Compiling entry function '(\S+)'.*?"
    r"(\d+) bytes stack frame, (\d+) bytes spill stores.*?Used (\d+) registers",
    re.S,
)


def assemble(code: bytes, arch: str, ptxas: str) -> list[Entry]:
    """The kernels of a text of PTX as ptxas assembles them.

    Raises ValueError with what ptxas says where it refuses the text.
    """
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "kernel.ptx"
        text.write_bytes(code)
        run = subprocess.run(
            [ptxas, f"-arch={arch}", "-v", "-o", str(text.with_suffix(".cubin")), str(text)],
            capture_output=True,
            text=True,
        )
    if run.returncode:
        raise ValueError(f"ptxas -arch={arch}: {(run.stderr or run.stdout).strip()}")
    return [
        Entry(name, int(registers), int(stack), int(spilled))
        for name, stack, spilled, registers in _PTXAS_ENTRY.findall(run.stderr + run.stdout)
    ]


def read_object(code: bytes) -> list[Entry]:
    """The kernels of a code object by its metadata."""
    with tempfile.NamedTemporaryFile(suffix=".hsaco") as file:
        file.write(code)
        file.flush()
        run = subprocess.run(
            [READELF, "--notes", file.name], capture_output=True, text=True, check=True
        )
    found = []
    for part in re.split(r"^  - \.", run.stdout, flags=re.M)[1:]:
        value = dict(re.findall(r"^    \.(\w+): +(\S+)$", part, re.M))
        found.append(
            Entry(
                value["name"],
                int(value["vgpr_count"]),
                int(value["private_segment_fixed_size"]),
                4 * int(value["vgpr_spill_count"]),
            )
        )
    return found


def inspect(image: bytes, target: str) -> list[Entry] | None:
    """The kernels of an image that a device of `target` loads; None where what it takes to look
    at them is not installed."""
    backend, _, arch = target.partition(":")
    if backend == "hip":
        return read_object(image) if Path(READELF).exists() else None
    assembler = ptxas()
    return assemble(image.rstrip(b"\0"), arch, assembler) if assembler else None
