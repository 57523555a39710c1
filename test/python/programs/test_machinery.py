"""The machinery of drawn programs: that it notices, reduces and survives.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import json
import random
import sys

import ml_dtypes
import numpy as np
import pytest

from tilewright.testing.dtypes import numpy_dtype
from tilewright.testing.programs import Choices, Worker, drawn, examine, from_json, to_json
from tilewright.testing.programs.choices import reduce
from tilewright.testing.programs.combiners import Combiner
from tilewright.testing.programs.control import Assign
from tilewright.testing.programs.elementwise import Parallel, Store
from tilewright.testing.programs.execute import difference
from tilewright.testing.programs.expressions import (
    Binary,
    Cast,
    Element,
    Literal,
    Name,
    Unary,
)
from tilewright.testing.programs.macros import MacroCall
from tilewright.testing.programs.memory import Bits, Invalid, Memory
from tilewright.testing.programs.movement import Alloc, Copy
from tilewright.testing.programs.nodes import walk
from tilewright.testing.programs.numbers import (
    ALL,
    NARROW,
    PAIR,
    SCALE,
    cast,
    exact,
    long_name,
    nearest,
)
from tilewright.testing.programs.program import Kernel, Program, Tensor
from tilewright.testing.programs.regions import Region
from tilewright.testing.programs.sums import product, total


def some_programs(count: int) -> list[Program]:
    return [drawn(Choices(random.Random(f"machinery {i}"))) for i in range(count)]


def store_all(expression: object, role: str = "output") -> Program:
    """A kernel of two blocks that stores an expression of A, b and i into eight elements."""
    index = Binary("+", Binary("*", Name("b"), Literal(4)), Name("i"))
    body = (Parallel(("i",), (4,), (Store("C", (index,), expression),)),)
    tensors = (
        Tensor("A", "f32", (8,), (None,), "input", "normal"),
        Tensor("C", "f32", (8,), (None,), role, "small"),
    )
    return Program(tensors, (), (Kernel((Literal(2),), ("b",), body),), 1)


def element(*indices: object) -> Element:
    return Element("A", indices)


def test_json_holds_every_program():
    for program in some_programs(40):
        assert from_json(json.loads(json.dumps(to_json(program)))) == program


STATEMENTS = {
    "Alloc", "AtomicTile", "Assign", "Atomic", "Cast", "Ceildiv", "Choose", "Copy", "CumSum",
    "Fill", "For", "Gather", "Gemm", "If", "Leave", "Let", "Logic", "MacroCall", "MacroValue",
    "Parallel", "Reduce", "ReduceBy", "ScanBy", "Scatter", "Sort", "Store", "Ternary", "TopK",
    "Unary", "Var", "View", "While",
}  # fmt: skip
# What stands in the text of some programs: pieces of calls, forms of declarations.
FORMS = (
    "@tilewright.jit", "@T.prim_func", 'T.const("', 'T.dynamic("', "T.empty(",
    "T.alloc_global(", "T.StridedTensor(", "@T.macro", ": T.Ref", "T.reshape(",
    "T.view(", "T.sort(", "T.topk(", "descending=True", "T.cumsum(", "T.cummax(",
    "exclusive=True", "reverse=True", "T.reduce(",
    "T.scan(", "lambda x, y:", "combiner=T.max", "combiner=combine", "identity=", "T.scatter(",
    "atomic=True", "T.gather(", "return_prev=True", "num_stages=", "transpose_A=True",
    "clear_accum=", "clear=False", "break", "continue",
)  # fmt: skip


def test_programs_hold_every_feature_and_few_are_alike():
    programs = some_programs(400)
    kinds = {type(n).__name__ for p in programs for n in walk(p)}
    assert not STATEMENTS - kinds
    texts = [p.text() for p in programs]
    assert len(set(texts)) == len(texts)
    everything = "".join(texts)
    assert not [form for form in FORMS if form not in everything]
    assert not [d for d in ALL if f'"{long_name(d)}")' not in everything]
    combiners = {n.body for p in programs for n in walk(p) if isinstance(n, Combiner)}
    assert len(combiners) >= 12
    assert {n.form for p in programs for n in walk(p) if isinstance(n, Combiner)} == {
        "lambda", "macro", "function", "operation",
    }  # fmt: skip


def test_no_drawn_divisor_can_be_folded_to_zero():
    """A divisor that is no element of memory has a bit, or a magnitude, that is not zero."""
    found = [
        n.b
        for p in some_programs(400)
        for n in walk(p)
        if isinstance(n, Binary) and n.op in ("/", "//", "%")
    ]
    assert len(found) > 100
    for divisor in found:
        divisor = divisor.a if isinstance(divisor, Cast) else divisor
        if isinstance(divisor, Literal):
            assert divisor.number
        elif not isinstance(divisor, Element):
            assert isinstance(divisor, Binary)
            assert divisor.op in ("|", "max")
            assert divisor.b in (Literal(1), Literal(True), Literal(0.5))


@pytest.mark.parametrize("eager", ["dynamic", "const"])
def test_an_eager_program_is_right_or_noticed(eager):
    """Its output is what the call returns; the arrays that it is given are guarded as ever."""
    program = store_all(Binary("*", element(Name("i")), Literal(2.0)))
    program = dataclasses.replace(program, eager=eager)
    assert "return C" in program.text()
    assert examine(program).status == "pass"
    wrong = store_all(Off("-", element(Name("i")), Name("b")))
    verdict = examine(dataclasses.replace(wrong, eager=eager))
    assert "4 of 8 elements differ, the first at [4]" in verdict.reason


def test_a_view_of_bits_knows_what_its_memory_knows():
    """Bytes written through one name are read through the other; lost ones stay lost."""
    base = Memory("x", "f32", (2, 3), False)
    base.give(exact("f32", np.arange(1.0, 7.0).reshape(2, 3)))
    base.error[1, 2] = 0.5
    halves = Bits("y", "u16", (6, 2), base)
    every = [np.arange(6)[:, None], np.arange(2)[None, :]]
    numbers = halves.load(every, np.ones((6, 2), bool))
    stored = np.arange(1, 7, dtype=np.float32).view(np.uint16).reshape(6, 2)
    assert np.array_equal(numbers.value[:5], stored[:5])
    assert np.isinf(numbers.error).tolist() == [[False] * 2] * 5 + [[True] * 2]
    one = [np.array([0]), np.array([1])]
    halves.store(one, exact("u16", [0x4040]), np.ones(1, bool))  # the high half of 1.0
    assert base.value[0, 0] == 3.0
    halves.store([np.array([5]), np.array([0])], exact("u16", [0]), np.ones(1, bool))
    assert np.isinf(base.error[1, 2])  # its other half is not known


def test_a_macro_has_parameters_of_its_own():
    """The names of its body become parameters; variables that it assigns are references."""
    step = Assign("x1", Binary("+", Name("x1"), element(Name("k2"))))
    call = MacroCall("macro3", ("x1", "A", "k2"), ("x1",), (step,), 2)
    assert call.definition() == [
        "@T.macro",
        "def macro3(x1_: T.Ref, A_, k2_):",
        "    x1_ = (x1_ + A[k2_])",
    ]
    assert call.lines() == ["macro3(x1, A, k2)"] * 2


def test_a_right_program_passes():
    program = store_all(Binary("*", element(Name("i")), Literal(2.0)))
    assert examine(program).status == "pass"


class Off(Binary):
    """A subtraction that is written as an addition."""

    def text(self):
        return super().text().replace("-", "+")


def test_a_wrong_element_is_noticed():
    wrong = Off("-", element(Name("i")), Name("b"))  # right in the first block, b being 0
    verdict = examine(store_all(wrong))
    assert verdict.status == "wrong"
    assert "4 of 8 elements differ, the first at [4]" in verdict.reason


def test_an_element_outside_its_bound_is_noticed():
    """The maximum of a NaN that is exact and a function's value is NaN, bound or not."""
    program = store_all(Unary("exp", element(Name("i"))))
    memory = program.expected().memories["C"]
    assert (memory.error > 0).all()
    for factor, right in ((0.0, True), (0.9, True), (1.1, False)):
        found = (memory.value + factor * memory.error).astype(np.float32)
        [tensor] = [t for t in program.tensors if t.name == "C"]
        assert (difference(found, memory, tensor) is None) == right
    memory.value[3] = np.nan
    right = memory.value.astype(np.float32)
    assert difference(right, memory, tensor) is None
    right[3] = 1
    assert "1 of 8 elements differ, the first at [3]" in difference(right, memory, tensor)


