"""Names that a library, its functions and their parameters cannot have, or have with a change.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
from pathlib import Path

from .header import SUFFIXES, runtime_text
from .keywords import KEYWORDS
from .spec import Library, SpecError

# What linkers find as libX.so of the system, which one of the same name would take the place
# of, and namespaces of others.
_TAKEN = frozenset("c m dl rt pthread util resolv anl mvec gcc_s std".split())  # noqa: SIM905

_TEMPLATE = Path(__file__).with_name("template.hpp")


def check_names(library: Library) -> None:
    """Refuses a library and functions that are called as something else."""
    if library.name in KEYWORDS | _TAKEN:
        raise SpecError(
            f"a library cannot be called {library.name!r}, which is a word of C++ or a library "
            "of the system; choose another name"
        )
    in_c = {name.removeprefix("tw_") for name in re.findall(r"\btw_\w+", runtime_text())}
    in_cpp = set(re.findall(r"(?:class|struct|namespace|using|inline \w+) (\w+)", _template()))
    for function in library.functions:
        if function.name in KEYWORDS:
            raise SpecError(
                f"{library.name}: a function cannot be called {function.name!r}, which is a "
                "word of C++; choose another name"
            )
        others = {f.name for f in library.functions if f is not function}
        for name in (function.name + suffix for suffix in SUFFIXES):
            if name in others | in_c | {"choose"}:
                declared = f"{library.name}_{name}"
            elif name in in_cpp:
                declared = f"{library.name}::{name}"
            else:
                continue
            raise SpecError(
                f"{library.name}: the function {function.name} would declare {declared}, which "
                "is another function or type of the library"
            )


def _template() -> str:
    """What NAME.hpp declares for all libraries."""
    return re.sub(r"//.*", "", _TEMPLATE.read_text(encoding="utf-8"))
