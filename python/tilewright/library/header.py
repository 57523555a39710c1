"""The C header of a library.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..compiler.signature_table import Parameter, Signature
from .keywords import KEYWORDS
from .spec import Library, SpecError

# How C passes a scalar: what tells the linker of it (driver/Library.h), and its type.
SCALARS = {
    **dict.fromkeys(("bool", "int8", "int16", "int32"), ("i", "int32_t")),
    **dict.fromkeys(("uint8", "uint16", "uint32"), ("i", "uint32_t")),
    "int64": ("l", "int64_t"),
    "uint64": ("l", "uint64_t"),
    **dict.fromkeys(("float16", "bfloat16", "float32"), ("f", "float")),
    "float64": ("d", "double"),
}

# What is declared for each function.
SUFFIXES = ("", "_explain", "_workspace", "_with_workspace")

# What parameters are declared beside.
_BESIDE = frozenset(
    (
        "status",
        "stream",
        "text",
        "size",
        "bytes",
        "workspace",
        "on",
        "tensor",
        "device",
        "buffer",
    )
)


@dataclass(frozen=True)
class Entry:
    """A function as its callers see it: names of builds with their signatures, and what a build
    asks of a parameter's address on a kind of device."""

    name: str
    doc: str
    builds: tuple[tuple[str, Signature], ...]
    alignments: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)

    @property
    def parameters(self) -> Sequence[Parameter]:
        """Those of the first build, which all have but for dtypes and shapes."""
        return self.builds[0][1].parameters

    @property
    def kinds(self) -> str:
        """What the linker is told of them."""
        return "".join(
            "t" if p.shape is not None else SCALARS[p.dtype][0] for p in self.parameters
        )

    def names(self) -> list[str]:
        """Their names, with _ behind those that C and C++ keep for themselves."""
        return [p.name + "_" * (p.name in KEYWORDS | _BESIDE) for p in self.parameters]


def check_alike(entry: Entry) -> None:
    """Refuses builds of one function that differ in more than tensors' dtypes and shapes."""

    def seen(signature: Signature) -> list[tuple]:
        return [
            (
                p.name,
                "tensor" if p.shape is not None else p.dtype,
                p.writes and p.shape is not None,
            )
            for p in signature.parameters
        ]

    first, expected = entry.builds[0][0], seen(entry.builds[0][1])
    for name, signature in entry.builds[1:]:
        if seen(signature) != expected:
            raise SpecError(
                f"{entry.name}: the builds {first} and {name} differ in their parameters: "
                f"{_heads(expected)} and {_heads(seen(signature))}; make two functions of them"
            )


def _heads(parameters: list[tuple]) -> str:
    return "(" + ", ".join(f"{n}: {kind}" for n, kind, _ in parameters) + ")"


# ---- the part that all libraries have ------------------------------------------------------


@functools.cache
def runtime_text() -> str:
    """What runtime/include/tilewright/device.h says that libraries' headers copy."""
    text = (runtime_folder() / "device.h").read_text(encoding="utf-8")
    _, _, rest = text.partition("begin of what libraries' headers copy ---- */\n")
    return rest.partition("/* ---- end of what")[0].strip()


def runtime_folder() -> Path:
    """Where the runtime's headers are."""
    return Path(__file__).resolve().parents[3] / "runtime/include/tilewright"


def runtime_functions() -> list[str]:
    """The functions that it declares."""
    return re.findall(r"TW_API\s[^;(]*?(tw_\w+)(?=\()", runtime_text())


# ---- functions -----------------------------------------------------------------------------


def c_header(library: Library, entries: Sequence[Entry]) -> str:
    """The text of NAME.h."""
    name, upper = library.name, library.name.upper()
    common = re.sub(r"\btw_", f"{name}_", runtime_text())
    common = re.sub(r"\bTW_", f"{upper}_", common)
    declared = "\n\n".join(_declaration(name, upper, entry) for entry in entries)
    return f"""\
/* {name}.h - {comment(library.description) or "kernels for CPUs and GPUs"}
 *
 * Version {library.release}. Written by `tilewright build`; changes belong in what it reads.
 */
#ifndef {upper}_H
#define {upper}_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

{common}

/* ---- kernels ------------------------------------------------------------------------
 *
 * `stream` says where a kernel runs: NULL is the default stream of the device that has the
 * tensors, and the host where all are in its memory. On a GPU a call returns when the work
 * is given to the stream; tensors in the host's memory are copied there and back, and the
 * call then waits. On the CPU the work is done when the call returns.
 *
 * Tensors are contiguous, the last dimension innermost, where no strides are named.
 *
 * Of several builds a call takes the first whose parameters fit its arguments.
 * NAME_explain writes to `text`, of `size` bytes, which one that is and why; NAME_workspace
 * gives the bytes of memory that a call allocates and frees again. Both run nothing.
 * NAME_with_workspace takes that memory from the caller: `workspace` has `bytes` bytes where
 * the kernel runs, begins at a multiple of 64, and is the kernel's until it has run.
 *
 * Arguments that no build takes are {upper}_ERROR_ARGUMENT, with a message that names the
 * argument and what was expected. */

/* From here on `function` (as in "{name}_{entries[0].name}") has this build alone, and all
 * of them again where `build` is NULL. */
{upper}_API {name}_status {name}_choose(const char *function, const char *build);

{declared}

#ifdef __cplusplus
}}
#endif

#endif /* {upper}_H */
"""


