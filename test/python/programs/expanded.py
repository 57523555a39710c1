"""A compiler that expands every operation on whole tiles before a target lowers the kernel.

`expand()` makes it the compiler of this process; `pytest -p programs.expanded` runs any tests
with it, and `expanded.py DEVICE` is the process of an `ExpandedWorker`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
OPT = ROOT / os.environ.get("TILEWRIGHT_BUILD_DIR", "build") / "bin" / "tilewright-opt"
# What asks whether a tile is written whole comes before it is written element by element.
PIPELINE = "builtin.module(func.func(split-grid-sync),legalize-accumulators,expand-tiles)"


@functools.cache
def expanded(ir: str) -> tuple[str, str]:
    """A module after `expand-tiles`, and what was wrong with it if anything was."""
    command = [OPT, f"--pass-pipeline={PIPELINE}", "--mlir-print-debuginfo", "-"]
    run = subprocess.run(command, input=ir, capture_output=True, text=True)
    return run.stdout, run.stderr if run.returncode else ""


def expand() -> None:
    """From now on this process compiles so, but not for checking mode.

    What the passes refuse is compiled as it is, which must fail as well.
    """
    from tilewright import _compiler

    for name in ("compile", "plan"):
        plain = getattr(_compiler, name)

        def other(ir: str, options: dict, plain=plain) -> dict:
            if options.get("debug"):
                return plain(ir, options)
            text, problem = expanded(ir)
            result = plain(ir if problem else text, options)
            assert not (problem and result["ok"]), problem
            return result

        setattr(_compiler, name, other)


def pytest_configure() -> None:
    expand()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "python"))
    from tilewright.testing.programs.worker import serve

    expand()
    serve(sys.argv[1])
