"""The problems of bench/static on a GPU: our code and Triton's for the same tile and stages.

    python bench/gpu/same_tiles.py JSON [--target cuda:sm_80] [--problem NAME ...]

bench/static compares instructions; here the same code runs, of whole products and of attention
with 32 heads. With the target sm_80, its default, both compilers use `mma.sync` and `cp.async`,
whatever the GPU has beside them, and NVIDIA's driver assembles their PTX for it. A name may
give any tile, stages and threads: `gemm_nn/bf16/128x256x64/s3/t256`. A result is compared with
float64 on some rows before it is timed: by events, medians of rounds in which all take turns,
after a pass over 256 MiB that empties the L2 cache.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from driver import Driver

sys.path.append(str(Path(__file__).resolve().parents[1] / "static"))
import emulation
import ours
import problems
import tools
from problems import Problem
from program import Program

HEADS = 32
CHECKED_ROWS = 64
LEAST_ROUNDS, MOST_ROUNDS, SECONDS = 15, 100, 1.0
_FLUSHED = 256 << 20

Launch = Callable[[], None]


@dataclasses.dataclass(frozen=True)
class _Parameter:
    offset: int
    bytes: int


@dataclasses.dataclass(frozen=True)
class _Entry:
    parameters: list[_Parameter]


@dataclasses.dataclass(frozen=True)
class _Buffer:
    address: int
    shape: tuple[int, ...]


_BYTES = {"8": 1, "16": 2, "32": 4, "64": 8}


def described(ptx: str, entry: str) -> _Entry:
    """The parameters of a kernel, from its text."""
    [head] = re.findall(rf"\.entry\s+{re.escape(entry)}\s*\((.*?)\)", ptx, re.S)
    found: list[_Parameter] = []
    offset = 0
    for declared in head.split(","):
        width = _BYTES[re.findall(r"\.[busf](8|16|32|64)\b", declared)[0]]
        count = re.findall(r"\[(\d+)\]", declared)
        align = re.findall(r"\.param\s+\.align\s+(\d+)", declared)
        step = int(align[0]) if align else width
        offset = -(-offset // step) * step
        found.append(_Parameter(offset, width * int(count[0]) if count else width))
        offset += found[-1].bytes
    return _Entry(found)


class Arrays:
    """The operands of a problem at full size, on the device and here."""

    def __init__(self, driver: Driver, problem: Problem) -> None:
        self.driver, self.problem = driver, problem
        shapes = full_shapes(problem)
        self.out, self.shape = list(shapes.items())[-1]
        generator = np.random.default_rng(0)
        dtype = emulation.DTYPES[problem.dtype]
        self.here = {
            name: generator.standard_normal(shape, np.float32).astype(dtype)
            for name, shape in list(shapes.items())[:-1]
        }
        self.result = np.full(self.shape, np.nan, np.float32).astype(dtype)
        self.there = {name: driver.put(array) for name, array in self.here.items()}
        self.there[self.out] = driver.put(self.result)
        rows = self.here["A" if problem.kind == "gemm" else "Q"].shape
        self.given: dict[str, Any] = {
            name: _Buffer(self.there[name].value, shape) for name, shape in shapes.items()
        }
        self.given |= {"m": rows[0], "heads": rows[0]}

    def free(self) -> None:
        """Gives the device's memory back."""
        for address in self.there.values():
            self.driver.free(address)

    def check(self) -> None:
        """Raises FigureError where some rows of the result are off."""
        self.driver.get(self.there[self.out], self.result)
        every = len(self.result) if self.problem.kind == "gemm" else problems.LENGTH
        rows = np.random.default_rng(1).integers(0, every, CHECKED_ROWS)
        if self.problem.kind == "gemm":
            some, got = {"A": self.here["A"][rows], "B": self.here["B"]}, self.result[rows]
        else:
            q, k, v = (self.here[name][-1:] for name in "QKV")
            some, got = {"Q": q[:, rows], "K": k, "V": v}, self.result[-1:, rows]
        emulation.compare(self.problem, some, got)


def full_shapes(problem: Problem) -> dict[str, tuple[int, ...]]:
    """The arrays by name, the result last: of all rows, or of all heads."""
    if problem.kind == "attend":
        shape = (HEADS, problems.LENGTH, problem.d)
        return dict.fromkeys(("Q", "K", "V", "Out"), shape)
    return problem.shapes() | {
        "A": (problems.N, problems.K), "C": (problems.N, problems.N),
    }  # fmt: skip


