# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The checking machinery itself: what it accepts, and above all what it refuses."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from tilewright.testing import (
    DOT_BOUND,
    Case,
    Expected,
    Layout,
    Spec,
    dot_bound,
    exact_operands,
    numpy_dtype,
)
from tilewright.testing.check import compare, self_check
from tilewright.testing.memory import GUARD_BYTES, guard, guard_copy, is_poison
from tilewright.testing.verify import FAIL, PASS, UNSUPPORTED, report, verify, verify_case

M, N, K = 9, 7, 33
F32 = np.dtype(np.float32)


def product(device, inputs, outputs):
    """A right kernel: f32 products, summed in an order of NumPy's own."""
    a, b = (inputs[x].astype(np.float32) for x in "ab")
    outputs["c"][...] = a @ b


def toy(run=product, dtype="f32", **changes) -> Case:
    """A small product whose kernel is a NumPy function."""

    def make_inputs(rng):
        return {
            "a": rng.standard_normal((M, K)).astype(numpy_dtype(dtype)),
            "b": rng.standard_normal((K, N)).astype(numpy_dtype(dtype)),
        }

    def expect(inputs):
        a, b = (inputs[x].astype(np.float64) for x in "ab")
        return {"c": Expected(a @ b, dot_bound(a, b, a @ b, dtype))}

    def integers(rng):
        return dict(zip("ab", exact_operands(rng, (M, K), (K, N), K, dtype), strict=True))

    def drop_term(inputs):
        a = inputs["a"].copy()
        a[:, -1] = 0
        return {**inputs, "a": a}

    case = Case(
        kernel="toy",
        name="small",
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {"c": Spec((M, N), numpy_dtype(dtype))},
        expect=expect,
        run=run,
        bound=DOT_BOUND,
        flops=2 * M * N * K,
        bytes=4 * (M * K + K * N + M * N),
        macs=M * N * K,
        integers=(integers,),
        drop_term=drop_term,
    )
    return dataclasses.replace(case, **changes)


@pytest.mark.parametrize("dtype", ["f32", "bf16", "f16"])
@pytest.mark.parametrize("layout", [Layout(), Layout(skew=3), Layout(row_padding=5)])
def test_right_kernel_passes(dtype, layout):
    layouts = dict.fromkeys(("a", "b", "c"), layout)
    result = verify_case(toy(dtype=dtype, layouts=layouts), "cpu")
    assert result.status == PASS, result.reason
    assert 0 < result.max_error_over_bound <= 1


def low_precision(device, inputs, outputs):
    """bf16 operands where f32 was asked for: within no bound, and not exact."""
    a, b = (inputs[x].astype(numpy_dtype("bf16")).astype(np.float32) for x in "ab")
    outputs["c"][...] = a @ b


def unwritten_element(device, inputs, outputs):
    kept = outputs["c"][2, 3].copy()
    product(device, inputs, outputs)
    outputs["c"][2, 3] = kept


def dropped_term(device, inputs, outputs):
    outputs["c"][...] = inputs["a"][:, :-1] @ inputs["b"][:-1]


def swapped_rows(device, inputs, outputs):
    product(device, inputs, outputs)
    outputs["c"][[0, 1]] = outputs["c"][[1, 0]]


def spoiled_input(device, inputs, outputs):
    product(device, inputs, outputs)
    inputs["a"][0, 0] += 1


def past_the_end(device, inputs, outputs):
    product(device, inputs, outputs)
    c = outputs["c"]
    np.ndarray(1, c.dtype, c.base, c.ctypes.data - c.base.ctypes.data + c.nbytes)[0] = 1


def before_the_start(device, inputs, outputs):
    product(device, inputs, outputs)
    a = inputs["a"]
    np.ndarray(1, a.dtype, a.base, a.ctypes.data - a.base.ctypes.data - 4)[0] = 0


