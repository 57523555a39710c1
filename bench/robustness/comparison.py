"""The speed of variants beside that of the library's own kernels, on one thread.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from variant import Variant

from tilewright.kernels import registry
from tilewright.testing import Case
from tilewright.testing.case import Tensors
from tilewright.testing.contest import quick_look
from tilewright.testing.memory import guard
from tilewright.testing.threads import OtherProcesses, set_threads
from tilewright.testing.timing import interleaved_samples
from tilewright.testing.verify import execute, judge

# The kernels of the library that others are made of, at the sizes of their benchmarks.
CASES = (
    "gemm/n1024/f32",
    "gemm/n1024/bf16",
    "gemm_skinny/m1/bf16",
    "gemm_batched/absorb_q_t512_h16/bf16",
    "softmax/r4096_n4096/f32",
    "rmsnorm/r4096_n4096/f32",
    "rmsnorm_residual/r4096_n4096/bf16",
    "swiglu/t4096/bf16",
    "act_quant/t4096/bf16",
    "rope/t4096/bf16",
    "attention/causal_h8_s2048_d128/f32",
    "attention/causal_h8_s2048_d128/bf16",
    "mla_decode/h16_s4096/bf16",
    "mla_decode/h128_s4096/bf16",
    "indexer/decode_b8_s32768/bf16",
    "topk/r64_n65536_k2048/f32",
    "sparse_mla/decode_h128/bf16",
    "moe_gate/v3_t4096/f32",
    "moe_permute/v2lite_t512/bf16",
    "grouped_gemm/e16_r2048/bf16",
    "grouped_gemm/e64_t8/bf16",
    "moe_combine/v2lite_t512/bf16",
)

# The share of the library's speed that a variant must reach.
LEAST = 0.90
# A share below it may be noise: it is measured again so many times, and the best counts.
AGAIN = 2


@dataclasses.dataclass(frozen=True)
class Result:
    """One variant of one case.

    Seconds are those of the processor. `share` is its speed over the original's: the median,
    over rounds, of the original's time over its own. `wrong` says what is not right about its
    result, empty where all is.
    """

    case: str
    kind: str
    original_s: float
    variant_s: float
    share: float
    other_cores: float
    wrong: str = ""

    @property
    def holds(self) -> bool:
        return not self.wrong and self.share >= LEAST


def compare(case: Case, kinds: Sequence[str], folder: Path) -> Iterator[Result]:
    """Checks variants of a case's kernel against the case's reference, and times them in
    turns with the original."""
    set_threads(1)
    inputs = case.make_inputs(case.generator())
    originals = _call(case, inputs)
    for kind in kinds:
        variant = Variant(case.kernel, kind, folder)
        wrong = check(case, variant, inputs)
        if wrong:
            yield Result(case.id, kind, 0.0, 0.0, 0.0, 0.0, wrong)
            continue
        call = _call(case, inputs)

        def changed(variant: Variant = variant, call: Callable[[], Any] = call) -> None:
            with variant.in_place():
                call()

        results = [_time(case, kind, originals, changed)]
        while not results[-1].holds and len(results) <= AGAIN:
            results.append(_time(case, kind, originals, changed))
        yield max(results, key=lambda result: result.share)


def check(case: Case, variant: Variant, inputs: Tensors) -> str:
    """What is wrong with a variant's results; empty where they are right."""
    try:
        with variant.in_place():
            verdict = judge(case, inputs, execute(case, "cpu", inputs), exact=False)
    except Exception as error:  # of the compiler: the other cases are measured all the same
        return f"{type(error).__name__}: {error}"
    return verdict.reason or ""


def _call(case: Case, inputs: Tensors) -> Callable[[], Any]:
    outputs = {name: guard(spec).view for name, spec in case.outputs(inputs).items()}
    return lambda: case.run("cpu", inputs, outputs)


def _time(
    case: Case, kind: str, original: Callable[[], Any], changed: Callable[[], Any]
) -> Result:
    contestants = {"original": [original], "variant": [changed]}
    looks = {name: quick_look(functions) for name, functions in contestants.items()}
    others = OtherProcesses()
    samples = interleaved_samples(contestants, looks, time.process_time)
    shares = [a / b for a, b in zip(samples["original"], samples["variant"], strict=True)]
    medians = (statistics.median(samples[name]) for name in contestants)
    return Result(case.id, kind, *medians, statistics.median(shares), others.cores())


def chosen(wanted: Sequence[str]) -> list[Case]:
    """The cases of CASES whose names begin with one of those wanted; all for none.

    Raises ValueError for a name that selects nothing.
    """
    cases = [case for case in registry.bench_cases() if case.id in CASES]
    return registry.select(cases, wanted)