def test_reading_what_nothing_wrote_is_invalid():
    tile = Region("t", (Literal(0),), (4,), (True,), "whole")
    out = Region("C", (Literal(0),), (4,), (True,))
    body = (Alloc("t", "f32", (4,), "shared"), Copy(tile, out))
    tensor = Tensor("C", "f32", (4,), (None,), "output", "small")
    program = Program((tensor,), (), (Kernel((Literal(1),), ("b",), body),), 1)
    with pytest.raises(Invalid, match="read before it is written"):
        program.expected()


def test_blocks_that_race_are_invalid():
    body = (Parallel(("i",), (4,), (Store("C", (Name("i"),), Literal(1.0)),)),)
    tensor = Tensor("C", "f32", (4,), (None,), "output", "small")
    program = Program((tensor,), (), (Kernel((Literal(2),), ("b",), body),), 1)
    with pytest.raises(Invalid, match="two write one element"):
        program.expected()


def test_reducing_finds_the_smallest_sequence():
    asked = []

    def fails(sequence):
        asked.append(sequence)
        return sum(x >= 5 for x in sequence) >= 2

    rng = random.Random(3)
    start = [rng.randint(0, 9) for _ in range(100)]
    assert reduce(start, fails, 2000) == (5, 5)
    assert len(set(asked)) == len(asked)
    assert len(reduce(start, fails, 3)) < len(start)


