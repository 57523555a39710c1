"""Every name of TileLang's language, and every one of ours, works or is refused with a reason.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import CompileError
from tilewright.compiler.lower import lower_prim_func
from tilewright.language import dtypes
from tilewright.language.registry import Rejected
from tilewright.testing import numpy_dtype

# What TileLang's page of instructions names; dtypes and helpers of its guides included.
TILELANG = """
    copy async_copy c2d_im2col gemm gemm_sp reduce_sum reduce_max reduce_min reduce_abssum
    reduce_absmax reduce_bitand reduce_bitor reduce_bitxor cumsum finalize_reducer
    warp_reduce_sum warp_reduce_max warp_reduce_min warp_reduce_bitand warp_reduce_bitor clear
    fill reshape view print device_assert any_of all_of use_swizzle annotate_layout
    annotate_safe_value annotate_l2_hit_ratio pdl_trigger pdl_sync atomic_add atomic_addx2
    atomic_addx4 atomic_max atomic_min atomic_load atomic_store dp4a clamp loop_break
    alloc_shared alloc_fragment alloc_var alloc_local alloc_barrier alloc_tmem deallocate_tmem
    alloc_reducer alloc_descriptor alloc_wgmma_desc alloc_tcgen05_smem_desc
    alloc_tcgen05_instr_desc empty mbarrier_wait_parity mbarrier_arrive mbarrier_expect_tx
    barrier_wait create_tma_descriptor tma_load tma_store_arrive tma_store_wait
    fence_proxy_async warpgroup_fence_operand warpgroup_arrive warpgroup_commit_batch
    warpgroup_wait wait_wgmma get_lane_idx get_warp_idx_sync get_warp_idx get_warp_group_idx
    set_max_nreg inc_max_nreg dec_max_nreg annotate_producer_reg_dealloc
    annotate_consumer_reg_alloc no_set_max_nreg disable_warp_group_reg_alloc ieee_add ieee_sub
    ieee_mul ieee_fmaf Kernel ClusterKernel Parallel Persistent Pipelined serial unroll
    vectorized Serial Unroll Vectorized grid prim_func macro Tensor Buffer StridedTensor ptr
    make_tensor FragmentBuffer SharedBuffer LocalBuffer dynamic symbolic dyn const ceildiv
    infinity max_value min_value max min if_then_else Cast cast reinterpret exp exp2 log log2
    sqrt rsqrt sin cos tan tanh erf sigmoid floor ceil round abs pow GemmWarpPolicy
    get_thread_binding get_thread_bindings get_block_binding get_block_bindings ws If Then
    import_source truncdiv truncmod floordiv floormod sync_threads ptx_wait_group
    tvm_storage_sync index_to_coordinates rng_init rng_rand rng_rand_float has_let_value
    get_let_value Layout Fragment assume float16 bfloat16 float32 float64 int8 int16 int32 int64
    uint8 uint16 uint32 uint64 bool float8_e4m3fn float8_e5m2