def read_past_the_end(device, inputs, outputs):
    """A tile that reads one row too many of B, with a zero for its weight."""
    b = inputs["b"]
    start = b.ctypes.data - b.base.ctypes.data
    longer = np.ndarray((K + 1, N), b.dtype, b.base, start)
    wider = np.concatenate([inputs["a"], np.zeros((M, 1), np.float32)], 1)
    outputs["c"][...] = wider @ longer


@pytest.mark.parametrize(
    ("kernel", "reason"),
    [
        (low_precision, "beyond the bound"),
        (unwritten_element, r"1 of 63 elements never written, first \[2, 3\]"),
        (dropped_term, "beyond the bound"),
        (swapped_rows, "beyond the bound"),
        (spoiled_input, "a: an input element was overwritten, 0 bytes after"),
        (past_the_end, "c: memory around .* first 252 bytes after its start"),
        (before_the_start, "a: memory around .* first 4 bytes before its start"),
        (read_past_the_end, "unexpected NaN"),
    ],
)
def test_wrong_kernel_fails(kernel, reason):
    result = verify_case(toy(kernel), "cpu")
    assert result.status == FAIL
    assert re.search(reason, result.reason), result.reason


def test_integers_catch_what_a_bound_hides():
    """A bound wide enough for bf16 lets a bf16 product pass on random data only."""

    def expect(inputs):
        a, b = (inputs[x].astype(np.float64) for x in "ab")
        return {"c": Expected(a @ b, 2**-6 * (np.abs(a) @ np.abs(b)))}

    wide = toy(low_precision, expect=expect)
    result = verify_case(wide, "cpu")
    assert result.status == FAIL
    assert result.reason.startswith("integers:")
    assert verify_case(dataclasses.replace(wide, integers=()), "cpu").status == PASS


def test_blind_checks_are_refused():
    infinite = toy(expect=lambda i: {"c": Expected(i["a"] @ i["b"], np.inf)})
    assert "passes the check" not in (verify_case(infinite, "cpu").reason or "")
    assert verify_case(infinite, "cpu").status == FAIL
    nothing_dropped = toy(drop_term=lambda inputs: inputs)
    assert "dropped term" in self_check(nothing_dropped)
    constant = toy(
        integers=(lambda rng: {"a": np.ones((M, K), F32), "b": np.ones((K, N), F32)},)
    )
    assert "swapped rows" in self_check(constant)
    assert "blind" in verify_case(constant, "cpu").reason


def test_non_finite_values_must_stand_where_they_are_expected():
    expected = Expected(np.array([1.0, np.inf, -np.inf, np.nan]), 0.5)
    assert compare(np.array([1.25, np.inf, -np.inf, np.nan]), expected, F32, False).ratio == 0.5
    for wrong in ([np.nan, np.inf, -np.inf, np.nan], [1, -np.inf, np.inf, np.nan],
                  [1, 2, -np.inf, np.nan], [1, np.inf, -np.inf, 4]):  # fmt: skip
        assert compare(np.array(wrong, float), expected, F32, False).reason
    # A value that rounds to infinity in the output's dtype is expected as infinity.
    overflow = Expected(np.array([1e39]), 1e30)
    assert compare(np.array([np.inf]), overflow, F32, False).reason is None


def test_bound_of_zero_means_rounded_once():
    third = Expected(np.array([1 / 3]))
    nearest = np.array([1 / 3], np.float32)
    assert compare(nearest, third, F32, False).reason is None
    assert compare(np.nextafter(nearest, 1), third, F32, False).reason


def test_outputs_that_are_never_exact_keep_their_bound():
    value = np.log(np.arange(1.0, 9.0))
    logarithm = Expected(value, 1e-6, exact_on_integers=False)
    near = value + 1e-7
    assert compare(near, logarithm, F32, True).reason is None
    assert compare(near, Expected(value, 1e-6), F32, True).reason


def test_untouched_elements():
    last_rows = np.repeat(np.arange(M)[:, None] >= 6, N, 1)
    expected = Expected(np.zeros((M, N)), untouched=last_rows)

    def partial(device, inputs, outputs):
        outputs["c"][:6] = 0

    def everything(device, inputs, outputs):
        outputs["c"][...] = 0

    quiet = {"expect": lambda inputs: {"c": expected}, "integers": ()}
    assert verify_case(toy(partial, **quiet), "cpu").status == PASS
    assert "must stay untouched" in verify_case(toy(everything, **quiet), "cpu").reason


