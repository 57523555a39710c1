"""A compiler that leaves passes out.

`leave_out(passes)` makes it the compiler of this process, and `partial.py DEVICE PASS...` is
the process of a `PartialWorker`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tilewright.testing.programs import Worker

HERE = Path(__file__).resolve()


class PartialWorker(Worker):
    """A worker that compiles without some passes."""

    def __init__(self, device: str, without: Sequence[str]) -> None:
        super().__init__(device)
        self.without = tuple(without)

    def command(self) -> list[str]:
        return [sys.executable, str(HERE), self.device, *self.without]


def leave_out(passes: Sequence[str]) -> None:
    """From now on this process compiles without `passes`, but not for checking mode."""
    from tilewright import _compiler

    for name in ("compile", "plan"):
        plain = getattr(_compiler, name)

        def other(ir: str, options: dict, plain=plain) -> dict:
            left_out = {} if options.get("debug") else {"without": list(passes)}
            return plain(ir, options | left_out)

        setattr(_compiler, name, other)


if __name__ == "__main__":
    from tilewright.testing.programs.worker import serve

    leave_out(sys.argv[2:])
    serve(sys.argv[1])