"""


SHORT = {dtype.short: dtype.name for dtype in dtypes.ALL}


def names_in_tests() -> set[str]:
    """The names NAME of `T.NAME` in test code; programs that must be refused do not count.

    A file that takes names from tables, by `getattr(T, name)`, uses all that its strings name;
    dtypes may be named by their short names anywhere.
    """
    found = set()
    for file in Path(__file__).parents[1].rglob("*.py"):
        if "wrong" in file.parts:
            continue
        text = file.read_text()
        has_tables = "getattr(T, " in text and file != Path(__file__)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and (has_tables or node.value in SHORT):
                found.add(SHORT.get(node.value, node.value))
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "T":
                found.add(node.attr)
    return found


def calling(operation: object) -> T.prim_func:
    @T.prim_func
    def kernel(A: T.Tensor((8,), "float32")):
        with T.Kernel(1):
            operation(A, 1)

    return kernel


def test_every_name_is_used_in_a_test_or_refused_with_a_reason():
    used = names_in_tests()
    for name in {*TILELANG.split(), *T.__all__}:
        value = getattr(T, name)
        if not isinstance(value, Rejected):
            assert name in used, f"no test uses T.{name}"
            continue

        with pytest.raises(CompileError) as caught:
            lower_prim_func(calling(value))
        assert caught.value.message == f"T.{name}: {value.reason}"
        assert value.reason, name
        assert caught.value.hint, name
        with pytest.raises(CompileError, match=f"T.{name}: "):
            value()


# -- names that no other test uses ------------------------------------------------------------


def test_scalar_operations_and_their_synonyms(device):
    @T.prim_func
    def kernel(
        A: T.Buffer((8,), T.float32), B: T.Tensor((8,), T.float), N: T.Tensor((6,), T.int)
    ):
        with T.Kernel(1):
            for i in T.Serial(8):
                if T.any_of(T.isnan(A[i]), T.isinf(A[i])):
                    B[i] = T.Select(T.all_of(A[i] == A[i], A[i] > 0), 1, -1)
                else:
                    B[i] = T.Max(T.trunc(A[i]), T.Min(T.nearbyint(A[i]), 2)) + T.pow(2, 3)
            for i in T.Unroll(2):
                N[i] = T.floordiv(-7, 2 + i)
            for i in T.Vectorized(2):
                N[2 + i] = T.floormod(-7, 2 + i)
            for i in T.vectorize(2):
                N[4 + i] = T.atomic_and(N[i], 6, return_prev=True)
                T.atomic_xor(N[2 + i], 5)

    inf = np.inf
    a = np.array([inf, -inf, np.nan, 1.7, -1.7, 2.5, 0.2, 5.1], np.float32)
    b, n = np.full(8, np.nan, np.float32), np.zeros(6, np.int32)
    tilewright.compile(kernel, target=device)(a, b, n)
    assert list(b) == [1, -1, -1, 10, 7, 10, 8, 13]
    assert list(n) == [-4 & 6, -3 & 6, 1 ^ 5, 2 ^ 5, -4, -3]


def test_sigmoid_and_hints(device):
    n = T.symbolic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float64"), B: T.Tensor((T.dyn["n"],), T.double)):
        with T.Kernel(n) as i:
            T.annotate_l2_hit_ratio({A: 0.5})
            T.annotate_padding({A: 4})
            T.no_set_max_nreg()
            T.disable_warp_group_reg_alloc()
            B[i] = T.sigmoid(A[i])

    a = np.linspace(-9, 9, 31)
    b = np.zeros(31)
    tilewright.compile(kernel, target=device)(a, b)
    # Two units of ours (docs/semantics.md), and one of each operation of the reference.
    expected = 1 / (1 + np.exp(-a))
    assert (np.abs(b - expected) <= (2 + 3) * 2.0**-52 * expected).all()


@T.macro
def first_of(tile: T.LocalBuffer):
    return tile[0]


TYPES = (
    T.float64, T.half, T.float8_e4m3, T.float8_e4m3fn, T.float8_e5m2, T.int16, T.uint16,
    T.uint32, T.uint64, T.boolean,
)  # fmt: skip


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_element_types(device, dtype):
    """Copied through a local array, values are kept."""

    @T.prim_func
    def kernel(A: T.Tensor((4,), dtype), B: T.Tensor((4,), dtype)):
        with T.Kernel(4) as i:
            tile = T.alloc_local((1,), dtype)
            tile[0] = A[i]
            B[i] = first_of(tile)

    assert isinstance(dtype, T.DType)
    a = np.array([0, 1, 1, 0]).astype(numpy_dtype(dtype.short))
    b = np.ones_like(a)
    tilewright.compile(kernel, target=device)(a, b)
    assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    ("reduce", "expected", "kind"),
    [
        (T.reduce_min, np.min, "int32"),
        (T.reduce_abssum, lambda x, axis: np.abs(x).sum(axis), "int32"),
        (T.reduce_any, np.any, "bool"),
        (T.reduce_all, np.all, "bool"),
        (T.reduce_argmax, np.argmax, "int32"),
        (T.reduce_argmin, np.argmin, "int32"),
        (T.reduce_bitand, np.bitwise_and.reduce, "int32"),
        (T.reduce_bitor, np.bitwise_or.reduce, "int32"),
        (T.reduce_bitxor, np.bitwise_xor.reduce, "int32"),
    ],
    ids=lambda x: getattr(x, "name", ""),
)
def test_reductions_by_name(device, reduce, expected, kind):
    """Along the rows of one tile; what they mean is tested with the semantics."""

    @T.prim_func
    def kernel(A: T.Tensor((6, 5), "int32"), B: T.Tensor((6,), kind)):
        with T.Kernel(1):
            tile = T.alloc_fragment((6, 5), "int32")
            row = T.alloc_fragment((6,), kind)
            T.copy(A, tile)
            reduce(tile, row, dim=1)
            T.copy(row, B)

    a = np.random.default_rng(1).integers(-3, 4, (6, 5)).astype(np.int32)
    b = np.zeros(6, bool if kind == "bool" else np.int32)
    tilewright.compile(kernel, target=device)(a, b)
    assert np.array_equal(b, expected(a, axis=1))


def test_bare_pointers_are_refused():
    with pytest.raises(CompileError, match="T.ptr: a bare pointer has no shape"):
        T.ptr("float32")
