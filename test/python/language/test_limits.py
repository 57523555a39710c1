"""Numbers past what 64 bits, the ABI or a machine can hold, and odd but legal Python.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
import resource

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import CompileError


def lowered(body):
    """Compile a kernel whose block is `body`, a macro of A."""

    @T.prim_func
    def kernel(A: T.Tensor((4, 4), "float32")):
        with T.Kernel(1):
            body(A)

    return tilewright.compile(kernel)


@T.macro
def large_index(A):
    tile = T.alloc_shared((4, 4), "float32")
    T.copy(A[2**65, 0], tile)


@T.macro
def large_end(A):
    for _ in range(2**70):
        A[0, 0] = 1


@T.macro
def large_tile(A):
    tile = T.alloc_shared((2**40, 2**40), "float32")
    T.clear(tile)
    A[0, 0] = tile[0, 0]


@T.macro
def taken_apart(A):
    T.fill(**{"dst": A, "value": 1})


@T.macro
def no_dict(A):
    A[0, 0] = max(**3)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (large_index, "an index of A is 36893488147419103232"),
        (large_end, "the end of a loop is 1180591620717411303424"),
        (large_tile, "is too large for a tile"),
        (taken_apart, "** in a call of T.fill"),
        (no_dict, "** of what is no dict"),
    ],
)
def test_too_much_is_refused_at_its_place(body, message):
    with pytest.raises(CompileError) as caught:
        lowered(body)
    assert message in caught.value.message
    assert caught.value.rule or caught.value.hint
    assert __file__ in str(caught.value.place)


@pytest.mark.parametrize("shape", [(2**63,), (1,) * 17])
def test_shapes_past_the_abi(shape):
    with pytest.raises(CompileError, match="64 bits|at most 16"):
        T.Tensor(shape, "float32")


def test_more_blocks_than_64_bits_count():
    @T.prim_func
    def kernel(A: T.Tensor((4,), "float32")):
        with T.Kernel(2**40, 2**40):
            A[0] = 1

    with pytest.raises(CompileError, match="too many blocks"):
        tilewright.compile(kernel)


def test_deep_nesting_is_no_internal_error(tmp_path):
    text = (
        "import tilewright.language as T\n@T.prim_func\n"
        'def kernel(A: T.Tensor((4,), "float32")):\n'
        f"    with T.Kernel(1):\n        A[0] = {'-' * 900}A[1]\n"
    )
    names: dict = {}
    file = tmp_path / "deep.py"
    file.write_text(text)
    exec(compile(text, str(file), "exec"), names)
    with pytest.raises(CompileError, match="nested too deeply"):
        tilewright.compile(names["kernel"])


def test_names_beyond_ascii(device):
    @T.prim_func
    def größe(Ä: T.Tensor((4,), "float32"), 数: T.int32):
        with T.Kernel(4) as λ:
            Ä[λ] = 数

    a = np.zeros(4, np.float32)
    compiled = tilewright.compile(größe, target=device)
    compiled(a, 数=3)
    assert (a == 3).all()
    with pytest.raises(tilewright.LaunchError, match="größe: argument 'Ä'"):
        compiled(a[:3], 3)


@pytest.mark.every_device
@pytest.mark.parametrize("name", ["größe", "llvm", "tw_artifact"])
def test_names_that_others_have_or_cannot_read(device, name, tmp_path):
    """A kernel's name is part of symbols, which assemblers, LLVM and the loader read."""
    text = (
        "import tilewright.language as T\n@T.prim_func\n"
        f'def {name}(A: T.Tensor((4,), "float32")):\n'
        "    with T.Kernel(4, threads=32) as i:\n        A[i] = 3\n"
    )
    file, names = tmp_path / "named.py", {}
    file.write_text(text, encoding="utf-8")
    exec(compile(text, str(file), "exec"), names)
    a = np.zeros(4, np.float32)
    tilewright.compile(names[name], target=device)(a)
    assert (a == 3).all()


@pytest.mark.parametrize(("count", "fits"), [(256, True), (257, False)])
def test_as_many_parameters_as_a_launch_takes(count, fits, tmp_path):
    parameters = ", ".join(f'A{i}: T.Tensor((1,), "float32")' for i in range(count))
    text = (
        f"import tilewright.language as T\n@T.prim_func\ndef kernel({parameters}):\n"
        f"    with T.Kernel(1):\n        A0[0] = A{count - 1}[0]\n"
    )
    file, names = tmp_path / "many.py", {}
    file.write_text(text)
    exec(compile(text, str(file), "exec"), names)
    if fits:
        arrays = [np.full(1, i, np.float32) for i in range(count)]
        tilewright.compile(names["kernel"])(*arrays)
        assert arrays[0] == count - 1
        return
    with pytest.raises(CompileError, match="the kernel has 257 parameters") as caught:
        tilewright.compile(names["kernel"])
    assert "at most 256" in caught.value.rule


