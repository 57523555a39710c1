"""Names of TileLang's package (not of its language) that kernel files use.

A file with `import tilewright as tilelang` finds these where TileLang has them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations


class _PassConfigKeys:
    """Keys for `pass_configs`. Options of TileLang's passes are accepted and mean nothing
    here: no kernel needs them."""

    def __getattr__(self, name: str) -> str:
        if name.startswith("_"):
            raise AttributeError(name)
        return f"tl.{name.removeprefix('TL_').lower()}"


PassConfigKey = _PassConfigKeys()


def cdiv(a: int, b: int) -> int:
    """The least integer not below a / b."""
    return -(-a // b)


def next_power_of_2(n: int) -> int:
    """The least power of two that is not below n, for n of 1 or more."""
    return 1 << (n - 1).bit_length()


# What TileLang has and this package has not, with what to do instead.
REFUSED = {
    "autotune": 'let T.choose("BN", [128, 64]) list the values in the kernel',
    "disable_cache": "set TILEWRIGHT_CACHE_SIZE=0",
    "enable_cache": "the cache is on unless TILEWRIGHT_CACHE_SIZE is 0",
    "lower": "use tilewright.compile; the kernel's .ir(stage) and .asm() show what it became",
    "profiler": "use `tilewright bench`, or time calls of the kernel",
    "Profiler": "use `tilewright bench`, or time calls of the kernel",
    "TensorSupplyType": "pass arrays to the kernel; `tilewright verify` checks library kernels",
}
