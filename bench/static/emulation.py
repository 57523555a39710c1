"""One block of a kernel on an emulated GPU: whether it is right, and what its main loop does.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import ml_dtypes
import numpy as np
from problems import Problem
from program import FigureError, Program

DTYPES = {"bf16": np.dtype(ml_dtypes.bfloat16), "f16": np.dtype(np.float16)}


@dataclasses.dataclass(frozen=True)
class Executed:
    """What the instructions at some places did, of all warps of the block.

    `read_cycles` are cycles that banks of shared memory took for reads, `read_cycles_least`
    what they would take without conflicts.
    """

    instructions: int
    read_cycles: int
    read_cycles_least: int


def run(problem: Problem, program: Program, code: bytes | str) -> list[dict[str, Any]]:
    """Counts by line of one block that runs `code`, and checks its result.

    `code` is the program's, or its text with probes in it. Raises FigureError.
    """
    from tilewright.emulator import Device

    # One block in one order does the work of no other: nothing is to be gained by threads.
    device = Device(program.target.split(":")[1], threads=1, statistics=True)
    arrays = _inputs(problem)
    buffers = {name: device.array(values) for name, values in arrays.items()}
    out, shape = list(problem.shapes().items())[-1]
    buffers[out] = device.empty(shape, DTYPES[problem.dtype])
    module = device.load(code)
    given = {**buffers, "m": problem.tile[0], "heads": 1}
    arguments = program.arguments(given, module.kernels[program.entry])
    module.launch(
        program.entry, grid=1, block=program.threads, shared=program.dynamic_shared,
        args=arguments,
    )  # fmt: skip
    lines = device.report["lines"]
    _check(problem, arrays, buffers[out].numpy(undefined=False))
    return lines


def executed(lines: list[dict[str, Any]], places: set[int]) -> Executed:
    """What the instructions at `places` did. Probes count for what they read alone."""
    there = [line for line in lines if line["line"] in places]
    own = [line for line in there if PROBE not in line.get("text", "")]
    reads = [
        line for line in there if re.search(r"\bld\.shared|\bds_(read|load)", line["text"])
    ]
    return Executed(
        sum(line["executions"] for line in own),
        sum(line["shared_wavefronts"] for line in reads),
        sum(line["shared_ideal"] for line in reads),
    )


# ---- probes --------------------------------------------------------------------------------

PROBE = "%probe_"
_LDMATRIX = re.compile(
    r"ldmatrix\.sync\.aligned(?=[\w.:]*\.m8n8)[\w.:]*\.x([124])[\w.:]*"
    r"\s*\{[^}]*\}\s*,\s*(\[[^\]]*\])\s*;"
)
_DECLARED = (
    f".reg .b32 {PROBE}r<5>; .reg .pred {PROBE}x1, {PROBE}x2, {PROBE}x4;"
    f" mov.u32 {PROBE}r4, %laneid; setp.lt.u32 {PROBE}x1, {PROBE}r4, 8;"
    f" setp.lt.u32 {PROBE}x2, {PROBE}r4, 16; setp.lt.u32 {PROBE}x4, {PROBE}r4, 32;"
)


def with_probes(ptx: str, entry: str) -> str:
    """The text with a load beside each ldmatrix that reads the same bytes.

    The emulator counts the banks of loads and not of ldmatrix. In ldmatrix eight lanes give
    the addresses of a matrix's rows, 16 bytes each, and matrices follow one another; a load of
    16 bytes a lane is made by eight lanes at a time as well.
    """
    begin = re.search(rf"\.entry\s+{re.escape(entry)}\b", ptx)
    assert begin
    opened = ptx.index("{", ptx.index(")", begin.end())) + 1

    def probe(match: re.Match[str]) -> str:
        values = ", ".join(f"{PROBE}r{i}" for i in range(4))
        load = f"@{PROBE}x{match[1]} ld.shared.v4.b32 {{{values}}}, {match[2]};"
        return f"\n{load}\n{match[0]}"

    body, count = _LDMATRIX.subn(probe, ptx[opened:])
    if count != len(re.findall(r"\bldmatrix\.", ptx[opened:])):
        raise FigureError(f"{entry}: a form of ldmatrix is not known to with_probes")
    return ptx[:opened] + "\n" + _DECLARED + body if count else ptx


# ---- inputs and results --------------------------------------------------------------------


def _inputs(problem: Problem) -> dict[str, np.ndarray]:
    """Operands, of which the block's part alone is not zero."""
    generator = np.random.default_rng(0)
    dtype = DTYPES[problem.dtype]
    found = {}
    for name, shape in list(problem.shapes().items())[:-1]:
        part: tuple[slice, ...] = tuple(slice(None) for _ in shape)
        if name == "B":
            columns = slice(0, problem.tile[1])
            part = (columns, slice(None)) if problem.transpose_b else (slice(None), columns)
        values = np.zeros(shape, dtype)
        some = values[part]
        some[...] = generator.standard_normal(some.shape, np.float32).astype(dtype)
        found[name] = values
    return found


def _check(problem: Problem, arrays: dict[str, np.ndarray], result: np.ndarray) -> None:
    """Raises FigureError where the block's part of the result is off."""
    if problem.kind == "gemm":
        columns = problem.tile[1]
        b = arrays["B"][:columns] if problem.transpose_b else arrays["B"][:, :columns]
        compare(problem, {"A": arrays["A"], "B": b}, result[:, :columns])
    else:
        rows = problem.tile[0]
        compare(problem, arrays | {"Q": arrays["Q"][:, :rows]}, result[:, :rows])


def compare(problem: Problem, operands: dict[str, np.ndarray], got: np.ndarray) -> None:
    """Raises FigureError where a result of a product, or of a head, is off."""
    wide = {name: values.astype(np.float64) for name, values in operands.items()}
    if problem.kind == "gemm":
        expected = wide["A"] @ (wide["B"].T if problem.transpose_b else wide["B"])
    else:
        score = wide["Q"][0] @ wide["K"][0].T * problem.scale_log2
        weight = np.exp2(score - score.max(1, keepdims=True))
        expected = (weight @ wide["V"][0] / weight.sum(1, keepdims=True))[None]
    # A rounding to the dtype of what is added up, and one of the result.
    unit = 2.0 ** -(8 if problem.dtype == "bf16" else 11)
    bound = unit * np.abs(expected) + 2 * unit * np.sqrt(np.square(expected).mean()) + 1e-3
    error = np.abs(got.astype(np.float64) - expected)
    if not (error <= bound).all():
        raise FigureError(f"its result is off by {np.nanmax(error):.3g}")
