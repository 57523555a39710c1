"""`tilewright bench --compile`: code size and compile time as tiles and kernels grow.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from tilewright.cli.console import UsageError, stderr, stdout, table, write_json
from tilewright.cli.units import seconds


def bench_compile(kernels: Sequence[str], target: str, json: Path | None) -> None:
    """Measure kernels of `testing.compile_time.GROWTH`, by name, or all."""
    from tilewright import _compiler
    from tilewright.testing.compile_time import GROWTH, measure

    unknown = [name for name in kernels if name not in GROWTH]
    if unknown:
        raise UsageError(f"--compile knows {', '.join(GROWTH)}, not {', '.join(unknown)}")
    try:
        _compiler.resolve_target(target)
    except ValueError as error:
        raise UsageError(str(error)) from None
    found = []
    for name in kernels or GROWTH:
        for size in GROWTH[name][1]:
            stderr().print(f"{name} {size}", markup=False)
            found.append(measure(name, size, target))
    shown = table("kernel", ">size", ">tile operations", ">LLVM instructions", ">compile time")
    for r in found:
        shown.add_row(r.kernel, str(r.size), str(r.tile), str(r.machine), seconds(r.seconds))
    if str(json) != "-":
        stdout().print(shown)
    write_json(json, {"target": target, "results": [dataclasses.asdict(r) for r in found]})
