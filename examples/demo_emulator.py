"""The demo's last table: other compilers' GPU kernels, executed here without a GPU.

The programs are PTX and AMD code objects that Triton, TileLang and clang wrote, kept in
test/emulator; the emulators run them with their checks on, and their results are compared with
float64 references.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import time
from typing import NamedTuple

from tilewright.cli.console import table
from tilewright.cli.units import seconds
from tilewright.emulator import Device, EmulatorError, EmulatorFault
from tilewright.testing import foreign

PROGRAMS = (
    ("triton_softmax", "sm_80"),
    ("triton_softmax", "sm_90a"),
    ("triton_matmul_f16", "sm_80"),
    ("triton_matmul_f16", "sm_90a"),
    ("triton_attend_d64", "sm_80"),
    ("triton_attend_d64", "sm_90a"),
    ("tilelang_matmul", "sm_90a"),
    ("triton_softmax", "gfx1100"),
    ("triton_matmul_f16", "gfx942"),
    ("triton_matmul_f16", "gfx1201"),
    ("triton_attend_d64", "gfx950"),
    ("hip_atomics", "gfx90a"),
)


class Outcome(NamedTuple):
    """What came of one program; `failure` is empty where nothing is wrong."""

    instructions: int
    seconds: float
    error: float | None
    faults: int
    failure: str = ""


def execute(program: str, arch: str) -> Outcome:
    """Runs a program of the corpus and compares what it computes."""
    corpus, cases = foreign.corpus(arch)
    case = cases[program]
    device = Device(arch)
    took, faults = 0.0, 0
    try:
        launch, buffers = corpus.prepare(case, arch, device)
        start = time.perf_counter()
        try:
            launch()
        finally:
            took = time.perf_counter() - start
        arrays = {name: buffer.numpy() for name, buffer in buffers.items()}
    except EmulatorError as error:
        faults = len(error.faults) if isinstance(error, EmulatorFault) else 0
        return Outcome(0, took, None, faults, str(error))
    wrong = "; ".join(corpus.mismatches(case, arrays))
    executed = device.report["warp_instructions"]
    return Outcome(executed, took, foreign.worst_error(case, arrays), 0, wrong)


def run(shown, failures: list[str]) -> None:
    """Adds a line to the table for each program, and to `failures` for each that is wrong."""
    for program, arch in PROGRAMS:
        found = execute(program, arch)
        if found.failure:
            failures.append(f"{program}/{arch}: {found.failure}")
        shown.add_row(
            program,
            foreign.compiler(program),
            arch,
            f"{found.instructions:,}" if found.instructions else "",
            seconds(found.seconds),
            "" if found.error is None else f"{found.error:.3f}",
            str(found.faults),
            "[bold red]wrong[/]" if found.failure else "",
        )


def new_table():
    """The table that `run` fills."""
    return table(
        "emulated kernel", "compiled by", "for", ">warp instructions", ">runs in",
        ">error / bound", ">faults", "",
    )  # fmt: skip
