"""Compares compiled GPU kernels as they stand, without a GPU: `python bench/static --help`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import figures
import ours
import problems
import report
import tools
from machine import CORES
from problems import Problem
from program import FigureError, Program

from tilewright import CompileError
from tilewright.cli.console import CliError, check_file, print_error
from tilewright.emulator import EmulatorError

ROOT = Path(__file__).resolve().parents[2]
PEERS = {"cuda": ("triton", "tilelang"), "hip": ("triton",)}

EXAMPLES = """
examples:
  python bench/static                                    all of it: two minutes of a core
  python bench/static --kernel gemm_nn --target hip:gfx942
  python bench/static --kernel attend,gemm_nt/bf16 --json now.json
  python bench/static --no-emulator                      what code tells by itself

What the columns mean is in bench/static/README.md. None of them is a speed.
"""


def main() -> int:
    """Runs the command; gives its exit status."""
    asked = _arguments()
    try:
        chosen = problems.select(asked.kernel)
        for target in asked.target:
            if target.split(":")[0] not in PEERS or target.split(":")[-1] not in CORES:
                known = ", ".join(CORES)
                raise ValueError(f"--target {target!r}: write cuda:ARCH or hip:ARCH of {known}")
        if asked.json:
            check_file(asked.json)
        for target in asked.target:
            _require_tools(target)
    except (ValueError, CliError, tools.MissingTool) as error:
        print_error(str(error))
        return 2 if isinstance(error, ValueError) else 1
    made = _compare(chosen, asked.target, not asked.no_emulator)
    report.show(made)
    if asked.json:
        asked.json.write_text(json.dumps(made, indent=1) + "\n")
    for failure in made["failures"]:
        print_error(failure)
    return 1 if made["failures"] else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python bench/static",
        description="Main loops of kernels that Tilewright, Triton and TileLang compiled from "
        "the same problems: instructions per MMA, loads, registers, spills, occupancy. Needs "
        "no GPU.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--target", type=_words, default=list(problems.TARGETS), metavar="T,...",
        help=f"what to compile for (default: {','.join(problems.TARGETS)})",
    )  # fmt: skip
    parser.add_argument(
        "--kernel", type=_words, default=[], metavar="NAME,...",
        help="problems whose names begin so, such as gemm_nn or attend_d64/bf16/64x64",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
    parser.add_argument(
        "--no-emulator", action="store_true",
        help="do not run a block of each kernel: no check of results, no bank cycles",
    )  # fmt: skip
    return parser.parse_args()


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _require_tools(target: str) -> None:
    """Raises MissingTool where the code for a target could not be looked at."""
    needed = (tools.ptxas, tools.nvdisasm)
    for tool in needed if target.startswith("cuda:") else (tools.objdump, tools.readelf):
        tool()


def _compare(chosen: list[Problem], targets: list[str], emulate: bool) -> dict[str, Any]:
    """The report of the problems on the targets."""
    made: dict[str, Any] = {
        "about": "static figures of compiled code, not speeds; see bench/static/README.md",
        **_provenance(),
        "rows": [],
        "criteria": [],
        "missing": {},
        "failures": [],
    }
    jobs = [
        (target, problem, by)
        for target in targets
        for problem in chosen
        for by in ("tilewright", *PEERS[target.split(":")[0]])
    ]
    for number, (target, problem, by) in enumerate(jobs, 1):
        if by in made["missing"]:
            continue
        print(f"[{number}/{len(jobs)}] {target} {problem.name}: {by}", file=sys.stderr)
        try:
            made["rows"].append(
                figures.measure(problem, _program(by, problem, target), emulate)
            )
        except tools.MissingTool as error:
            made["missing"][by] = str(error)
        except (CompileError, EmulatorError, FigureError) as error:
            said = str(error).strip().partition("\n")[0]
            made["failures"].append(f"{target} {problem.name}: {by}: {said}")
    made["criteria"] = list(filter(None, map(report.judge, report.grouped(made["rows"]))))
    return made


def _program(by: str, problem: Problem, target: str) -> Program:
    """A problem as one of the compilers compiles it."""
    if by == "tilewright":
        return ours.compiled(problem, target)
    peer = tools.peer(by)
    try:
        return peer.compiled(problem, target)
    except tools.MissingTool:
        raise
    except Exception as error:  # a peer's compiler raises what it likes
        raise FigureError(f"it does not compile: {error}") from error


def _provenance() -> dict[str, Any]:
    """Which compiler and tools the figures are of."""
    from tilewright import _compiler
    from tilewright.compiler.tools import program_version

    git = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    )
    found: dict[str, str | None] = {}
    for tool in (tools.ptxas, tools.nvdisasm, tools.nvcc, tools.objdump):
        try:
            found[tool.__name__] = program_version(tool())
        except tools.MissingTool:
            found[tool.__name__] = None
    for package in ("triton", "tilelang"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return {
        "commit": git.stdout.strip() or None,
        "compiler_sha256": hashlib.sha256(Path(_compiler.__file__).read_bytes()).hexdigest(),
        "tools": found,
    }


if __name__ == "__main__":
    sys.exit(main())
