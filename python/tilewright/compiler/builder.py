"""The text of a module of `tile` IR, written operation by operation.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager

from ..language.dtypes import DType

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_]")


class Section:
    """The body of the function or of one kernel.

    Constants and sizes are made once, at its top, so that every region inside can use them
    and a kernel that is outlined takes its constants along.
    """

    def __init__(self) -> None:
        self.header: list[str] = []
        self.constants: dict[tuple[str, str], str] = {}
        self.sizes: dict[tuple[str, int], str] = {}


class Builder:
    """Appends operations to the current block; gives out names and locations."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.sections: list[Section] = []
        self.location = "loc(unknown)"
        self.effects = 0  # counts what must run only where it is reached
        self._names: dict[str, int] = {}
        self._locations: dict[str, str] = {}

    def fresh(self, hint: str = "") -> str:
        """An unused SSA name like `%hint`."""
        hint = _NOT_A_NAME.sub("_", hint) or "v"
        if hint[0].isdigit():
            hint = "v" + hint
        count = self._names.get(hint)
        if count is None and hint != "v":
            self._names[hint] = 0
            return "%" + hint
        count = (count or 0) + 1
        self._names[hint] = count
        name = f"{hint}_{count}" if hint != "v" else f"v{count}"
        if hint != "v" and name in self._names:
            return self.fresh(hint)
        self._names.setdefault(name, 0)
        return "%" + name

    def op(self, text: str) -> None:
        """Append an operation without results that opens no region."""
        self.out.append(f"{text} {self.location}")

    def result(self, text: str, hint: str = "") -> str:
        """Append an operation with one result and return the result's name."""
        ssa = self.fresh(hint)
        self.out.append(f"{ssa} = {text} {self.location}")
        return ssa

    @contextmanager
    def region(self, head: str):
        """Put what is written inside into a region of the operation that `head` starts."""
        self.out.append(head + " {")
        yield
        self.out.append(f"}} {self.location}")

    @contextmanager
    def capture(self):
        """Write into a list of its own, for code that may be dropped or placed elsewhere."""
        saved, self.out = self.out, []
        try:
            yield self.out
        finally:
            self.out = saved

    @contextmanager
    def section(self):
        """Give the code inside a place for constants and sizes, in front of it."""
        section = Section()
        self.sections.append(section)
        saved, self.out = self.out, []
        try:
            yield section
        finally:
            saved += section.header
            saved += self.out
            self.out = saved
            self.sections.pop()

    def constant(self, attribute: str, type: str, hint: str) -> str:
        """The name of `arith.constant attribute : type`, made once per section."""
        section = self.sections[-1]
        ssa = section.constants.get((attribute, type))
        if ssa is None:
            ssa = self.fresh(hint)
            text = attribute if type == "i1" else f"{attribute} : {type}"
            section.header.append(f"{ssa} = arith.constant {text} {self.location}")
            section.constants[attribute, type] = ssa
        return ssa

    def size(self, memref: str, type: str, dimension: int, hint: str) -> str:
        """The name of a dynamic extent of a tensor, made once per section."""
        section = self.sections[-1]
        ssa = section.sizes.get((memref, dimension))
        if ssa is None:
            number = self.constant(str(dimension), "index", f"c{dimension}")
            ssa = self.fresh(hint)
            section.header.append(
                f"{ssa} = memref.dim {memref}, {number} : {type} {self.location}"
            )
            section.sizes[memref, dimension] = ssa
        return ssa

    def alias(self, text: str) -> str:
        """The alias of a location, such as `#loc3` for `"f.py":3:4`."""
        name = self._locations.get(text)
        if name is None:
            name = self._locations[text] = f"#loc{len(self._locations)}"
        return name

    def module(self, name: str, arguments: list[str], attributes: str) -> str:
        """The finished module, indented, with its locations at the end."""
        symbol = name if name.isascii() else quote(name)
        head = [f"func.func @{symbol}({', '.join(arguments)}) attributes {{{attributes}}} {{"]
        lines, depth = [], 0
        for text in head + self.out + [f"return {self.location}", f"}} {self.location}"]:
            if text[0] == "}":
                depth -= 1
            lines.append("  " * depth + text)
            if text[-1] == "{":
                depth += 1
        lines += [f"{alias} = loc({text})" for text, alias in self._locations.items()]
        return "\n".join(lines) + "\n"


def quote(text: str) -> str:
    """`text` as an MLIR string literal."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return (
        '"'
        + "".join(
            chr(b) if 32 <= b < 127 and b not in (34, 92) else f"\\{b:02X}"
            for b in text.encode()
        )
        + '"'
    )


def memref(shape: tuple, dtype: DType, space: str, strides: tuple | None = None) -> str:
    """The memref type of a tensor or tile; sizes and strides that are no ints print as `?`."""
    extents = "".join(f"{s}x" if isinstance(s, int) else "?x" for s in shape)
    layout = ""
    if strides is not None:
        text = ", ".join(str(s) if isinstance(s, int) else "?" for s in strides)
        layout = f"strided<[{text}]>, "
    return f"memref<{extents}{dtype.memory}, {layout}#tile.space<{space}>>"


def attribute(value: object) -> str:
    """A Python value as an MLIR attribute: None is a unit attribute's absence."""
    if isinstance(value, dict):
        items = (
            k if v is True else f"{k} = {attribute(v)}"
            for k, v in value.items()
            if v is not None and v is not False
        )
        return "{" + ", ".join(items) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(attribute, value)) + "]"
    if isinstance(value, int):
        return f"{value} : i64"
    return quote(value) if isinstance(value, str) else json.dumps(value)
