"""The pages about the language say what is there.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import tilewright.language as T
from tilewright.language.registry import Operation, Rejected

ROOT = Path(__file__).parents[3]

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
    float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu float4_e2m1fn
"""


def test_every_name_of_tilelang_is_there_or_refused_with_a_reason():
    for name in TILELANG.split():
        value = getattr(T, name)
        if isinstance(value, Rejected):
            assert value.reason, name
            assert value.hint, name


def test_every_operation_is_described():
    for name in T.__all__:
        value = getattr(T, name)
        if isinstance(value, Operation):
            assert value.__doc__, name


def test_no_name_is_both_offered_and_refused():
    from tilewright.language.rejected import REJECTED

    assert not REJECTED.keys() & set(T.__all__)


def test_the_page_of_names_is_up_to_date():
    path = ROOT / "scripts" / "language_reference.py"
    spec = importlib.util.spec_from_file_location("language_reference", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = (ROOT / "docs" / "language.md").read_text()
    assert page == script.page(), "run scripts/language_reference.py"


def test_every_test_that_the_semantics_name_exists():
    page = (ROOT / "docs" / "semantics.md").read_text()
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[-1])}
    sources = "".join(f.read_text() for f in Path(__file__).parent.rglob("*.py"))
    defined = set(re.findall(r"def (?:test_)?(\w+)\(", sources))
    assert len(named) > 40
    assert named <= defined
