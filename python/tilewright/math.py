"""Arithmetic on sizes in front of a kernel, where TileLang has it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations


def cdiv(a: int, b: int) -> int:
    """The least integer not below a / b."""
    return -(-a // b)


def next_power_of_2(n: int) -> int:
    """The least power of two that is not below n, for n of 1 or more."""
    return 1 << (n - 1).bit_length()