def test_own_check_replaces_the_comparison():
    def check(inputs, outputs):
        return None if outputs["c"].sum() == 0 else "the sum is not 0"

    def zero(device, inputs, outputs):
        outputs["c"][...] = 0

    assert verify_case(toy(zero, check=check, integers=()), "cpu").status == PASS
    assert verify_case(toy(check=check, integers=()), "cpu").reason == "the sum is not 0"


def test_failures_and_missing_features_are_results():
    class Lacking(Exception):
        requires = "warpgroup matrix products (sm_90a)"

    def raises(error):
        def run(device, inputs, outputs):
            raise error

        return run

    failed = verify_case(toy(raises(ValueError("bad tile"))), "cpu")
    assert (failed.status, failed.reason) == (FAIL, "ValueError: bad tile")
    lacking = verify_case(toy(raises(Lacking())), "cpu")
    assert (lacking.status, lacking.reason) == (UNSUPPORTED, Lacking.requires)


def test_report_has_the_documented_fields():
    seen = []
    results = verify([toy(), toy(unwritten_element)], ["cpu", "mock"], seen.append)
    assert seen == results
    records = report(results)["results"]
    assert [r["device"] for r in records] == ["cpu", "cpu", "mock", "mock"]
    fields = {"kernel", "case", "device", "status", "max_error_over_bound", "bound", "seconds"}
    assert records[0].keys() == fields
    assert records[1].keys() == fields | {"reason"}
    assert records[1]["max_error_over_bound"] is None  # JSON has no infinity


@pytest.mark.parametrize("name", ["f32", "bf16", "f16", "f64", "f8e5m2", "i8", "i32", "bool"])
@pytest.mark.parametrize("shape", [(), (0, 4), (5,), (3, 4, 5)])
def test_guarded_tensors(name, shape):
    guarded = guard(Spec(shape, numpy_dtype(name)), Layout(skew=1, row_padding=2))
    assert guarded.view.shape == shape
    assert guarded.view.dtype == numpy_dtype(name)
    assert is_poison(guarded.view).all()
    assert guarded.buffer.nbytes > guarded.view.nbytes + 2 * GUARD_BYTES
    assert guarded.stray_writes(output=True) is None
    copied = guard_copy(np.zeros(shape, numpy_dtype(name)), Layout(row_padding=2))
    assert copied.stray_writes(output=False) is None
    assert not copied.view.any()
    if guarded.view.size:
        guarded.view[...] = 1
        assert guarded.stray_writes(output=True) is None
        copied.view[...] = 1
        assert "input element" in copied.stray_writes(output=False)


def test_a_write_between_padded_rows_is_seen():
    guarded = guard(Spec((4, 6), F32), Layout(row_padding=3))
    start = guarded.view.ctypes.data - guarded.buffer.ctypes.data
    guarded.buffer[start + 6 * 4] = 0
    assert "24 bytes after its start" in guarded.stray_writes(output=True)


def test_generators_are_the_same_everywhere():
    case = toy()
    assert case.generator().integers(1 << 30) == case.generator().integers(1 << 30)
    assert case.generator(1).integers(1 << 30) != case.generator().integers(1 << 30)


@pytest.mark.parametrize("dtype", ["f32", "bf16", "f16"])
@pytest.mark.parametrize("terms", [1, 100, 4099])
def test_integer_operands_are_exact(dtype, terms):
    rng = np.random.default_rng(3)
    a, b = exact_operands(rng, (8, terms), (terms, 8), terms, dtype)
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    assert (np.abs(a64) @ np.abs(b64)).max() <= 2**24
    assert np.all(a64 % 2 == 1)
    assert set(np.unique(b64)) <= {-1, 0, 1}
    if dtype == "f32":
        assert np.abs(a64).max() > 2**8 or terms == 1  # more than bf16 holds
