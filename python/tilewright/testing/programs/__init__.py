# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Drawn programs: tile programs made at random, run on a device, and checked.

A program is drawn from a sequence of choices, printed as the Python source of a kernel,
compiled and run on a device, and interpreted in float64 from docs/semantics.md alone. Every
element that it writes must be the interpreter's, bit by bit, but where the semantics leave
room: there it must be within a bound that is carried along with every number. What fails is
made smaller and kept. docs/drawn-programs.md tells how it fits together.
"""

from tilewright.testing.programs.choices import Choices
from tilewright.testing.programs.execute import Verdict, examine
from tilewright.testing.programs.hunt import Failure, drawn, examine_range, hunt, replayed
from tilewright.testing.programs.program import Program, from_json, to_json
from tilewright.testing.programs.worker import Worker

__all__ = [
    "Choices",
    "Failure",
    "Program",
    "Verdict",
    "Worker",
    "drawn",
    "examine",
    "examine_range",
    "from_json",
    "hunt",
    "replayed",
    "to_json",
]
