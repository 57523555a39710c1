"""Runs PTX that was written for one purpose, and remembers what was executed.

A check is a function of a Bench. test_forms.py runs every check, and coverage.py runs them
for the evidence that they are. References are Python's integers and fractions, or NumPy.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import collections
import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tilewright import emulator
from tilewright.emulator import tensor_map

_MODULE = """.version 9.0
.target {arch}
.address_size 64
{globals}
.visible .entry k({params}){directives}
{{
.reg .pred %p<40>; .reg .b16 %h<64>; .reg .b32 %r<{words}>; .reg .b64 %d<140>; .reg .b128 %q<8>;
.reg .f32 %f<8>; .reg .f64 %g<8>;
{body}
ret;
}}
"""


@dataclass
class Bench:
    """What a check runs kernels by."""

    statements: set[str] = field(default_factory=set)
    arch: str = "sm_90a"

    def run(
        self,
        body: str,
        args: dict[str, Any],
        *,
        grid: int = 1,
        block: int = 32,
        cluster: int = 1,
        shared: str = "",
        words: int = 512,
        directives: str = "",
        device: Any = None,
    ) -> None:
        """Launches one kernel; parameters are those of `args`, loaded by `body`. An array of
        a device is its address, a number 32 bits, bytes and a tensor map themselves."""
        device = device or self.device()
        kinds = {
            name: ".align 64 .b8 {}[128]" if isinstance(one, emulator.TensorMap)
            else f".align 16 .b8 {{}}[{len(one)}]" if isinstance(one, bytes)
            else ".u32 {}" if isinstance(one, np.generic)
            else ".u64 {}"
            for name, one in args.items()
        }  # fmt: skip
        module = device.load(
            _MODULE.format(
                arch=self.arch,
                globals=shared,
                params=", ".join(".param " + kind.format(name) for name, kind in kinds.items()),
                # A report names one statement of a line.
                body=re.sub(r";[ ]*", ";\n", body),
                words=words,
                directives=directives,
            )
        )
        try:
            module.launch("k", grid, block, cluster=cluster, args=list(args.values()))
        finally:
            lines = device.report["lines"]
            self.statements |= {" ".join(line["text"].split()) for line in lines}

    def device(self) -> Any:
        """One that counts what it executes."""
        return emulator.Device(self.arch, statistics=True, threads=1)


@dataclass(frozen=True)
class Item:
    """An instruction of up to three operands, which a kernel has as %h0 to %h2, %r0, %d0 and
    so on; its result, a register and its type; and what that must be for each of them."""

    text: str
    result: str
    expected: Sequence[int]
    # Whether a result that differs in its bits is as good: of NaNs, say.
    matches: Callable[[int, int], bool] = int.__eq__


def map_text(rank: int, swizzle: str | int, kind: str, fill: str) -> str:
    """A tensor map as a statement, whose opcode is `map`."""
    swizzle = str(swizzle).rstrip("B")
    return f"map.{rank}d.{swizzle}{'' if swizzle == 'none' else 'B'}.{kind}.{fill}"


def map_type(dtype: Any) -> str:
    """The name that tensor maps have for a type of NumPy's or ml_dtypes'."""
    if isinstance(dtype, str) and dtype in tensor_map.ELEMENTS:
        return dtype
    return tensor_map.NAMES.get(np.dtype(dtype).name, "u8")


# Items that one kernel executes.
_BATCH = 64


def elementwise(bench: Bench, items: Sequence[Item], values: Sequence[Sequence[int]]) -> None:
    """Runs each item on all values, a thread for each, and compares."""
    count = len(values[0])
    assert count % 32 == 0
    failures = []
    for start in range(0, len(items), _BATCH):
        batch = items[start : start + _BATCH]
        device = bench.device()
        source = device.array(np.array(values, dtype=np.uint64))
        results = device.zeros((len(batch), count), np.uint64)
        lines = ["ld.param.u64 %d100, [source];", "ld.param.u64 %d101, [results];",
                 "mov.u32 %r100, %tid.x;", "mad.wide.u32 %d100, %r100, 8, %d100;",
                 "mad.wide.u32 %d101, %r100, 8, %d101;"]  # fmt: skip
        for i in range(len(values)):
            lines += [f"ld.global.b64 %d{i}, [%d100+{8 * count * i}];",
                      f"cvt.u32.u64 %r{i}, %d{i};", f"cvt.u16.u64 %h{i}, %d{i};"]  # fmt: skip
        for at, item in enumerate(batch):
            kind, register = item.result.split()
            lines.append(item.text)
            if kind == "pred":
                lines.append(f"selp.b32 %r99, 1, 0, {register};")
                kind, register = "b32", "%r99"
            lines.append(f"st.global.{kind} [%d101+{8 * count * at}], {register};")
        args = {"source": source, "results": results}
        bench.run("\n".join(lines), args, block=count, device=device)
        for item, got in zip(batch, results.numpy()):
            for lane, (one, expected) in enumerate(zip(got.tolist(), item.expected)):
                if not item.matches(one, expected):
                    operands = ", ".join(hex(v[lane]) for v in values)
                    failures.append(f"{item.text} of {operands}: {one:#x}, not {expected:#x}")
                    break
    assert not failures, "\n".join(failures[:20])


Check = Callable[[Bench], None]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Makes a function one of the checks."""
    CHECKS[function.__name__] = function
    return function


@functools.cache
def statements(name: str) -> frozenset[str]:
    """Runs a check; the statements that it executed."""
    bench = Bench()
    CHECKS[name](bench)
    return frozenset(bench.statements)


def executed() -> dict[str, set[str]]:
    """The statements that checks execute, each with the names of the checks."""
    import forms

    assert forms.MODULES
    found: dict[str, set[str]] = collections.defaultdict(set)
    for name in CHECKS:
        for text in statements(name):
            found[text].add(f"test_forms.{name}")
    return found
