"""The Python package of a library: functions over the shared object's, by ctypes.

What all packages have is in package/, as they contain it; this writes the rest.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import keyword
import textwrap
from collections.abc import Sequence
from pathlib import Path

from ..compiler.signature_table import Parameter
from .header import SCALARS, SUFFIXES, Entry, describe
from .spec import Library, SpecError

_SHARED = Path(__file__).with_name("package")
_OWN = frozenset({"Stream", "torch_ops"})  # of a package; `choose` is taken in C as well

_STREAM = (
    "`stream` is a Stream, PyTorch's stream, or the number that is a cudaStream_t or",
    "hipStream_t; None is the default stream of the device that has the arrays.",
    "`workspace` is an array for the memory that a call needs; without it, it is allocated.",
)


def check_python_names(library: Library) -> None:
    """Refuses names that Python or the package keeps for itself."""
    for what, names in (
        ("library", [library.name]),
        ("function", [function.name for function in library.functions]),
    ):
        for name in names:
            if keyword.iskeyword(name) or (what == "function" and name in _OWN):
                raise SpecError(
                    f"{library.name}: a {what} of a Python package cannot be called {name!r}"
                )


def python_package(library: Library, entries: Sequence[Entry]) -> dict[str, str]:
    """The package's files by name, but for the shared object and the manifest."""
    files = {
        file.name: file.read_text(encoding="utf-8") for file in sorted(_SHARED.glob("*.py"))
    }
    files["__init__.py"] = _init(library, entries)
    return files


def _init(library: Library, entries: Sequence[Entry]) -> str:
    public = [e.name + suffix for e in entries for suffix in SUFFIXES[:3]]
    exported = ", ".join(map(repr, ["Stream", "choose", "torch_ops", *public]))
    text = f"""\
{
        _docstring(
            [
                f"{library.name}: {library.description or 'kernels for CPUs and GPUs'}.",
                "",
                "Written by `tilewright build`; changes belong in what it reads.",
            ],
            "",
        )
    }

from . import torch_ops
from ._library import Function as _Function
from ._library import Stream, choose

__version__ = {library.release!r}
__all__ = [{exported}]
"""
    return text + "".join(f"\n\n{_function(entry)}" for entry in entries)


def _function(entry: Entry) -> str:
    names = [p.name + "_" * (p.name in ("stream", "workspace")) for p in entry.parameters]
    kinds = [_kind(p) for p in entry.parameters]
    taken = ", ".join([repr(entry.name), *(f"{n}={k!r}" for n, k in zip(names, kinds))])
    head = ", ".join([*names, "*", "stream=None"])
    passed = ", ".join(["stream", *names])
    about = [*describe(entry), "", *_STREAM]
    return f"""\
_{entry.name} = _Function({taken})


def {entry.name}({head}, workspace=None):
{_docstring(about)}
    _{entry.name}.launch(stream, workspace, {", ".join(names)})


def {entry.name}_explain({head}):
    \"\"\"Which build `{entry.name}` would take and why; runs nothing.\"\"\"
    return _{entry.name}.explain({passed})


def {entry.name}_workspace({head}):
    \"\"\"The bytes of memory that `{entry.name}` would allocate and free again.\"\"\"
    return _{entry.name}.workspace({passed})
"""


def _kind(parameter: Parameter) -> str:
    """What package/_library.py is told of a parameter."""
    if parameter.shape is not None:
        return "written" if parameter.writes else "read"
    if parameter.dtype == "bool":
        return "bool"
    return SCALARS[parameter.dtype][1].removesuffix("_t")


def _docstring(lines: Sequence[str], indent: str = "    ") -> str:
    text = "\n".join(lines).strip().replace("\\", "\\\\").replace('"""', r"\"\"\"")
    if text.endswith('"'):
        text += " "
    body = textwrap.indent(text, indent, lambda line: bool(line.strip()))
    end = f"\n{indent}" if "\n" in text else ""
    return f'{indent}"""{body.removeprefix(indent)}{end}"""'
