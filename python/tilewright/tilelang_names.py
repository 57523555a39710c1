"""Names of TileLang's package (not of its language) that kernel files use.

A file with `import tilewright as tilelang` finds these where TileLang has them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os


class _PassConfigKeys:
    """Keys for `pass_configs`. Options of TileLang's passes are accepted and mean nothing
    here: no kernel needs them."""

    def __getattr__(self, name: str) -> str:
        if name.startswith("_"):
            raise AttributeError(name)
        return f"tl.{name.removeprefix('TL_').lower()}"


PassConfigKey = _PassConfigKeys()


def disable_cache() -> None:
    """What is compiled from now on is not kept on disk."""
    os.environ["TILEWRIGHT_CACHE_SIZE"] = "0"


def enable_cache() -> None:
    """What is compiled from now on is kept on disk, as it is by default."""
    os.environ.pop("TILEWRIGHT_CACHE_SIZE", None)


def set_log_level(level: object) -> None:
    """Nothing: this package logs nothing."""


# Names of the package that are loaded with their module, on first use.
MODULES = {
    "autotune": "autotuner",
    "do_bench": "profiler",
    "Profiler": "profiler",
    "TensorSupplyType": "profiler",
}

# What TileLang has and this package has not, with what to do instead.
REFUSED = {
    "lower": "use tilewright.compile; the kernel's .ir(stage) and .asm() show what it became",
    "tvm": "there is no TVM below; T.dtype(x).bits and its like tell of types",
}