def test_positional_only_parameters(device):
    @T.prim_func
    def kernel(A: T.Tensor((4,), "float32"), /, n: T.int32):
        with T.Kernel(4) as i:
            A[i] = n

    @tilewright.jit(target=device)
    def eager(A: T.Tensor((4,), "float32"), /, n: T.int32):
        with T.Kernel(4) as i:
            A[i] = n

    a = np.zeros(4, np.float32)
    tilewright.compile(kernel, target=device)(a, 3)
    assert (a == 3).all()
    eager(a, 5)
    assert (a == 5).all()


def test_an_annotation_with_an_unknown_name():
    @T.prim_func
    def kernel(A: T.Tensor((4,), unknown)):  # noqa: F821
        with T.Kernel(1):
            A[0] = 1

    with pytest.raises(CompileError, match=r"annotation of A cannot be evaluated: T.Tensor"):
        tilewright.compile(kernel)


def test_options_of_a_wrong_type():
    @T.prim_func
    def kernel(A: T.Tensor((4,), "float32")):
        with T.Kernel(1):
            A[0] = 1

    with pytest.raises(CompileError, match="out_idx=1.5"):
        tilewright.compile(kernel, out_idx=1.5)
    with pytest.raises(CompileError, match="pass_configs is 3"):
        tilewright.compile(kernel, pass_configs=3)


@pytest.mark.parametrize("decorator", [T.prim_func, T.macro, tilewright.jit])
@pytest.mark.parametrize("what", [3, len, int, classmethod(lambda cls: None)])
def test_decorators_of_what_is_no_function(decorator, what):
    with pytest.raises(CompileError, match=re.escape(f" on {what!r}")) as caught:
        decorator(what)
    assert caught.value.hint == "it decorates a function"
    assert caught.value.place.file == __file__


def test_jit_names_arguments_that_it_cannot_tell_apart():
    @tilewright.jit
    def eager(A: T.Tensor((T.const("M"),), "float32"), options):
        with T.Kernel(1):
            A[0] = 1

    with pytest.raises(TypeError, match="type set, by which"):
        eager(np.zeros(4, np.float32), {1})
    for size in (-1, 1.5, "x", True, 1 << 63):
        with pytest.raises(TypeError, match="is no size"):
            eager.compile(options=1, M=size)
    with pytest.raises(TypeError, match=r"eager\(\): N is neither .*; there are A, options, M"):
        eager.compile(options=1, M=4, N=8)
    with pytest.raises(CompileError, match="give M by name"):
        eager.compile(options=1)


def test_facts_of_sizes_have_64_bits():
    for facts in ({"max": 1 << 63}, {"min": 1 << 64}, {"multiple_of": 1 << 63}):
        with pytest.raises(CompileError, match="have 64 bits"):
            T.dynamic("n", **facts)


@pytest.mark.parametrize("target", ["cpu", "hip:gfx942"])
def test_no_room_for_what_is_linked(target, tmp_path, monkeypatch):
    """An object is small, what it links to is pages; the next one is linked as ever."""

    @T.prim_func
    def kernel(A: T.Tensor((5,), "float32")):
        with T.Kernel(1):
            A[3] = 41

    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 1024, hard))
    try:
        with pytest.raises(CompileError, match=r"cannot write '.*': File too large"):
            tilewright.compile(kernel, target=target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.rglob("*.room")) == []
    tilewright.compile(kernel, target=target)


@pytest.mark.parametrize("start", [2**63 - 8, 2**63 - 1, -(2**63), -8, 12, 3])
def test_an_index_that_wraps_stays_outside(device, start):
    """Columns 16.. and rows far outside: only what is really inside is read or written."""

    @T.prim_func
    def kernel(
        A: T.Tensor((T.dynamic("m"), 16), "float32"), C: T.Tensor((16, 16), "float32"),
        o: T.int64,
    ):  # fmt: skip
        with T.Kernel(1):
            for i, j in T.Parallel(16, 16):
                C[i, j] = A[o + i, j]
            for i in T.Parallel(16):
                A[o + i, i] = 7

    buffer = np.arange(48 * 16, dtype=np.float32).reshape(48, 16)
    before = buffer.copy()
    c = np.full((16, 16), np.nan, np.float32)
    tilewright.compile(kernel, target=device)(buffer[16:32], c, start)
    expected = np.zeros((16, 16), np.float32)
    for i in range(16):
        if 0 <= start + i < 16:
            expected[i] = before[16 + start + i]
            before[16 + start + i, i] = 7
    assert np.array_equal(c, expected)
    assert np.array_equal(buffer, before)


@pytest.mark.every_device
def test_a_grid_of_too_many_blocks_is_an_error(device):
    @T.prim_func
    def kernel(A: T.Tensor((1,), "float32"), x: T.int64, y: T.int64):
        with T.Kernel(x, y) as (bx, by):
            if bx + by == 0:
                A[0] = 1

    compiled = tilewright.compile(kernel, target=device)
    a = np.zeros(1, np.float32)
    with pytest.raises(Exception, match="a grid has more blocks than"):
        compiled(a, 2**32, 2**32)
    compiled(a, -3, -5)
    assert a[0] == 0
    compiled(a, 2, 3)
    assert a[0] == 1
