"""Lowered kernels come back from the disk, unless anything that they are made of changed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import importlib.util
import sys
import types

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.compiler import cache, eager, lower, memo
from tilewright.kernels import mla_decode
from tilewright.language.choices import Choices

SIZES = {1: 8}
FACTOR = 3


class Reads:
    """How often kernels were read since the last question."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        count, self.count = self.count, 0
        return count


@pytest.fixture
def reads(monkeypatch, tmp_path) -> Reads:
    """A counter, with an empty cache."""
    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", str(tmp_path / "cache"))
    counter = Reads()
    for module in (lower, eager):

        def counted(*arguments, read=module._read):
            counter.count += 1
            return read(*arguments)

        monkeypatch.setattr(module, "_read", counted)
    return counter


def text(kernel: object, **options: object) -> str:
    return lower.lower_prim_func(kernel, **options).text


def written(tmp_path, source: str, name: str = "of_a_memo_test") -> types.ModuleType:
    """A module of this source, imported anew."""
    path = tmp_path / f"{name}.py"
    path.write_text("import tilewright.language as T\n" + source)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def filled(value: object = 1, size: int = 4):
    @T.prim_func
    def fill(A: T.Tensor((size,), "int32")):
        with T.Kernel(1):
            for i in T.Parallel(size):
                A[i] = value

    return fill


def test_a_kernel_is_read_once(reads):
    first = text(filled())
    assert reads() == 1
    assert text(filled()) == first
    assert reads() == 0


def test_what_a_caller_says_is_in_the_key(reads):
    seen = {text(filled(value, size)) for value in (1, 2, True) for size in (4, 5)}
    assert reads() == 6
    assert len(seen) >= 4  # True and 1 may be one text
    assert lower.lower_prim_func(filled()).outputs == ()
    assert lower.lower_prim_func(filled(), out_idx=[0]).outputs == (0,)
    assert lower.lower_prim_func(filled(), out_idx=-1).outputs == (0,)
    assert reads() == 2


@T.prim_func
def of_globals(A: T.Tensor((4,), "int32")):
    with T.Kernel(1):
        for i in T.Parallel(4):
            A[i] = FACTOR + SIZES[1]


def test_a_global_that_changes_is_seen(reads, monkeypatch):
    first = text(of_globals)
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 5)
    second = text(of_globals)
    monkeypatch.setitem(SIZES, 1, 16)
    third = text(of_globals)
    assert reads() == 3
    assert text(of_globals) == third
    assert reads() == 0
    assert len({first, second, third}) == 3


MACRO = """
STEP = {step}

@T.macro
def add(A, i, more={more}):
    A[i] = A[i] + STEP + more  # {comment}

@T.prim_func
def kernel(A: T.Tensor((4,), "int32")):
    with T.Kernel(1):
        for i in T.Parallel(4):
            add(A, i)
"""


def test_macros_are_followed(reads, tmp_path):
    plain = {"step": 1, "more": 0, "comment": ""}
    texts = set()
    for change in ({}, {"step": 2}, {"more": 7}, {"step": 1}):
        module = written(tmp_path, MACRO.format(**plain | change))
        texts.add(text(module.kernel))
    assert len(texts) == 3
    assert reads() == 3  # the last is the first again
    # The same text in the file, but another value than it says.
    module.STEP = 11
    assert "11" in text(module.kernel)
    # The same kernel, in a file that changed elsewhere: it is read, and gives the same.
    module = written(tmp_path, MACRO.format(**plain | {"comment": "of no importance"}))
    reads()
    assert text(module.kernel) in texts
    assert reads() == 1


def test_attributes_of_modules_are_followed(reads, tmp_path):
    numbers = written(tmp_path, "VALUE = 1\n", "numbers_of_a_memo_test")
    source = """
import numbers_of_a_memo_test as numbers

@T.prim_func
def kernel(A: T.Tensor((4,), "int32")):
    with T.Kernel(1):
        for i in T.Parallel(4):
            A[i] = numbers.VALUE
"""
    module = written(tmp_path, source)
    first = text(module.kernel)
    assert text(module.kernel) == first
    assert reads() == 1
    numbers.VALUE = 9
    assert text(module.kernel) != first


class Config:
    """What the memo knows nothing of."""

    value = 1

    def __init__(self) -> None:
        self.size = 4


