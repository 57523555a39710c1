"""A compiled kernel, whoever compiled it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any


class FigureError(RuntimeError):
    """There are no figures of a program: a tool refuses its code, it has no main loop, or its
    result is wrong."""


@dataclasses.dataclass(frozen=True)
class Program:
    """Code of one kernel and what it is launched with.

    `code` is PTX, or a code object of AMD. `dynamic_shared` is what a launch adds to the
    shared memory that the code declares. `arguments` gives a launch's arguments, from the
    problem's arrays and numbers by name and the emulator's description of the kernel. Blocks
    of a `flat` grid have one number, in which the problem's x runs fastest.
    """

    by: str
    target: str
    code: bytes
    entry: str
    threads: int
    dynamic_shared: int
    arguments: Callable[[Mapping[str, Any], Any], list[Any]]
    flat: bool = False


def by_name(*names: str) -> Callable[[Mapping[str, Any], Any], list[Any]]:
    """Arguments for parameters that stand for what has these names. Parameters behind them
    are a compiler's own, which kernels here have no use for: they are 0."""

    def arguments(given: Mapping[str, Any], about: Any) -> list[Any]:
        return [given[name] for name in names] + [0] * (len(about.parameters) - len(names))

    return arguments
