"""What the compiler proper says, as exceptions and remarks for users.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import re
import tempfile

from .errors import CompileError, Place

# `'tile.copy' op: message` names an operation of the IR; users know it as T.copy.
_OPERATION = re.compile(r"^'(\w+)\.(\w+)' op:? ?")
_CONSTRAINT = re.compile(r"\((C\d+)\) ?")


def raise_for(result: dict, ir: str, name: str) -> None:
    """Raise a CompileError for the first error of a result that is not ok."""
    if result["ok"]:
        return
    found = result.get("diagnostics", ())
    errors = [d for d in found if d["severity"] == "error"]
    notes = tuple(d["message"] for d in found if d["severity"] == "note")
    if errors and errors[0].get("line"):
        first = errors[0]
        raise CompileError(
            spoken(first["message"]),
            _place(first["file"], first["line"], first["column"]),
            callers=tuple(_place(*c) for c in first.get("callers", ())),
            notes=notes,
        )
    path = reproducer(ir)
    text = spoken(errors[0]["message"]) if errors else "the compiler gave no reason"
    raise CompileError(
        f"internal error while compiling {name}: {text}",
        notes=notes,
        hint=f"this is a fault of Tilewright; please report it with {path}",
    )


def spoken(message: str) -> str:
    """A diagnostic in the language's terms."""
    match = _OPERATION.match(message)
    if match:
        dialect, operation = match.groups()
        subject = f"T.{operation}" if dialect == "tile" else operation
        message = f"{subject}: {message[match.end() :]}"
    return _CONSTRAINT.sub("", message)


def remarks(result: dict) -> list[str]:
    """Remarks and warnings, each with its place."""
    found = []
    for d in result.get("diagnostics", ()):
        if d["severity"] in ("remark", "warning"):
            place = f"{_place(d['file'], d['line'], d['column'])}: " if d.get("line") else ""
            found.append(place + spoken(d["message"]))
    return found


def reproducer(ir: str) -> str:
    """A file with the IR, for a report."""
    handle, path = tempfile.mkstemp(prefix="tilewright-", suffix=".mlir")
    with os.fdopen(handle, "w") as file:
        file.write(ir)
    return path


def _place(file: str, line: int, column: int) -> Place:
    return Place(file, line, column, column + 1)
