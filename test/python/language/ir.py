"""The IR of a kernel for tests: its operations one by one, after the dialect accepted them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import tilewright.language as T
from tilewright.compiler.lower import Module, lower_prim_func

_BUILD = Path(__file__).parents[3] / os.environ.get("TILEWRIGHT_BUILD_DIR", "build")
_OPT = _BUILD / "bin" / "tilewright-opt"
_SPACE = re.compile(r", #tile\.space<(\w)\w+>")


def module_of(kernel: object) -> Module:
    """The module of a prim_func, parsed and verified by the dialect."""
    module = lower_prim_func(kernel)
    verify(module.text)
    return module


def verify(text: str) -> None:
    """Fail unless `tilewright-opt` accepts the IR."""
    run = subprocess.run([_OPT, "-o", "/dev/null"], input=text, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr + text


def operations(kernel: object) -> list[str]:
    """Operations of the kernel's body, to be compared with what is expected.

    Without locations; a space prints as its initial; constants stand where they are used;
    values without a name of their own print as `%_`.
    """
    lines, constants = [], {}
    for line in module_of(kernel).text.splitlines():
        line = re.sub(r" loc\(\S+\)$", "", line.strip())
        constant = re.fullmatch(r"(%\w+) = arith\.constant (\S+)( : \w+)?", line)
        if constant:
            constants[constant.group(1)] = constant.group(2)
        elif line and not line.startswith(("#loc", "func.func", "}", "return")):
            line = re.sub(r"%\w+", lambda m: constants.get(m.group(), m.group()), line)
            lines.append(re.sub(r"%v\d+\b", "%_", _SPACE.sub(r", \1", line)))
    return lines


def of(kernel: object, *names: str) -> list[str]:
    """The operations that hold one of the names, such as "tile.copy"."""
    return [line for line in operations(kernel) if any(name in line for name in names)]


def scalar(expression, dtype_a: str = "float32", dtype_b: str = "float32") -> list[str]:
    """Operations of `expression(k, a, b)`, a macro on two scalar parameters.

    The result goes through T.print, whose operation comes last and shows its type.
    """

    @T.prim_func
    def kernel(a: dtype_a, b: dtype_b):
        with T.Kernel(1):
            T.print(expression(a, b))

    lines = operations(kernel)
    body = next(i for i, line in enumerate(lines) if line.startswith("tile.kernel"))
    return lines[body + 1 :]
