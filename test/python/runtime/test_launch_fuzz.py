"""Drawn signatures and drawn arrays: a launch hands the kernel what was passed, or its message
names an argument that does not fit, and the rule.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import ctypes
import itertools
import mmap
import re
import struct
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from tilewright import runtime

from . import artifacts
from .artifacts import DTYPES, Scalar, Symbol, Tensor
from .launch_oracle import Given, judge

torch = pytest.importorskip("torch")

NAMES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2",
    "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e4m3b11fnuz", "float8_e8m0fnu",
]  # fmt: skip
NUMPY = {d: np.dtype(getattr(ml_dtypes, n, None) or n) for d, n in zip(DTYPES, NAMES)}
# PyTorch has no e4m3b11fnuz.
TORCH = {d: getattr(torch, n) for d, n in zip(DTYPES, NAMES) if hasattr(torch, n)}
WORDS = 1024
MARK = 0x5A17C0DE5A17C0DE

# A page-aligned arena, in which arrays lie where the test wants them.
ARENA = mmap.mmap(-1, 1 << 16)
BASE = ctypes.addressof(ctypes.c_char.from_buffer(ARENA))
DUMP = Scalar("dump", "u64")
# The signature is written over this array, which the compiler must not look into.
PATCHED = f"""
#include <string.h>
extern int64_t patched[{WORDS}];
__attribute__((visibility("default"))) int64_t patched[{WORDS}] = {{{MARK}ll}};
---
  memcpy((void *)words[0], words, patched[6] * 8);
