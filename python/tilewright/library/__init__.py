"""Libraries of kernels, built ahead of time. docs/libraries.md is the manual.

`Library` says what a library holds, `build` writes it, `load` gives its functions back to
Python. spec.py reads what users write and names.py checks what it is called, objects.py
compiles, reachable.py finds builds that nobody calls, header.py and hpp.py write the headers,
packages.py what build systems look for, python_package.py and wheel.py what Python's users
install, manifest.py the record of it all.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from .build import BuildError, Built, build
from .load import LoadedFunction, LoadedLibrary, load
from .spec import Build, Function, Library, SpecError, read_spec

__all__ = [
    "Build",
    "BuildError",
    "Built",
    "Function",
    "Library",
    "LoadedFunction",
    "LoadedLibrary",
    "SpecError",
    "build",
    "load",
    "read_spec",
]