def flops(problem: Problem) -> float:
    """Multiplications and additions of a whole problem."""
    if problem.kind == "gemm":
        return 2.0 * problems.N**2 * problems.K
    return 4.0 * HEADS * problems.LENGTH**2 * problem.d


def launcher(driver: Driver, program: Program, arrays: Arrays) -> Launch:
    """A function that starts the whole problem."""
    problem = arrays.problem
    entry = described(program.code.decode(), program.entry)
    values = [
        ctypes.create_string_buffer(_bytes(given, parameter.bytes), parameter.bytes)
        for given, parameter in zip(
            program.arguments(arrays.given, entry), entry.parameters, strict=True
        )
    ]
    if problem.kind == "gemm":
        grid = (problems.N // problem.tile[1], problems.N // problem.tile[0], 1)
    else:
        grid = (problems.LENGTH // problem.tile[0], HEADS, 1)
    if program.flat:
        grid = (grid[0] * grid[1], 1, 1)
    function = driver.function(driver.load(program.code), program.entry, program.dynamic_shared)
    return lambda: driver.launch(
        function, grid, program.threads, program.dynamic_shared, values
    )


def _bytes(given: Any, count: int) -> bytes:
    if isinstance(given, bytes):
        return given
    number = given.address if isinstance(given, _Buffer) else given
    return number.to_bytes(count, "little")


def measured(
    driver: Driver, problem: Problem, target: str, compilers: dict[str, Any], flushed: Any
) -> dict[str, Any]:
    """The record of a problem: seconds by compiler, and why one has none."""
    arrays = Arrays(driver, problem)
    calls: dict[str, Launch] = {}
    broken: dict[str, str] = {}
    try:
        for name, module in compilers.items():
            try:
                calls[name] = launcher(driver, module.compiled(problem, target), arrays)
                driver.clear(arrays.there[arrays.out], arrays.result.nbytes)
                calls[name]()
                arrays.check()
            except Exception as error:  # the other one may do better
                calls.pop(name, None)
                broken[name] = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        times: dict[str, list[float]] = {name: [] for name in calls}
        ends = time.monotonic() + SECONDS
        for number in range(MOST_ROUNDS if calls else 0):
            if number >= LEAST_ROUNDS and time.monotonic() > ends:
                break
            for name in sorted(calls, reverse=bool(number % 2)):
                driver.clear(flushed, _FLUSHED)
                times[name].append(driver.seconds(calls[name]))
    finally:
        arrays.free()
    medians = {name: statistics.median(found) for name, found in times.items()}
    return {
        "problem": problem.name, "target": target, "median_s": medians, "broken": broken,
        "tflops": {name: flops(problem) / taken / 1e12 for name, taken in medians.items()},
        "rounds": len(next(iter(times.values()), [])),
    }  # fmt: skip


def _problem(name: str) -> Problem:
    try:
        return problems.parse(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def main() -> int:
    """Measures; 1 where there is no figure of ours."""
    parser = argparse.ArgumentParser(description="The problems of bench/static on a GPU.")
    parser.add_argument("json", type=Path)
    parser.add_argument("--problem", nargs="+", type=_problem,
                        default=list(problems.PROBLEMS))  # fmt: skip
    parser.add_argument("--target", default="cuda:sm_80", help="what both compile for")
    parser.add_argument("--alone", action="store_true", help="without Triton")
    parser.add_argument("--library", default="libcuda.so.1", help="name or path of the driver")
    parser.add_argument("--seconds", type=float, default=600.0, help="for all of it")
    asked = parser.parse_args()
    ends = time.monotonic() + asked.seconds
    try:
        driver = Driver(asked.library)
    except OSError as error:
        parser.exit(1, f"error: no driver of an NVIDIA GPU: {error}\n")
    compilers = {"tilewright": ours} | ({} if asked.alone else {"triton": tools.peer("triton")})
    flushed = driver.put(np.zeros(_FLUSHED, np.uint8))
    report: dict[str, Any] = driver.facts() | {"heads": HEADS, "results": [], "left_out": []}
    for problem in asked.problem:
        if time.monotonic() > ends:
            report["left_out"].append(problem.name)
            continue
        record = measured(driver, problem, asked.target, compilers, flushed)
        report["results"].append(record)
        rates = ", ".join(f"{n} {rate:.1f} TFLOP/s" for n, rate in record["tflops"].items())
        print(f"{problem.name}: {rates} {record['broken'] or ''}", flush=True)
        asked.json.write_text(json.dumps(report, indent=1) + "\n")
    return int(any("tilewright" in record["broken"] for record in report["results"]))


if __name__ == "__main__":
    sys.exit(main())