"""


@pytest.fixture(scope="module")
def kernel_of(tmp_path_factory):
    """`kernel_of(params, symbols)`: a kernel that copies its words to the address `dump`. It
    is compiled once: signatures are written into the file."""
    folder = tmp_path_factory.mktemp("fuzz")
    source = artifacts.source("k", [DUMP], [], PATCHED, "cpu")
    source = source.replace('"k", table', '"k", patched')
    template = artifacts.compile_source(source, folder / "template.so").read_bytes()
    start = template.index(struct.pack("<Q", MARK))
    numbers = itertools.count()

    def make(params: list, symbols: list[Symbol]):
        words = artifacts.signature([DUMP, *params], symbols)
        assert len(words) <= WORDS
        path: Path = folder / f"{next(numbers)}.so"
        table = struct.pack(f"<{len(words)}q", *words)
        path.write_bytes(template[:start] + table + template[start + len(table) :])
        kernel = runtime.load(path)
        path.unlink()
        return kernel

    return make


# ---- what is drawn -------------------------------------------------------------------------

SIZES = ["m", "n", "k"]
RULES = [None, None, ["any"] * 3, ["any", "any", "contiguous"], [8, "any", 1]]


@st.composite
def signatures(draw) -> tuple[list, list[Symbol]]:
    """One to three tensors, perhaps a scalar."""
    symbols = [
        Symbol(name, draw(st.sampled_from([0, 0, 0, 2])), draw(st.sampled_from([-1, -1, 3])),
               draw(st.sampled_from([1, 1, 1, 2])))
        for name in SIZES
    ]  # fmt: skip
    params: list = []
    dtype = draw(st.sampled_from(DTYPES))
    for i in range(draw(st.integers(1, 3))):
        dims = draw(st.lists(st.sampled_from([*SIZES, *SIZES, 0, 1, 2, 3]), max_size=3))
        rules = draw(
            st.sampled_from(
                [None, None, ["any"] * 3, ["any", "any", "contiguous"], [8, "any", 1]]
            )
        )
        params.append(
            Tensor(
                "ABC"[i],
                draw(st.sampled_from([dtype, dtype, *DTYPES])),
                dims,
                draw(st.sampled_from(["r", "r", "w", "rw"])),
                rules and rules[3 - len(dims) :],
                draw(st.sampled_from([1, 1, 2, 16, 64])),
            )
        )
    if draw(st.booleans()):
        params.insert(draw(st.integers(0, len(params))), Scalar("x", "i32"))
    return params, symbols


def _contiguous(shape: list[int]) -> list[int]:
    strides = [1] * len(shape)
    for d in reversed(range(len(shape) - 1)):
        strides[d] = strides[d + 1] * max(shape[d + 1], 1)
    return strides


@st.composite
def arrays(draw, params: list) -> list[Given | int]:
    """Arguments that fit in most ways: each departs in none or a few."""
    values = {name: draw(st.sampled_from([2, 2, 2, 0, 1, 3, 4])) for name in SIZES}
    departs = st.sampled_from([False] * 7 + [True])
    made: list = []
    free = 1 << 12
    for param in params:
        if isinstance(param, Scalar):
            made.append(draw(st.integers(0, 2**31 - 1)))
            continue
        dtype = draw(st.sampled_from(DTYPES)) if draw(departs) else param.dtype
        item = NUMPY[dtype].itemsize
        shape = [values[d] if isinstance(d, str) else d for d in param.dims]
        if draw(departs):
            shape = draw(st.lists(st.integers(0, 4), max_size=4))
        elif shape and draw(departs):
            shape[draw(st.integers(0, len(shape) - 1))] += draw(st.sampled_from([1, -1]))
            shape = [max(size, 0) for size in shape]
        strides = _contiguous(shape)
        rules = param.strides or []
        for d, rule in enumerate(rules[: len(shape)]):
            if rule != "contiguous" and not draw(departs):
                free_stride = st.sampled_from([strides[d], -strides[d], 0, 8, strides[d] + 1])
                strides[d] = draw(free_stride) if rule == "any" else rule
        if strides and draw(departs):
            strides[draw(st.integers(0, len(strides) - 1))] = draw(st.integers(-9, 9))
        address = free
        if draw(departs):
            address += draw(st.integers(1, 15))
        others = [g for g in made if isinstance(g, Given)]
        if others and draw(st.sampled_from([False, False, True])):
            address = draw(st.sampled_from(others)).address - BASE + draw(st.integers(-24, 24))
        made.append(Given(dtype, item, shape, strides, BASE + address, not draw(departs)))
        free += 1 << 12
    return made


def _numpy(given: Given) -> np.ndarray:
    made = np.ndarray(
        given.shape,
        NUMPY[given.dtype],
        ARENA,
        given.address - BASE,
        [stride * given.item for stride in given.strides],
    )
    made.flags.writeable = given.writable
    return made


def _torch(given: Given) -> torch.Tensor | None:
    """None where PyTorch has no such tensor."""
    if given.dtype not in TORCH or given.address % given.item or not given.writable:
        return None
    if min(given.strides, default=0) < 0:
        return None
    whole = torch.frombuffer(ARENA, dtype=torch.uint8).view(TORCH[given.dtype])
    return whole.as_strided(given.shape, given.strides, (given.address - BASE) // given.item)


class _DLPack:
    """A tensor of a library that has `__dlpack__` and nothing else."""

    def __init__(self, inner: np.ndarray | torch.Tensor) -> None:
        self.__dlpack__ = inner.__dlpack__


# ---- the property --------------------------------------------------------------------------


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_launch_is_right_or_names_the_argument(kernel_of, data):
    params, symbols = data.draw(signatures())
    given = data.draw(arrays(params))
    kinds = data.draw(st.lists(st.sampled_from("nntd"), min_size=len(params)))
    verdict = judge(params, symbols, given)
    passed = [_as_kind(kind, g) for kind, g in zip(kinds, given)]
    _launch(kernel_of(params, symbols), passed, verdict)


def _as_kind(kind: str, given: Given | int) -> object:
    if isinstance(given, int):
        return given
    tensor = _torch(given) if kind in "td" else None
    if tensor is None:
        return _numpy(given)
    return _DLPack(tensor) if kind == "d" else tensor


def _launch(kernel, passed: list, verdict) -> None:
    dump = np.zeros(64, np.uint64)
    message = ""
    try:
        kernel(dump.ctypes.data, *passed)
    except runtime.LaunchError as error:
        message = str(error)
    event(re.sub(r"-?\d+|'\w+'|shape .*|dtype .*|; .*", "_", message) or "launched")
    if message:
        patterns = verdict.faults or verdict.maybe
        assert any(re.match(f"k: {pattern}", message) for pattern in patterns), verdict
        return
    assert not verdict.faults
    words = dump.tolist()
    assert words[0] == dump.ctypes.data
    for word, expected in itertools.zip_longest(words[1:], verdict.words, fillvalue=0):
        assert expected is None or word == expected % 2**64, verdict


# ---- pairs of places -----------------------------------------------------------------------

PLACES = [Tensor("A", "u8", ["m", "n"], "r", ["any", "any"]),
          Tensor("C", "u8", ["k", "n"], "w", ["any", "any"])]  # fmt: skip


@st.composite
def slices(draw) -> tuple[Given, Given]:
    """Two slices of one matrix of 12 columns, forwards or backwards, with or without steps."""
    made = []
    for rows in (draw(st.integers(1, 3)), draw(st.integers(1, 3))):
        row, column, columns = (draw(st.integers(0, 4)) for _ in range(3))
        made.append((rows, row, column, columns % 3 + 1, draw(st.sampled_from([1, 1, 2, -1]))))
    given = []
    for rows, row, column, _, step in made:
        columns = made[0][3]
        first = 12 * (row + 4) + 2 * column + 4
        given.append(Given("u8", 1, [rows, columns], [12, step], BASE + first))
    return tuple(given)


@settings(max_examples=200)
@given(slices())
@example((Given("u8", 1, [2, 3], [12, 1], BASE), Given("u8", 1, [2, 3], [12, 1], BASE + 3)))
def test_slices_of_one_array_overlap_where_they_share_a_byte(kernel_of, pair):
    """Nothing is refused for its neighbourhood where a row's range tells the two apart."""
    kernel = kernel_of(PLACES, [Symbol(name) for name in SIZES])
    verdict = judge(PLACES, [Symbol(name) for name in SIZES], list(pair))
    if all(given.strides[1] in (1, -1) for given in pair):
        verdict.maybe.clear()
    _launch(kernel, [_numpy(given) for given in pair], verdict)
