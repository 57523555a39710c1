"""The kernels that faults are seeded in, with the cases that must notice.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tilewright.compiler.kernel import Kernel
from tilewright.kernels import (
    attention_cases,
    gemm_cases,
    grouped_gemm,
    mla_decode_cases,
    moe_combine,
    moe_gate_cases,
    moe_permute,
    rmsnorm,
    softmax,
    sparse_mla_cases,
    swiglu,
    topk_cases,
)
from tilewright.testing.case import Case, Tensors
from tilewright.testing.verify import execute

DEVICES = ("cuda-emulator:sm_80", "hip-emulator:gfx942")


class Switch:
    """Stands for the launch of a kernel: the compiled one, another one, or none.

    Callers keep launches, so that it must be there before the first call.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.calls = 0
        self.instead: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.calls += 1
        if _noted is not None:
            _noted.append(self)
            return None
        return (self.instead or self.compiled)(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.compiled, name)

    @functools.cached_property
    def compiled(self) -> Callable[..., Any]:
        return _LAUNCH.func(self.kernel)


_LAUNCH = Kernel.__dict__["launch"]
_noted: list[Switch] | None = None  # calls, while nothing runs


@functools.cache
def _forget() -> None:
    """Lets the library compile anew, once: what ran before in this process kept its launch,
    and what runs later is a subject's."""
    for name, module in list(sys.modules.items()):
        if name.startswith("tilewright.kernels."):
            for value in list(vars(module).values()):
                getattr(value, "cache_clear", lambda: None)()


@contextlib.contextmanager
def _noting() -> Iterator[list[Switch]]:
    """Notes calls of kernels instead of running them."""
    global _noted
    switched = functools.cached_property(Switch)
    switched.__set_name__(Kernel, "launch")
    Kernel.launch, _noted = switched, []
    try:
        yield _noted
    finally:
        Kernel.launch, _noted = _LAUNCH, None


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """A kernel of the library for a device, and the cases that run it."""

    device: str
    switch: Switch
    cases: tuple[Case, ...]

    @property
    def name(self) -> str:
        return f"{self.cases[0].id}: {self.switch.kernel.name}"

    @property
    def ir(self) -> str:
        """What the front end wrote."""
        return self.switch.kernel.ir()

    @property
    def options(self) -> dict[str, Any]:
        return {"target": self.device}


def _infinite(inputs: Tensors) -> None:
    """What is read in place of an element beyond its tile, and must not count."""
    inputs["a"][0, 0] = inputs["b"][0, 0] = np.inf


def groups() -> list[tuple[Case, ...]]:
    """Cases by the kernels that they run, small ones of modules of the library.

    One row beside an odd number of them: guards of rows that a thread takes late are false
    only there. Loops have a second iteration in one of the cases.
    """
    product = functools.partial(gemm_cases.make_case, tile=(32, 32, 32))
    pipelined = functools.partial(product, n=40, k=104, dtype="bf16", transpose_b=True)
    odd = functools.partial(product, n=45, k=83, dtype="f16")
    deep = functools.partial(product, n=40, k=52, dtype="bf16", tile=(32, 32, 24))
    whole = functools.partial(product, n=64, k=96, dtype="bf16", transpose_b=True)
    few = functools.partial(whole, n=77, k=136, tile=(4, 64, 64))
    causal = functools.partial(attention_cases.make_case, causal=True)
    queries = functools.partial(causal, q_lengths=(20,))  # rows that are there and not used
    gate = functools.partial(moe_gate_cases.Problem, "odd", biased=True)
    decode = mla_decode_cases.Problem("page16", (33, 0, 150), page=16, d_v=128)
    sparse = sparse_mla_cases.Problem(
        "sinks", 4, 600, 200, heads=5, d_v=128, sinks=(0.0, 3.0), lengths=(0, 1, 130, 200)
    )
    few_values = functools.partial(
        topk_cases.Problem, "few_values", n=4500, k=100, spoil=topk_cases._few_values
    )
    # More rows than blocks: what a row leaves behind meets the next row of its block.
    many_rows = topk_cases.Problem("many_rows", 130, 70, 2, spoil=topk_cases._few_values)
    made = [
        [pipelined("pipelined", 69), pipelined("pipelined_one", 1)],
        [odd("odd", 37), odd("odd_one", 1)],
        [deep("deep", 37), deep("deep_infinite", 37, spoil=_infinite)],
        [whole("whole", 37), whole("whole_one", 1)],
        [few("few", 21), few("few_one", 1)],
        [softmax.make_case("odd", rows, 131, "bf16") for rows in (37, 1)],
        [softmax.make_case("long", rows, 10007) for rows in (2, 1)],
        [rmsnorm.make_case("odd", rows, 131) for rows in (37, 1)],
        [rmsnorm.make_case("long", rows, 10007, "bf16") for rows in (2, 1)],
        [swiglu._case("odd", rows, 131, "f16") for rows in (37, 1)],
        [causal("d24", 3, 5, 24), queries("d24", 35, 261, 24), causal("d24", 140, 131, 24)],
        [causal("d32", *sizes, 32, "bf16") for sizes in ((3, 5), (35, 300))],
        [mla_decode_cases.make_case(decode)],
        [sparse_mla_cases.make_case(sparse)],
        [moe_gate_cases.make_case(gate(rows, 72, 7)) for rows in (18, 1)],
        [topk_cases.make_case(p) for p in (few_values(3), few_values(1), many_rows)],
        [moe_permute._case("aligned", rows, 6, 64, 33, align=16) for rows in (47, 1)],
        [grouped_gemm.make_case("ragged", (3, 0, 40, 1), 72, 520)],
        [moe_combine._case("odd", rows, 7, 33, dtype="f32") for rows in (13, 1)],
    ]
    return [tuple(cases) for cases in made]


def subjects(cases: tuple[Case, ...], device: str) -> list[Subject]:
    """A subject for each kernel that the cases run, which are compiled where need be."""
    _forget()
    users: dict[Switch, list[Case]] = {}
    for case in cases:
        with _noting() as noted:
            execute(case, device, case.make_inputs(case.generator()))
        for switch in dict.fromkeys(noted):
            users.setdefault(switch, []).append(case)
    return [Subject(device, switch, tuple(users[switch])) for switch in users]
