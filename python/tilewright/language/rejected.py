"""Names of TileLang that are refused, each with the reason and what to use.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from .registry import Rejected

_LATER = "is not supported yet"
_THREADS = "addresses threads, and kernels are written in tiles here"
_HARDWARE = "names one vendor's hardware"
_TVM = "is a form of TVM script"


def _names(names: str, reason: str, hint: str) -> dict[str, tuple[str, str]]:
    """One entry for several names."""
    return dict.fromkeys(names.split(), (reason, hint))


_TABLE: dict[str, tuple[str, str]] = {
    # Coming later.
    **_names("gemm_sp gemm_sp_v2", _LATER, "use T.gemm on dense tiles"),
    **_names(
        "atomic_load atomic_store",
        "orders memory between blocks, which have no order",
        "read and write elements; T.atomic_max and its like publish values, and a second "
        "T.Kernel sees all that the first wrote",
    ),
    **_names("rng_init rng_rand rng_rand_float", _LATER, "pass random numbers in a tensor"),
    **_names("ldexp nextafter", _LATER, "work on the bits with T.reinterpret"),
    "annotate_safe_value": (
        "sets what reads outside a tensor give, and they give 0",
        "choose another value with T.if_then_else(i < n, x[i], value)",
    ),
    # Thread level.
    **_names(
        "thread_binding get_lane_idx get_warp_idx "
        "get_warp_idx_sync get_warp_group_idx shuffle_elect ws attr launch_thread env_thread "
        "get_thread_extent get_thread_extents WSInstr WSOpRef WSPipeline WSRole WSSchedule "
        "WSScope WSSync WSSyncKind ws_op annotate_ws_schedule",
        _THREADS,
        "write T.Parallel over elements; the compiler places threads",
    ),
    **_names(
        "get_block_binding get_block_bindings",
        "finds block coordinates by number",
        "name them: with T.Kernel(...) as (bx, by)",
    ),
    **_names(
        "barrier_wait barrier_arrive mbarrier_wait_parity "
        "mbarrier_arrive mbarrier_expect_tx alloc_barrier alloc_cluster_barrier "
        "cp_async_barrier_noinc ptx_wait_group ptx_commit_group fence_proxy_async "
        "warpgroup_arrive warpgroup_commit_batch warpgroup_wait warpgroup_fence_operand "
        "wait_wgmma named_barrier_arrive named_barrier_sync named_barrier_wait "
        "mbarrier_arrive_expect_tx ptx_arrive_cluster_barrier",
        _THREADS,
        "T.copy and the other operations are synchronous in meaning; leave it out",
    ),
    **_names(
        "warp_reduce_sum warp_reduce_max warp_reduce_min warp_reduce_bitand "
        "warp_reduce_bitor tvm_thread_allreduce shfl_xor shfl_down shfl_up shfl_sync "
        "tvm_warp_shuffle comm_reducer",
        _THREADS,
        "use T.reduce_sum, T.reduce_max and their like on a fragment",
    ),
    **_names(
        "any_sync all_sync ballot ballot_sync activemask match_any_sync match_all_sync "
        "syncthreads_and syncthreads_or syncthreads_count",
        _THREADS,
        "use T.reduce_any, T.reduce_all or T.reduce_sum on a fragment of conditions",
    ),
    "sync_global": (
        "waits for all blocks",
        "use T.grid_sync(), or a second T.Kernel, which sees all that the first wrote",
    ),
    **_names(
        "get_block_extent get_block_extents",
        "finds the grid's extents by number",
        "use what T.Kernel was given",
    ),
    **_names(
        "reducer_init reducer_update",
        "is TileLang's form of a step of a reducer",
        "assign to its elements in T.Parallel: total[i] += x[i, j]",
    ),
    # Hardware.
    **_names(
        "async_copy tma_copy tma_load tma_store tma_store_arrive tma_store_wait "
        "create_tma_descriptor ptx_cp_async copy_cluster ldg32 ldg64 ldg128 ldg256 stg32 "
        "stg64 stg128 stg256 __ldg lds32 lds64 lds128 sts32 sts64 sts128 tma_gather4 "
        "tma_scatter4 tma_load_2sm ds_read_tr8_b64 ds_read_tr16_b64",
        _HARDWARE,
        "use T.copy; the compiler makes it asynchronous and wide",
    ),
    **_names(
        "wgmma_gemm tcgen05_gemm tcgen05_gemm_blockscaled ptx_mma dp4a "
        "mma_gemm_blockscaled gemm_v1 gemm_v2 ptx_mma_sm70 cooperative_tensor_fill "
        "cooperative_tensor_load cooperative_tensor_store "
        "cooperative_tensor_multiply_accumulate",
        _HARDWARE,
        "use T.gemm; the compiler chooses the instruction",
    ),
    **_names(
        "alloc_tmem deallocate_tmem alloc_descriptor alloc_wgmma_desc "
        "alloc_tcgen05_smem_desc alloc_tcgen05_instr_desc alloc_tcgen05_instruction_desc "
        "initialize_wgmma_descriptor initialize_tcgen05_descriptor increase_descriptor_offset",
        _HARDWARE,
        "use T.alloc_shared or T.alloc_fragment",
    ),
    **_names(
        "set_max_nreg inc_max_nreg dec_max_nreg pdl_trigger pdl_sync "
        "annotate_producer_reg_dealloc annotate_consumer_reg_alloc annotate_restrict_buffers",
        _HARDWARE,
        "leave it out",
    ),
    **_names(
        "ClusterKernel block_rank_in_cluster get_cluster_id cluster_sync",
        _HARDWARE,
        "write it with tile operations in T.Kernel",
    ),
    **_names(
        "CUDASourceCodeKernel import_source call_extern call_intrin",
        "brings code of one target, which others do not have",
        "write it with operations of T, such as T.exp, in a @T.macro",
    ),
    **_names(
        "Layout Fragment PartialFragment",
        "fixes a layout",
        "layouts are the compiler's business",
    ),
    **_names(
        "add2 sub2 mul2 fma2 max2 min2 abs2",
        "computes two elements at once",
        "write one element in T.Parallel; the compiler takes two where that is faster",
    ),
    "fast_rcp": ("is inexact in a way that no bound describes", "write 1.0 / x"),
    **_names(
        "BaseTileScheduler PersistentTileScheduler",
        "deals tiles to blocks that stay",
        "use T.Persistent, or a grid with a block for each tile",
    ),
    # TVM script.
    **_names("If Then", _TVM, "write Python's if"),
    "Else": (_TVM, "write Python's else"),
    "While": (_TVM, "write Python's while"),
    "block": (_TVM, "write the loops alone"),
    **_names("reads writes", _TVM, "leave it out"),
    "evaluate": (_TVM, "write the call alone"),
    **_names("alloc_buffer allocate", _TVM, "use T.alloc_shared or T.alloc_fragment"),
    **_names("match_buffer handle", _TVM, "annotate the parameter with T.Tensor"),
    "Var": (_TVM, "use T.dynamic for sizes and T.alloc_var for variables"),
    **_names("let Let LetStmt has_let_value get_let_value", _TVM, "assign to a name"),
    "index_to_coordinates": (_TVM, "use // and %"),
    "Ramp": (_TVM, "write a slice, x[i:i + 4], or T.Parallel over the elements"),
    "Broadcast": (_TVM, "write the value alone: it meets every element"),
    **_names("inline meta_class", _TVM, "use T.macro"),
    "sblock_attr": (_TVM, "leave it out"),
    "truncdiv": ("rounds towards zero", "use //, which rounds down"),
    "truncmod": ("is the rest of division towards zero", "use %, the rest of //"),
    **_names("address_of tvm_access_ptr", "makes a bare pointer", "pass a slice, x[i:i + 64]"),
    **_names(
        "make_tensor make_tensor_from_addr access_ptr",
        "makes a tensor from a bare pointer",
        "take a T.Tensor parameter",
    ),
    # One meaning per operation.
    **{
        f"ieee_{name}": ("names a rounding", "arithmetic rounds to nearest even always")
        for name in ("add", "sub", "mul", "fmaf", "frcp", "fsqrt", "frsqrt", "fdiv")
    },
}

REJECTED = {name: Rejected(name, *entry) for name, entry in _TABLE.items()}
