"""Tilewright: tile kernels written in Python, compiled to native code.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
from pathlib import Path

# The extension modules lie beside this file, or, in a source tree, in the build folder.
__path__.append(
    str(
        Path(os.environ.get("TILEWRIGHT_BUILD_DIR", Path(__file__).parents[2] / "build"))
        / "python/tilewright"
    )
)