def _declaration(name: str, upper: str, entry: Entry) -> str:
    arguments = [
        f"const {name}_tensor *{spelt}"
        if p.shape is not None
        else f"{SCALARS[p.dtype][1]} {spelt}"
        for p, spelt in zip(entry.parameters, entry.names())
    ]
    first, *others = describe(entry)
    comment = "\n".join([f"/* {first}", *(f" * {line}".rstrip() for line in others)])

    def prototype(suffix: str, *before: str) -> str:
        head = f"{upper}_API {name}_status {name}_{entry.name}{suffix}("
        return folded(head, [*before, f"{name}_stream *stream", *arguments], ");")

    return "\n".join(
        [
            comment + " */",
            prototype(""),
            prototype("_explain", "char *text", "uint64_t size"),
            prototype("_workspace", "uint64_t *bytes"),
            prototype("_with_workspace", "void *workspace", "uint64_t bytes"),
        ]
    )


def folded(head: str, items: Sequence[str], tail: str) -> str:
    """`head`, the items with commas between, and `tail`, on lines of at most 92 characters that
    break between items."""
    lines = [head]
    for i, item in enumerate(items):
        text = item + (", " if i < len(items) - 1 else tail)
        if len(lines[-1] + text.rstrip()) > 92:
            lines.append("    ")
        lines[-1] += text
    return "\n".join(line.rstrip() for line in lines)


def comment(line: str) -> str:
    """A line of the user's, so that a comment of C or C++ neither ends in it nor goes on behind
    it."""
    text = "".join(c if c.isprintable() else " " for c in line)
    return text.replace("*/", "* /").replace("/*", "/ *").rstrip(" \\")


def describe(entry: Entry) -> list[str]:
    """Lines on a function and its parameters, for comments."""
    doc = [comment(line) for line in entry.doc.splitlines()]
    lines = [*doc, ""] if doc else []
    for name, signature in entry.builds:
        if len(entry.builds) > 1:
            lines.append(f"Build {name}:")
        lines += [f"  {line}" for line in _parameters(name, signature, entry.alignments)]
        for size in signature.sizes:
            facts = [f"at least {size.minimum}"] if size.minimum else []
            facts += [f"at most {size.maximum}"] if size.maximum is not None else []
            facts += [f"a multiple of {size.multiple_of}"] if size.multiple_of > 1 else []
            if facts:
                lines.append(f"  {size.name} is {', '.join(facts)}.")
    return lines


def _aligned(parameter: Parameter, asked: Mapping[str, int]) -> str:
    """What is asked beyond alignment to elements, and on which devices where not on all."""
    bits = re.search(r"\d+", parameter.dtype)
    own = int(bits[0]) // 8 if bits else 1
    most = max(asked.values(), default=1)
    if most <= max(own, 1):
        return ""
    kinds = [kind for kind, bytes_ in asked.items() if bytes_ == most]
    where = f" ({', '.join(kinds)})" if len(kinds) < len(asked) else ""
    return f"at a multiple of {most} bytes{where}"


def _parameters(build: str, signature: Signature, alignments: Mapping) -> list[str]:
    """A line for each parameter: dtype, shape, layout, what becomes of it."""
    lines = []
    for p in signature.parameters:
        if p.shape is None:
            lines.append(f"{p.name}: {p.dtype}" + (f", the size {p.size}" if p.size else ""))
            continue
        access = {(1, 1): "read and written", (0, 1): "written", (1, 0): "read"}
        parts = [
            f"{p.dtype} [{', '.join(map(str, p.shape))}]",
            f"strides [{', '.join('any' if s is None else str(s) for s in p.strides)}]"
            if p.strides
            else "",
            access.get((int(p.reads), int(p.writes)), "not used"),
            _aligned(p, alignments.get((build, p.name), {})),
            f"may be {p.alias}" if p.alias else "",
        ]
        lines.append(f"{p.name}: " + ", ".join(part for part in parts if part))
    return lines
