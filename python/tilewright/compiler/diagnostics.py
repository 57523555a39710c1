"""What the compiler proper says, as exceptions and remarks for users.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence

from .errors import CompileError, Place

# `'tile.copy' op: message` names an operation of the IR; users know it as T.copy.
_OPERATION = re.compile(r"^'(\w+)\.(\w+)' op:? ?")
_LOCATION = re.compile(r'loc\("([^"]+)":(\d+):(\d+)\)')
_CONSTRAINT = re.compile(r"\((C\d+)\) ?")
# Words of the IR, which say that the compiler broke a rule of its own, not the user one of
# the language: another dialect's operation, a pass, an SSA value.
_INTERNAL = re.compile(
    r"'(?!tile\.)\w+\.\w+'|legaliz|schedule pass|operand #|result #|region #|dominat|"
    r"memref<|vector<|%\w|block argument|current operation"
)


def raise_for(result: dict, ir: str, name: str, target: str) -> None:
    """Raise a CompileError for the first error of a result that is not ok.

    `ir` is what was compiled for `target`. Where the compiler itself failed, by a crash or by
    breaking a rule of its IR, the error names a reproducer.
    """
    if result["ok"]:
        return
    if result["fault"]:
        place = first_place(ir)
        raise CompileError(
            f"internal error while compiling {name}: {result['fault']}",
            place,
            hint=_report(reproducer(ir, target, [result["fault"]])),
        )
    found = result.get("diagnostics", ())
    errors = [d for d in found if d["severity"] == "error"]
    place, callers = None, ()
    if errors and errors[0].get("line"):
        place = _place(errors[0]["file"], errors[0]["line"], errors[0]["column"])
        callers = tuple(_place(*c) for c in errors[0].get("callers", ()))
    # A place in no file is one in the IR itself.
    ours = (
        not errors or _INTERNAL.search(errors[0]["message"]) or (place and not place.source())
    )
    if not ours:
        told = [d for d in found if d["severity"] == "note"]
        rule, hint = _said_as(told, "rule: "), _said_as(told, "help: ")
        notes = tuple(
            _with_place(d, spoken(d["message"]))
            for d in told
            if not d["message"].startswith(("rule: ", "help: "))
            and not _INTERNAL.search(d["message"])
        )
        raise CompileError(
            spoken(errors[0]["message"]),
            place,
            callers=callers,
            rule=rule,
            hint=hint,
            notes=notes,
        )
    said = [f"{d['severity']}: {d['message']}" for d in found]
    path = reproducer(ir, target, said)
    raise CompileError(
        f"internal error while compiling {name}: the compiler cannot translate this code",
        place if place and place.source() else None,
        callers=callers,
        hint=_report(path),
    )


def _said_as(notes: Sequence[dict], part: str) -> str:
    """What a note that begins with `part` goes on with, or ""."""
    texts = (d["message"] for d in notes)
    return next((text.removeprefix(part) for text in texts if text.startswith(part)), "")


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
            found.append(_with_place(d, spoken(d["message"])))
    return found


def _with_place(diagnostic: dict, text: str) -> str:
    """The text after the place it is about, where there is one."""
    if not diagnostic.get("line"):
        return text
    place = _place(diagnostic["file"], diagnostic["line"], diagnostic["column"])
    return f"{place}: {text}"


def reproducer(ir: str, target: str, said: Sequence[str] = ()) -> str:
    """A file with the IR, the passes for `target` and what was said, for a report.

    `tilewright-opt --run-reproducer FILE` does what the compiler did. It lies in the folder
    for temporary files, TMPDIR.
    """
    from .. import _compiler

    handle, path = tempfile.mkstemp(prefix="tilewright-", suffix=".mlir")
    with os.fdopen(handle, "w") as file:
        for text in said:
            file.writelines(f"// {line}\n" for line in text.splitlines())
        file.write(_compiler.reproducer(ir, target))
    return path


def first_place(ir: str) -> Place | None:
    """The first place in a source file that the IR names: the kernel's."""
    match = _LOCATION.search(ir)
    return _place(match[1], int(match[2]), int(match[3])) if match else None


def _report(path: str) -> str:
    return (
        f"this is a fault of Tilewright; please report it with {path}, which "
        "tilewright-opt --run-reproducer runs"
    )


def _place(file: str, line: int, column: int) -> Place:
    return Place(file, line, column, column + 1)
