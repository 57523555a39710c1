"""Writes docs/language.md: every name of the language, and the names that are refused.

    .venv/bin/python scripts/language_reference.py

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "python"))

import tilewright.language as T  # noqa: E402
from tilewright.compiler.calls import signature  # noqa: E402
from tilewright.language.dtypes import ALL, LATER, DType  # noqa: E402
from tilewright.language.registry import Operation  # noqa: E402
from tilewright.language.rejected import REJECTED  # noqa: E402

HEAD = """# Names of the language

Written by `scripts/language_reference.py`; what operations mean is in
[semantics.md](semantics.md). A kernel written for TileLang needs another import only, where
it uses these names. A file of such kernels finds with `import tilewright as tilelang` what it
takes from the package: `jit` and `compile` with TileLang's options, `autotune` and
`autotuner`, `profiler` with `do_bench`, kernels' `get_profiler()` and `get_kernel_source()`,
`PassConfigKey`, `TensorSupplyType`, `disable_cache`, `cdiv` and `next_power_of_2`.

| name | what it is |
| --- | --- |
"""

REFUSED = """
## Refused

Names of TileLang that a kernel may not use, the reason, and what to use.

| name | reason | instead |
| --- | --- | --- |
"""

DTYPES = """
## Element types

Strings, `T.float16`, NumPy's and PyTorch's dtypes all name them.

| name | short | bytes |
| --- | --- | --- |
"""


def cell(text: str) -> str:
    """Text as one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def names() -> list[tuple[str, object]]:
    """The language's names but for dtypes, in order, capitals or not."""
    found = [(name, getattr(T, name)) for name in sorted(T.__all__, key=str.lower)]
    return [pair for pair in found if not isinstance(pair[1], DType)]


def own_name(name: str, value: object) -> str:
    """The name under which a value is described; its others refer to that one."""
    own = value.name if isinstance(value, Operation) else getattr(value, "__name__", name)
    return own if getattr(T, own, None) is value else name


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for name, value in names():
        form, own = f"T.{name}", own_name(name, value)
        if own != name:
            text = f"the same as `T.{own}`"
        else:
            text = (inspect.getdoc(value) or "").split("\n\n")[0]
            form = signature(value) if isinstance(value, Operation) else form
        lines.append(f"| `{cell(form)}` | {cell(text)} |\n")
    lines.append(DTYPES)
    lines += [
        f"| `T.{d.name}` | `{d.short}` | {'half' if d.is_paired else d.itemsize} |\n"
        for d in ALL
    ]
    lines.append(REFUSED)
    lines += [
        f"| `T.{name}` | {cell(entry.reason)} | {cell(entry.hint)} |\n"
        for name, entry in sorted(REJECTED.items(), key=lambda item: item[0].lower())
    ]
    lines += [
        f"| `T.{name}` | an element type | {cell(hint)} |\n"
        for name, hint in sorted(LATER.items())
    ]
    return "".join(lines)


if __name__ == "__main__":
    (ROOT / "docs" / "language.md").write_text(page())
