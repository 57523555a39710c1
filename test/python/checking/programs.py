"""Sound programs in which a fault can be planted.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# Annotations are no text here: those of a kernel's body read variables around it.
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.testing import dtype_name


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


def over(body, arguments: tuple, right: np.ndarray, blocks: int = 1, debug: object = True):
    """What `make` gives, of a kernel that does `body` in each of its blocks.

    `body` is a macro of one to three arguments, of the result, which is a tensor like `right`,
    and of the block where there are several.
    """
    count = len(arguments)
    x, y, z = (*arguments, *[np.zeros(1, np.int32)] * 2)[:3]

    @tilewright.jit(debug=debug)
    def kernel(X, Y, Z):
        X: T.Tensor(x.shape, dtype_name(x.dtype))
        Y: T.Tensor(y.shape, dtype_name(y.dtype))
        Z: T.Tensor(z.shape, dtype_name(z.dtype))
        B = T.empty(right.shape, dtype_name(right.dtype))
        with T.Kernel(blocks) as bx:
            if blocks == 1:
                body(*(X, Y, Z)[:count], B)
            else:
                body(*(X, Y, Z)[:count], B, bx)
        return B

    return kernel, (x, y, z), right


def numbers(*shape: int, dtype: str = "float32") -> np.ndarray:
    """Numbers that are all different and small, so that sums of them are exact."""
    return (np.arange(np.prod(shape)).reshape(shape) % 61 - 30).astype(dtype)
