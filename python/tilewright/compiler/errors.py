"""`CompileError`: one exception for everything wrong with a kernel.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import linecache
import os
import sys
from typing import NamedTuple

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


# Calls of macros that a message shows; a recursion has more.
_MOST_CALLERS = 8


class Place(NamedTuple):
    """A place in a source file. Lines count from 1, columns from 1; 0 is unknown.

    `end_column` is one past the last column, on the same line.
    """

    file: str
    line: int
    column: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        column = f":{self.column}" if self.column else ""
        return f"{self.file}:{self.line}{column}"

    def source(self) -> str:
        """The source line without its newline, or "" where the file cannot be read."""
        return linecache.getline(self.file, self.line).rstrip("\n")


class CompileError(Exception):
    """A kernel that cannot be compiled.

    Attributes:
        message: what is wrong, naming the thing.
        place: where (`Place`), or None when there is no line to show.
        callers: places of the macro calls that lead there, innermost first.
        rule: the rule of the language that was broken, or "".
        hint: the way out, or "".
        notes: further lines, such as a table of memory.
    """

    def __init__(
        self,
        message: str,
        place: Place | None = None,
        *,
        callers: tuple[Place, ...] = (),
        rule: str = "",
        hint: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message, self.place, self.callers = message, place, tuple(callers)
        self.rule, self.hint, self.notes = rule, hint, tuple(notes)

    @classmethod
    def here(cls, message: str, *, rule: str = "", hint: str = "") -> CompileError:
        """An error at the line of the user's code that called into the package."""
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
            frame = frame.f_back
        place = None
        if frame is not None:
            place = Place(frame.f_code.co_filename, frame.f_lineno)
        return cls(message, place, rule=rule, hint=hint)

    def __str__(self) -> str:
        lines = [self.message]
        if self.place:
            lines.append(f"  --> {self.place}")
            lines += _excerpt(self.place)
        outermost = self.callers[-_MOST_CALLERS:]
        if len(self.callers) > len(outermost):
            lines.append(f"  through {len(self.callers) - len(outermost)} further calls")
        for caller in outermost:
            lines.append(f"  called from {caller}")
            lines += _excerpt(caller)
        if self.rule:
            lines.append(f"  rule: {self.rule}")
        if self.hint:
            lines.append(f"  help: {self.hint}")
        lines += [f"  {line}" for note in self.notes for line in note.splitlines()]
        return "\n".join(lines)


class WrongArgumentsError(Exception):
    """Arguments of a call that no kernel fits; the kernel itself is not at fault."""


def _excerpt(place: Place) -> list[str]:
    """The source line with a caret underline, or nothing when it cannot be read."""
    text = place.source()
    if not text.strip():
        return []
    body = text.lstrip()
    cut = len(text) - len(body)
    number = str(place.line)
    lines = [f"   {number} | {body}"]
    if place.column:
        start = max(0, place.column - 1 - cut)
        width = max(1, min(place.end_column, len(text) + 1) - place.column)
        lines.append(f"   {' ' * len(number)} | {' ' * start}{'^' * width}")
    return lines
