"""Tilewright: tile kernels written in Python, compiled to native code.

    import tilewright
    import tilewright.language as T

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os as _os
from importlib import import_module as _import
from typing import TYPE_CHECKING as _TYPE_CHECKING

# In the source tree the extension modules are in the build folder.
_built = _os.path.join(
    _os.path.dirname(_os.path.dirname(_os.path.dirname(__file__))),
    _os.environ.get("TILEWRIGHT_BUILD_DIR", "build"),
    "python",
    "tilewright",
)
if _os.path.isdir(_built):
    __path__.append(_built)

from . import language, layout  # noqa: E402
from .compiler.driver import compile  # noqa: E402
from .compiler.errors import CompileError  # noqa: E402
from .compiler.jit import jit  # noqa: E402
from .compiler.kernel import Kernel  # noqa: E402
from .math import cdiv, next_power_of_2  # noqa: E402
from .tilelang_names import (  # noqa: E402
    MODULES as _MODULES,
)
from .tilelang_names import (  # noqa: E402
    PassConfigKey,
    disable_cache,
    enable_cache,
    set_log_level,
)

JITKernel = Kernel  # TileLang's name

__version__ = "0.1.0"

if _TYPE_CHECKING:
    from .autotuner import autotune  # noqa: F401
    from .library import load  # noqa: F401
    from .pairs import pack_pairs, unpack_pairs  # noqa: F401
    from .profiler import Profiler, TensorSupplyType, do_bench  # noqa: F401
    from .runtime import (  # noqa: F401
        ArtifactError,
        CheckError,
        Graph,
        KernelFault,
        LaunchError,
        as_dtype,
        measure_limits,
        num_threads,
        set_num_threads,
    )

# These load NumPy: on first use.
_RUNTIME = (
    "Graph",
    "LaunchError",
    "KernelFault",
    "CheckError",
    "ArtifactError",
    "as_dtype",
    "set_num_threads",
    "num_threads",
    "measure_limits",
)
_SUBMODULES = ("autotuner", "profiler", "testing")
_PAIRS = ("pack_pairs", "unpack_pairs")

__all__ = [
    "CompileError",
    "JITKernel",
    "Kernel",
    "PassConfigKey",
    "cdiv",
    "compile",
    "disable_cache",
    "enable_cache",
    "jit",
    "language",
    "layout",
    "load",
    "next_power_of_2",
    "set_log_level",
    *_MODULES,
    *_RUNTIME,
    *_PAIRS,
]


def __getattr__(name: str):
    if name in _RUNTIME:
        from . import runtime

        return getattr(runtime, name)
    if name in _PAIRS:
        from . import pairs

        return getattr(pairs, name)
    if name == "load":
        from .library import load

        return load
    if name in _MODULES:
        return getattr(_import(f"{__name__}.{_MODULES[name]}"), name)
    if name in _SUBMODULES:
        return _import(f"{__name__}.{name}")
    from .tilelang_names import REFUSED

    hint = f": {REFUSED[name]}" if name in REFUSED else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
