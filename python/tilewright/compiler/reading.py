"""How a kernel is read, apart from its text and its arguments.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import NamedTuple


class Reading(NamedTuple):
    """What the front end is asked for, beside what the compiler's options say.

    Attributes:
        batch_invariant: a row's result must not depend on how many rows there are.
        checked: the kernel is for checking mode, which wants the names of loop variables and
            sees a read that is not chosen.
    """

    batch_invariant: bool = False
    checked: bool = False


PLAIN = Reading()
