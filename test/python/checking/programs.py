"""Sound programs in which a fault can be planted.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Program:
    """A program and what is to be reported of its fault.

    `make(wrong)` gives a kernel, its arguments and the right result. The access that the
    report names is on the line marked `# here`, that of the other side of a race on the one
    marked `# there`.
    """

    make: Callable[[bool], tuple]
    rule: str
    memory: str = ""
    index: tuple[int, ...] = ()
    block: tuple[int, int, int] = (0, 0, 0)
    iteration: dict[str, int] = field(default_factory=dict)
    other: dict | None = None
    instruction: str = ""

    def line_of(self, mark: str) -> int:
        """The line of the program's file that is marked."""
        lines, first = inspect.getsourcelines(self.make)
        [at] = [i for i, line in enumerate(lines) if line.rstrip().endswith(f"# {mark}")]
        return first + at


PROGRAMS: dict[str, Program] = {}


def program(rule: str, **expected):
    """Registers the function as a program whose fault is reported so."""

    def register(make: Callable[[bool], tuple]) -> Callable[[bool], tuple]:
        PROGRAMS[make.__name__] = Program(make, rule, **expected)
        return make

    return register


def numbers(*shape: int, dtype: str = "float32") -> np.ndarray:
    """Numbers that are all different and small, so that sums of them are exact."""
    return (np.arange(np.prod(shape)).reshape(shape) % 61 - 30).astype(dtype)
