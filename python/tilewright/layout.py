"""Layout hints of TileLang, accepted in T.annotate_layout and never needed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations


def make_swizzled_layout(tile: object, *options: object, **more: object) -> None:
    """Layouts are the compiler's business: T.annotate_layout does not evaluate its argument."""
