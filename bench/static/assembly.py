"""A program as machine code: its instructions, and what of the machine it takes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

import gcn
import sass
import tools
from loops import Instruction
from machine import Resources
from program import FigureError, Program


def disassemble(program: Program) -> tuple[list[Instruction], Resources]:
    """The instructions of a program's kernel, and its resources.

    Raises FigureError where an assembler refuses the code.
    """
    backend, arch = program.target.split(":")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "kernel")
        file.write_bytes(program.code)
        if backend == "hip":
            text = _run(tools.objdump(), "-d", str(file))
            notes = _run(tools.readelf(), "--notes", str(file))
            return gcn.parse(text, program.entry), of_notes(notes, program)
        cubin = f"{file}.cubin"
        said = _run(tools.ptxas(), f"-arch={arch}", "-v", "-o", cubin, str(file))
        text = _run(tools.nvdisasm(), "-c", cubin)
    return sass.parse(text), of_ptxas(said, program)


def _run(*command: str) -> str:
    """What a tool prints on both of its channels."""
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        raise FigureError(f"{Path(command[0]).name}: {run.stdout.strip()[-2000:]}")
    return run.stdout


def of_ptxas(said: str, program: Program) -> Resources:
    """Resources by what `ptxas -v` says of the kernel."""
    part = said.partition(f"Compiling entry function '{program.entry}'")[2]
    part = part.partition("Compiling entry function")[0]

    def number(pattern: str) -> int:
        found = re.search(pattern, part)
        return int(found[1]) if found else 0

    return Resources(
        threads=program.threads,
        registers=number(r"Used (\d+) registers"),
        agprs=0,
        sgprs=0,
        spill_bytes=number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads"),
        stack_bytes=number(r"(\d+) bytes stack frame"),
        shared_bytes=number(r"(\d+) bytes smem") + program.dynamic_shared,
    )


def of_notes(notes: str, program: Program) -> Resources:
    """Resources by the metadata of a code object, as `llvm-readelf --notes` prints it."""
    for part in re.split(r"^  - ", notes, flags=re.M)[1:]:
        value = dict(re.findall(r"^(?: {4})?\.(\w+): +(\S+)$", part, re.M))
        if value.get("name") == program.entry:
            return Resources(
                threads=program.threads,
                registers=int(value["vgpr_count"]),
                agprs=int(value.get("agpr_count", 0)),
                sgprs=int(value["sgpr_count"]),
                spill_bytes=4 * int(value["vgpr_spill_count"]),
                stack_bytes=int(value["private_segment_fixed_size"]),
                shared_bytes=int(value["group_segment_fixed_size"]) + program.dynamic_shared,
            )
    raise FigureError(f"the code object has no kernel {program.entry}")
