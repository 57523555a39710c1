# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The verify engine: library kernels on a device, against their naive references."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tilewright.testing.case import Case, Layout, Tensors
from tilewright.testing.check import Verdict, check_outputs, self_check
from tilewright.testing.memory import Guarded, guard, guard_copy

PASS, FAIL, UNSUPPORTED = "pass", "fail", "unsupported"


@dataclasses.dataclass(frozen=True)
class Result:
    """One case on one device. `seconds` is the time spent in the kernel's calls.

    `reason` says what failed or what the device lacks; None on a pass.
    """

    kernel: str
    case: str
    device: str
    status: str
    max_error_over_bound: float
    bound: str
    seconds: float
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The record as `tilewright verify --json` writes it."""
        record = dataclasses.asdict(self)
        if self.reason is None:
            del record["reason"]
        if not math.isfinite(self.max_error_over_bound):  # JSON has no infinity
            record["max_error_over_bound"] = None
        return record


@dataclasses.dataclass
class Execution:
    """One guarded run of a case: what came out, and what was touched that must not be."""

    outputs: Tensors
    seconds: float
    stray: str | None


def execute(case: Case, device: str, inputs: Tensors) -> Execution:
    """Runs a case once on `device` with every tensor guarded and outputs poisoned."""
    layout = case.layouts
    given = {n: guard_copy(a, layout.get(n, Layout())) for n, a in inputs.items()}
    made = {n: guard(s, layout.get(n, Layout())) for n, s in case.outputs(inputs).items()}
    start = time.perf_counter()
    case.run(device, _views(given), _views(made))
    seconds = time.perf_counter() - start
    stray = None
    for tensors, output in ((given, False), (made, True)):
        for name, guarded in tensors.items():
            touched = guarded.stray_writes(output=output)
            stray = stray or (f"{name}: {touched}" if touched else None)
    return Execution({n: g.view.copy() for n, g in made.items()}, seconds, stray)


def _views(tensors: dict[str, Guarded]) -> Tensors:
    return {name: guarded.view for name, guarded in tensors.items()}


def judge(case: Case, inputs: Tensors, execution: Execution, exact: bool) -> Verdict:
    """The verdict on one execution."""
    if execution.stray:
        return Verdict(float("inf"), execution.stray)
    if case.check is not None:
        wrong = case.check(inputs, execution.outputs)
        return Verdict(float("inf") if wrong else 0.0, wrong)
    return check_outputs(execution.outputs, case.expect(inputs), case.outputs(inputs), exact)


def verify_case(case: Case, device: str) -> Result:
    """One case on one device: random data, then integers, after the check's own test."""
    seconds = 0.0
    ratio = 0.0

    def result(status: str, reason: str | None = None) -> Result:
        name = f"{case.name}/{case.dtype}"
        return Result(
            case.kernel, name, device, status, ratio, case.bound, round(seconds, 6), reason
        )

    blind = self_check(case)
    if blind:
        return result(FAIL, f"the check itself is blind: {blind}")
    runs = [(case.make_inputs(case.generator()), False)]
    runs += [(make(case.generator(1 + i)), True) for i, make in enumerate(case.integers)]
    for inputs, exact in runs:
        try:
            execution = execute(case, device, inputs)
        except Exception as error:  # a kernel that raises is a result, not our end
            lacking = getattr(error, "requires", None)
            if lacking:
                return result(UNSUPPORTED, str(lacking))
            return result(FAIL, f"{type(error).__name__}: {error}")
        seconds += execution.seconds
        verdict = judge(case, inputs, execution, exact)
        ratio = max(ratio, verdict.ratio)
        if verdict.reason:
            return result(FAIL, f"{'integers: ' if exact else ''}{verdict.reason}")
    return result(PASS)


def verify(
    cases: Sequence[Case],
    devices: Iterable[str] = ("cpu",),
    on_result: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Every case on every device, in order; `on_result` is called as each is done."""
    results = []
    for device in devices:
        for case in cases:
            results.append(verify_case(case, device))
            if on_result:
                on_result(results[-1])
    return results


def report(results: Iterable[Result]) -> dict[str, Any]:
    """What `tilewright verify --json` writes."""
    return {"results": [result.as_json() for result in results]}
