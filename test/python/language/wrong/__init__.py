"""Wrong kernels: each must be refused with a message that names the thing and the way out.

A module here holds functions under `@wrong(message, hint)`, each of which gives a prim_func
whose faulty line ends in `# here`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Program(NamedTuple):
    """A wrong kernel and what must be said of it.

    `message` and `hint` are parts of the error's; an empty `hint` means that the rule says
    enough.
    """

    make: Callable[[], object]
    message: str
    hint: str


PROGRAMS: list[Program] = []


def wrong(message: str, hint: str = "") -> Callable:
    """Register a factory of a wrong kernel."""

    def register(make: Callable[[], object]) -> Callable:
        PROGRAMS.append(Program(make, message, hint))
        return make

    return register
