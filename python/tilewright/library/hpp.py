"""The C++ header of a library: typed tensors, handles that close themselves, exceptions.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .header import SCALARS, Entry, describe, folded
from .spec import Library

_TEMPLATE = Path(__file__).with_name("template.hpp")


def cpp_header(library: Library, entries: Sequence[Entry]) -> str:
    """The text of NAME.hpp: template.hpp with the library's names, and its functions."""
    text = _TEMPLATE.read_text(encoding="utf-8")
    functions = "\n\n".join(_function(library.name, entry) for entry in entries)
    for placeholder, value in {
        "@NAME@": library.name,
        "@UPPER@": library.name.upper(),
        "@RELEASE@": library.release,
        "@FUNCTIONS@": functions,
    }.items():
        text = text.replace(placeholder, value)
    return text


def _function(name: str, entry: Entry) -> str:
    names = entry.names()
    typed = [
        f"const tensor &{spelt}" if p.shape is not None else f"{SCALARS[p.dtype][1]} {spelt}"
        for p, spelt in zip(entry.parameters, names)
    ]
    passed = [
        f"{n}.get()" if p.shape is not None else n for p, n in zip(entry.parameters, names)
    ]
    comment = "\n".join(f"/// {line}".rstrip() for line in describe(entry))

    def define(suffix: str, result: str, lines: Sequence[str], *before: str) -> str:
        head = f"inline {result} {entry.name}{suffix}("
        head = folded(head, [*before, *typed, "const stream &on = {}"], ") {")
        return "\n".join([head, *(f"  {line}" for line in lines), "}"])

    def call(suffix: str, *before: str) -> str:
        whole = folded(f"{name}_{entry.name}{suffix}(", [*before, "on.get()", *passed], ")")
        return whole.replace("\n", "\n  ")

    return "\n".join(
        [
            comment,
            define("", "result", [f"return detail::check({call('')});"]),
            define(
                "_explain",
                "std::string",
                [
                    'char text[4096] = "";',
                    f"detail::check({call('_explain', 'text', 'sizeof(text)')});",
                    "return text;",
                ],
            ),
            define(
                "_workspace",
                "std::uint64_t",
                [
                    "std::uint64_t bytes = 0;",
                    f"detail::check({call('_workspace', '&bytes')});",
                    "return bytes;",
                ],
            ),
            define(
                "_with_workspace",
                "result",
                [f"return detail::check({call('_with_workspace', 'workspace', 'bytes')});"],
                "void *workspace",
                "std::uint64_t bytes",
            ),
        ]
    )
