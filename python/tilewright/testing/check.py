# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Comparing results with what was expected, element by element, and testing the test."""

from __future__ import annotations

import dataclasses

import numpy as np

from tilewright.testing.case import Case, Expected, Spec, Tensors
from tilewright.testing.dtypes import is_float
from tilewright.testing.memory import is_poison


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`ratio` is the largest error over its bound; `reason` says what is wrong, or None.

    A result is right when `reason` is None, which implies `ratio` <= 1.
    """

    ratio: float
    reason: str | None = None


def _place(mask: np.ndarray) -> str:
    """The index of the first marked element, as a reader writes it."""
    index = np.unravel_index(int(np.argmax(mask)), mask.shape)
    return f"[{', '.join(map(str, index))}]"


def _rounded(value: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """`value` rounded once to `dtype`, back in float64 (integers stay integers)."""
    if not is_float(dtype):
        return value
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(value, np.float64).astype(dtype).astype(np.float64)


def compare(actual: np.ndarray, expected: Expected, dtype: np.dtype, exact: bool) -> Verdict:
    """`actual` (numbers of `dtype`, in any type that holds them) against `expected`.

    With `exact` (where the output can be), or where the bound is 0, an element must equal
    the expected value rounded once to `dtype`.
    """
    exact = exact and expected.exact_on_integers
    rounded = _rounded(expected.value, dtype)
    if not is_float(dtype) and not np.any(expected.bound):
        wrong = actual != rounded
        if wrong.any():
            at = _place(wrong)
            count = int(wrong.sum())
            return Verdict(np.inf, f"{count} of {wrong.size} integers differ, first at {at}")
        return Verdict(0.0)

    actual = np.asarray(actual, np.float64)
    finite = np.isfinite(rounded)
    all_finite = finite.all() and np.isfinite(actual).all()
    tests = (("NaN", np.isnan), ("+inf", np.isposinf), ("-inf", np.isneginf))
    for name, test in () if all_finite else tests:
        wrong = test(actual) != test(rounded)
        if wrong.any():
            at = _place(wrong)
            what = f"an unexpected {name}" if test(actual)[wrong][0] else f"no {name}"
            return Verdict(np.inf, f"{what} at {at} ({int(wrong.sum())} of {wrong.size})")
    bound = np.where(finite, 0.0 if exact else expected.bound, 0.0)
    useless = ~(bound >= 0) | np.isinf(bound)
    if useless.any():
        return Verdict(np.inf, f"the bound itself is not a number at {_place(useless)}")
    target = np.where(bound > 0, expected.value, rounded)
    error = np.abs(np.where(finite, actual, 0.0) - np.where(finite, target, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(error == 0, 0.0, error / bound)
    worst = float(ratio.max(initial=0.0))
    if worst <= 1.0:
        return Verdict(worst)
    at = _place(ratio == worst)
    index = int(np.argmax(ratio))
    got, wanted = actual.flat[index], np.asarray(target).flat[index]
    allowed = np.broadcast_to(bound, ratio.shape).flat[index]
    return Verdict(
        worst,
        f"{int((ratio > 1).sum())} of {ratio.size} elements beyond the bound, worst at {at}: "
        f"got {got:.9g}, expected {wanted:.9g}, allowed error {allowed:.3g}",
    )


def check_output(actual: np.ndarray, expected: Expected, spec: Spec, exact: bool) -> Verdict:
    """One output of a run, poisoned before it: comparison, and nothing left unwritten."""
    if actual.shape != expected.value.shape:
        raise ValueError(f"reference of shape {expected.value.shape}, output {actual.shape}")
    poisoned = is_poison(actual)
    if expected.untouched is not None:
        written = expected.untouched & ~poisoned
        if written.any():
            return Verdict(np.inf, f"wrote {_place(written)}, which must stay untouched")
        keep = ~expected.untouched
        bound = np.broadcast_to(expected.bound, keep.shape)[keep]
        rest = dataclasses.replace(expected, value=expected.value[keep], bound=bound)
        return compare(actual[keep], rest, spec.dtype, exact)
    # A one-byte NaN may be the poison's own pattern; wider ones cannot arise by arithmetic.
    if is_float(spec.dtype) and spec.dtype.itemsize > 1 and poisoned.any():
        count = int(poisoned.sum())
        return Verdict(
            np.inf, f"{count} of {actual.size} elements never written, first {_place(poisoned)}"
        )
    return compare(actual, expected, spec.dtype, exact)


def check_outputs(
    actual: Tensors,
    expected: dict[str, Expected],
    specs: dict[str, Spec],
    exact: bool,
) -> Verdict:
    """Every output of a run: the worst ratio, and the first thing that is wrong."""
    if not actual.keys() == expected.keys() == specs.keys():
        raise ValueError(f"outputs {set(actual)}, reference {set(expected)}, {set(specs)}")
    worst = 0.0
    for name, array in actual.items():
        verdict = check_output(array, expected[name], specs[name], exact)
        if verdict.reason:
            return Verdict(verdict.ratio, f"{name}: {verdict.reason}")
        worst = max(worst, verdict.ratio)
    return Verdict(worst)


def _accepts(value: np.ndarray, expected: Expected, spec: Spec, exact: bool) -> bool:
    return compare(value, expected, spec.dtype, exact).reason is None


def self_check(case: Case) -> str | None:
    """Proves that the case's check can fail; gives a sentence where it cannot, or None.

    On random data one element off by twice its bound must be refused. On integers a
    dropped term of the contraction and two swapped rows must be. No kernel runs.
    """
    inputs = case.make_inputs(case.generator())
    if case.check is None:
        specs = case.outputs(inputs)
        for name, expected in case.expect(inputs).items():
            reason = _check_notices_twice_the_bound(expected, specs[name])
            if reason:
                return f"{name}: {reason}"
    for number, make in enumerate(case.integers, 1):
        reason = _check_notices_on_integers(case, make(case.generator(number)))
        if reason:
            return reason
    return None


def _check_notices_on_integers(case: Case, inputs: Tensors) -> str | None:
    """A dropped term and two swapped rows must each be refused in at least one output."""
    specs = case.outputs(inputs)
    dropped = case.expect(case.drop_term(inputs)) if case.drop_term else {}
    noticed_drop = not dropped
    swaps: list[bool] = []
    for name, expected in case.expect(inputs).items():
        spec = specs[name]
        right = _rounded(expected.value, spec.dtype)
        if not _accepts(right, expected, spec, True):
            return f"{name}: the reference itself is refused on integers"
        if name in dropped:
            wrong = _rounded(dropped[name].value, spec.dtype)
            noticed_drop |= not _accepts(wrong, expected, spec, True)
        rows = right.reshape(-1, right.shape[-1]) if right.ndim > 1 and right.size else right
        if len(rows) > 1:
            swapped = rows.copy()
            other = _other_row(rows)
            swapped[[0, other]] = rows[[other, 0]]
            swaps.append(not _accepts(swapped.reshape(right.shape), expected, spec, True))
    if not noticed_drop:
        return "a dropped term of the contraction passes the check on integers"
    if swaps and not any(swaps):
        return "two swapped rows pass the check on integers"
    return None


def _other_row(rows: np.ndarray) -> int:
    """A row that differs from the first, or the last one."""
    differs = (rows != rows[0]).reshape(len(rows), -1).any(1)
    return int(np.argmax(differs)) if differs.any() else len(rows) - 1


def _check_notices_twice_the_bound(expected: Expected, spec: Spec) -> str | None:
    """One element off by twice its bound (by one, for integers) must be refused."""
    right = np.array(_rounded(expected.value, spec.dtype))
    finite = np.flatnonzero(np.isfinite(right))
    if not finite.size:
        return None
    at = finite[len(finite) // 2]
    bound = float(np.broadcast_to(expected.bound, right.shape).flat[at])
    off = 2 * bound if bound > 0 else 1.0 + abs(float(right.flat[at]))
    right.flat[at] = np.asarray(expected.value).flat[at] + off
    if _accepts(right, expected, spec, False):
        return f"an element off by {off:.3g}, twice its bound, passes the check"
    return None
