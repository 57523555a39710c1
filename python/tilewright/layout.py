"""Layout hints of TileLang, accepted in T.annotate_layout and never needed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations


def make_swizzled_layout(*arguments: object, **options: object) -> None:
    """Layouts are the compiler's business: T.annotate_layout does not evaluate its argument."""


def __getattr__(name: str):
    """TileLang's other layouts, for the same argument."""
    if name.startswith("make_") or name in ("Layout", "Fragment"):
        return make_swizzled_layout
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