def test_objects_and_calls_of_users_are_asked_each_time(reads):
    config, state = Config(), {"n": 0}

    def counter():
        state["n"] += 1
        return state["n"]

    @T.prim_func
    def attribute(A: T.Tensor((4,), "int32")):
        with T.Kernel(1):
            A[0] = config.size

    @T.prim_func
    def of_class(A: T.Tensor((4,), "int32")):
        with T.Kernel(1):
            A[0] = Config.value

    @T.prim_func
    def call(A: T.Tensor((4,), "int32")):
        with T.Kernel(1):
            A[0] = counter()

    for kernel in (attribute, of_class, call):
        text(kernel)
        text(kernel)
    assert reads() == 6
    assert state["n"] == 2


def test_printing_while_compiling_is_done_each_time(reads, capsys):
    @T.prim_func
    def kernel(A: T.Tensor((4,), "int32")):
        with T.Kernel(1):
            T.static_print("seen")
            A[0] = 1

    text(kernel)
    text(kernel)
    assert capsys.readouterr().out == "seen\nseen\n"


def test_a_list_that_compiling_changes(reads):
    seen: list[int] = []

    @T.prim_func
    def kernel(A: T.Tensor((4,), "int32")):
        with T.Kernel(1):
            seen.append(len(seen))
            A[0] = len(seen)

    assert text(kernel) != text(kernel)
    assert seen == [0, 1]


def chosen(entries: list):
    @T.prim_func
    def kernel(A: T.Tensor((4,), "int32")):
        size = T.choose("size", entries)
        with T.Kernel(1):
            A[0] = size if isinstance(size, int) else size[0]

    return kernel


def test_choices_are_taken_again(reads):
    for _ in range(2):
        with Choices() as choices:
            first = text(chosen([3, 2]))
        assert choices.lists == {"size": [3, 2]}
        assert choices.values() == {"size": 3}
        with choices.next() as choices:
            assert text(chosen([3, 2])) != first
        assert choices.values() == {"size": 2}
    assert reads() == 2


def test_choices_that_json_would_change_are_not_kept(reads):
    for _ in range(2):
        with Choices() as choices:
            text(chosen([(3, 1), (2, 1)]))
        assert choices.values() == {"size": (3, 1)}
    assert reads() == 2


def test_eager_kernels(reads):
    def make(bias):
        @tilewright.jit
        def plus(A, factor: T.float32, block: int = 2):
            M = T.const("M")
            n = T.dynamic("n")
            A: T.Tensor((n, M), "float32")
            B = T.empty((n, M), "float32")
            with T.Kernel(n) as row:
                for i in T.Parallel(M):
                    B[row, i] = A[row, i] * factor + bias * block
            return B

        return plus

    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    for _ in range(2):
        assert np.array_equal(make(1)(a, 2.0), a * 2 + 2)
        assert np.array_equal(make(1)(a.T.copy(), 2.0, 3), a.T * 2 + 3)
        assert np.array_equal(make(5)(a, 2.0), a * 2 + 10)
    assert reads() == 3


def test_another_front_end_reads_anew(reads, monkeypatch):
    text(filled())
    monkeypatch.setattr(memo, "front_end", lambda: "another")
    text(filled())
    assert reads() == 2


@pytest.mark.parametrize("damage", ["", "{", '{"checksum": 1}', "[]", "\xff"])
def test_damaged_records_are_read_anew(reads, damage):
    first = text(filled())
    (record,) = cache.folder().glob("*.memo")
    record.write_text(damage)
    assert text(filled()) == first
    assert reads() == 2
    assert text(filled()) == first
    assert reads() == 0


def test_a_changed_record_is_not_believed(reads):
    first = text(filled())
    (record,) = cache.folder().glob("*.memo")
    record.write_text(record.read_text().replace("tile.kernel", "tile.colonel"))
    assert text(filled()) == first
    assert reads() == 2


def test_no_folder_to_write_to(reads, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", str(tmp_path / "file"))
    assert text(filled()) == text(filled())
    assert reads() == 2


def test_kernels_of_the_library_are_recalled(reads):
    def made():
        mla_decode.mla_decode_kernel.cache_clear()
        return mla_decode.mla_decode_kernel(1, 16, 64, 16, 16, "f32", False, "cpu")

    first = made()
    assert reads() >= 1
    second = made()
    assert reads() == 0
    assert second.ir() == first.ir()
    assert second.choices() == first.choices()
    assert second.path == first.path