class Broken(Worker):
    """A worker whose process runs other code."""

    code = ""

    def command(self):
        return [sys.executable, "-c", self.code]


def test_a_worker_that_crashes_or_hangs_is_a_verdict():
    [program] = some_programs(1)
    with Broken() as worker:
        worker.code = (
            "import os, sys; print('last words', file=sys.stderr, flush=True); os.abort()"
        )
        verdict = worker.examine(program)
        assert verdict.status == "crash"
        assert "last words" in verdict.reason
        worker.code = "import time; time.sleep(100)"
        worker.seconds = 0.5
        assert worker.examine(program).status == "hang"
        worker.code = 'print(\'{"status": "pass"}\')'
        worker.seconds = 60
        assert worker.examine(program).status == "pass"


@pytest.mark.parametrize("dtype", [*(d for d in NARROW if d not in (PAIR, SCALE)), "f32"])
def test_rounding_is_that_of_numpy(dtype):
    """Every value of f16 and f32 values around it, against NumPy and ml_dtypes."""
    values = _many_values()
    with np.errstate(all="ignore"):
        expected = values.astype(numpy_dtype(dtype)).astype(np.float64)
        if dtype.startswith("f8"):
            most = float(ml_dtypes.finfo(numpy_dtype(dtype)).max)
            finite = np.clip(values, -most, most).astype(numpy_dtype(dtype))
            expected = np.where(np.isnan(values), np.nan, finite.astype(np.float64))
        found = nearest(values.astype(np.float64), dtype)
    assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("dtype", [PAIR, SCALE])
def test_rounding_to_types_that_lack_numbers(dtype):
    """The nearest of all numbers of the type, by their distances."""
    values = _many_values().astype(np.float64)
    codes = np.arange(16 if dtype == PAIR else 255, dtype=np.uint8)
    numbers = np.unique(codes.view(numpy_dtype(dtype)).astype(np.float64))
    clipped = np.clip(np.where(np.isnan(values), 1.0, values), numbers[0], numbers[-1])
    above = np.clip(np.searchsorted(numbers, clipped), 1, len(numbers) - 1)
    low, high = numbers[above - 1], numbers[above]
    even_above = np.ones(above.shape, bool)  # e8m0: the larger of two as near
    if dtype == PAIR:  # 0, 1, 2 and 4 end in a zero, of the halves of f4
        even_above = np.isin(np.abs(high), (0, 1, 2, 4))
    up = (high - clipped < clipped - low) | ((high - clipped == clipped - low) & even_above)
    expected = np.where(up, high, low)
    if dtype == SCALE:
        expected = np.where(values > 0, expected, np.nan)
    else:
        expected = np.where(np.isnan(values), 6.0, expected)
    assert np.array_equal(nearest(values, dtype), expected, equal_nan=True)


def _many_values() -> np.ndarray:
    """Every value of f16, f32 values around them, and far larger ones."""
    f16 = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
    with np.errstate(all="ignore"):
        near = np.nextafter(f16, np.float32(np.inf))
        values = np.concatenate([f16, near, f16 * np.float32(2**100)])
        return np.where(np.isnan(values), np.float32(np.nan), values)  # none that signals


def test_integers_round_once():
    odd = np.array([2**53 + 1, 2**62 + 2**38 + 1, -(2**62) - 2**38 - 1, 2**63 - 1], np.int64)
    assert cast(exact("i64", odd), "f32").value.tolist() == [
        float(np.float32(2**53)), 2.0**62 + 2.0**39, -(2.0**62) - 2.0**39, 2.0**63,
    ]  # fmt: skip
    assert cast(exact("i64", odd), "f64").value.tolist() == [float(x) for x in odd.tolist()]


def test_sums_are_exact_where_every_order_is():
    whole = exact("f32", np.arange(100.0))
    assert total(whole, 0).error == 0
    assert total(whole, 0).value == 4950
    fine = total(exact("f32", np.array([1.0, 2.0**-30])), 0)
    assert 0 < fine.error < 1e-6  # 1 or 1 + 2^-30, rounded
    a = exact("f16", np.full((2, 3), 3.0))
    assert (product(a, exact("f16", np.full((3, 2), 5.0)), None, "f32").error == 0).all()
