"""The figures of one program: a row of the table.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

import assembly
import emulation
import gcn
import loops
import machine
import sass
from loops import Instruction
from problems import Problem
from program import FigureError, Program

GLOBAL_LOADS = ("global load", "async copy")
SHARED_LOADS = ("shared load", "ldmatrix")

# A pipeline's first and last steps are outside of the loop; half of them are not.
LEAST_SHARE = 0.75


def measure(problem: Problem, program: Program, emulate: bool) -> dict[str, Any]:
    """The row of a program, with what bench/static/README.md says of each field.

    Raises FigureError, and EmulatorError where the kernel does wrong on the emulator.
    """
    isa = gcn if program.target.startswith("hip:") else sass
    arch = program.target.split(":")[1]
    code, needs = assembly.disassemble(program)
    main = loops.main_loop(code, isa.multiply_adds, lambda one: isa.kind(one) in GLOBAL_LOADS)
    if main is None:
        raise FigureError("no loop holds a matrix instruction")
    live = machine.occupancy(arch, needs)
    row = {
        "problem": problem.name,
        "target": program.target,
        "by": program.by,
        **loop_figures(main, isa),
        "resources": dataclasses.asdict(needs),
        "occupancy": dataclasses.asdict(live),
        "executed": None,
    }
    if emulate:
        row["executed"] = _executed(problem, program, code, main)
    return row


def loop_figures(main: loops.MainLoop, isa: Any) -> dict[str, Any]:
    """What is counted in a main loop by its text; `isa` is the module sass or gcn."""
    body = main.loop.body
    macs = sum(map(isa.multiply_adds, body))
    kinds = Counter(isa.kind(one) for one in body)
    return {
        "instructions": len(body),
        "matrix_instructions": kinds["matrix"],
        "mma_units": macs / isa.UNIT_MACS,
        "instructions_per_mma": len(body) * isa.UNIT_MACS / macs,
        "inner_loops": len(main.inner),
        "kinds": dict(kinds.most_common()),
        "global_load_bytes": _widths(body, GLOBAL_LOADS, isa),
        "shared_load_bytes": _widths(body, SHARED_LOADS, isa),
    }


def _widths(body: Sequence[Instruction], kinds: tuple[str, ...], isa: Any) -> list[int]:
    """The widths of loads of some kinds, each once."""
    return sorted({isa.width(one) for one in body if isa.kind(one) in kinds})


def _executed(
    problem: Problem, program: Program, code: Sequence[Instruction], main: loops.MainLoop
) -> dict[str, Any]:
    """What the main loop does on the emulator, which runs PTX for NVIDIA."""
    if program.target.startswith("hip:"):
        unit, macs = gcn.UNIT_MACS, gcn.multiply_adds
        body = main.loop.body  # the emulator's lines are its addresses
        lines = emulation.run(problem, program, program.code)
    else:
        unit, macs = sass.UNIT_MACS, sass.ptx_multiply_adds
        text = emulation.with_probes(program.code.decode(), program.entry)
        code = sass.parse_ptx(text, program.entry)
        found = loops.main_loop(code, macs, sass.ptx_loads)
        if found is None:
            raise FigureError("no loop of its PTX holds a matrix instruction")
        body = found.loop.body
        lines = emulation.run(problem, program, text)
    times = {line["line"]: line["executions"] for line in lines}

    def work(part: Sequence[Instruction]) -> int:
        return sum(times.get(one.address, 0) * macs(one) for one in part)

    share = work(body) / work(code)
    if share < LEAST_SHARE:
        raise FigureError(
            f"its main loop did {share:.0%} of the multiply-adds: not the main one"
        )
    done = emulation.executed(lines, {one.address for one in body})
    return {
        "per_mma": done.instructions * unit / work(body),
        "share_of_work": share,
        "read_cycles": done.read_cycles,
        "read_cycles_least": done.read_cycles_least,
    }
