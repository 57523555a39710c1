"""Names of TileLang that are refused, each with the reason and what to use.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from .registry import Rejected

_LATER = "is not supported yet"
_THREADS = "addresses threads, and kernels are written in tiles here"
_HARDWARE = "names one vendor's hardware"
_TVM = "is a form of TVM script"

_TABLE: dict[str, tuple[str, str]] = {
    # Coming later.
    "sort": (_LATER, "T.topk gives the largest elements in order"),
    "scan": (_LATER, "T.cumsum is the scan by addition"),
    "reduce": (
        "with a combiner of one's own " + _LATER,
        "use T.reduce_sum, _max, _min, _absmax, _abssum, _any, _all, _bitand, _bitor "
        "or _bitxor",
    ),
    "scatter": (_LATER, "store elements by index in T.Parallel, or T.atomic_add"),
    "cummax": (_LATER, "T.cumsum is the scan by addition"),
    "grid_sync": (_LATER, "use two T.Kernel blocks, which run one after the other"),
    "sync_grid": (_LATER, "use two T.Kernel blocks, which run one after the other"),
    "loop_break": (_LATER, "guard the body with `if`, or use `while` on a T.alloc_var"),
    "view": (_LATER, "index the tile as it is, or copy it into one of the other shape"),
    "reshape": (_LATER, "index the tile as it is, or copy it into one of the other shape"),
    "gemm_sp": (_LATER, "use T.gemm on dense tiles"),
    "alloc_reducer": (_LATER, "accumulate in a fragment and T.reduce_sum it"),
    "finalize_reducer": (_LATER, "accumulate in a fragment and T.reduce_sum it"),
    "c2d_im2col": (_LATER, "T.copy a region for each tap of the filter"),
    "im2col": (_LATER, "T.copy a region for each tap of the filter"),
    "Persistent": (_LATER, "loop over tiles with T.serial in a small grid"),
    "atomic_load": (_LATER, "read the element"),
    "atomic_store": (_LATER, "T.atomic_max or T.atomic_min publish a value"),
    "copy_cluster": (_HARDWARE, "use T.copy"),
    # Thread level.
    **dict.fromkeys(
        (
            "get_thread_binding",
            "get_thread_bindings",
            "thread_binding",
            "get_lane_idx",
            "get_warp_idx",
            "get_warp_idx_sync",
            "get_warp_group_idx",
            "shuffle_elect",
            "ws",
            "attr",
            "launch_thread",
            "env_thread",
        ),
        (_THREADS, "write T.Parallel over elements; the compiler places threads"),
    ),
    **dict.fromkeys(
        (
            "sync_threads",
            "sync_warp",
            "syncthreads",
            "barrier_wait",
            "barrier_arrive",
            "mbarrier_wait_parity",
            "mbarrier_arrive",
            "mbarrier_expect_tx",
            "alloc_barrier",
            "alloc_cluster_barrier",
            "cp_async_barrier_noinc",
            "ptx_wait_group",
            "ptx_commit_group",
            "fence_proxy_async",
            "warpgroup_arrive",
            "warpgroup_commit_batch",
            "warpgroup_wait",
            "warpgroup_fence_operand",
            "wait_wgmma",
            "tvm_storage_sync",
        ),
        (_THREADS, "T.copy and the other operations are synchronous in meaning"),
    ),
    **dict.fromkeys(
        (
            "warp_reduce_sum",
            "warp_reduce_max",
            "warp_reduce_min",
            "warp_reduce_bitand",
            "warp_reduce_bitor",
            "tvm_thread_allreduce",
            "shfl_xor",
            "shfl_down",
            "shfl_up",
            "shfl_sync",
            "tvm_warp_shuffle",
        ),
        (_THREADS, "use T.reduce_sum, T.reduce_max and their like on a fragment"),
    ),
    # Hardware.
    **dict.fromkeys(
        (
            "async_copy",
            "tma_copy",
            "tma_load",
            "tma_store",
            "tma_store_arrive",
            "tma_store_wait",
            "create_tma_descriptor",
            "ptx_cp_async",
        ),
        (_HARDWARE, "use T.copy; the compiler makes it asynchronous"),
    ),
    **dict.fromkeys(
        (
            "wgmma_gemm",
            "tcgen05_gemm",
            "tcgen05_gemm_blockscaled",
            "ptx_mma",
            "dp4a",
            "mma_gemm_blockscaled",
            "gemm_v1",
            "gemm_v2",
        ),
        (_HARDWARE, "use T.gemm; the compiler chooses the instruction"),
    ),
    **dict.fromkeys(
        (
            "alloc_tmem",
            "deallocate_tmem",
            "alloc_descriptor",
            "alloc_wgmma_desc",
            "alloc_tcgen05_smem_desc",
            "alloc_tcgen05_instr_desc",
        ),
        (_HARDWARE, "use T.alloc_shared or T.alloc_fragment"),
    ),
    **dict.fromkeys(
        (
            "set_max_nreg",
            "inc_max_nreg",
            "dec_max_nreg",
            "pdl_trigger",
            "pdl_sync",
            "annotate_producer_reg_dealloc",
            "annotate_consumer_reg_alloc",
            "ClusterKernel",
            "CUDASourceCodeKernel",
            "import_source",
            "call_extern",
            "call_intrin",
            "block_rank_in_cluster",
            "get_cluster_id",
            "cluster_sync",
        ),
        (_HARDWARE, "leave it out"),
    ),
    **dict.fromkeys(
        ("atomic_addx2", "atomic_addx4"),
        (_HARDWARE, "one T.atomic_add per element; the compiler joins them"),
    ),
    # TVM script.
    "If": (_TVM, "write Python's if"),
    "Then": (_TVM, "write Python's if"),
    "Else": (_TVM, "write Python's else"),
    "While": (_TVM, "write Python's while"),
    "block": (_TVM, "write the loops alone"),
    "reads": (_TVM, "leave it out"),
    "writes": (_TVM, "leave it out"),
    "evaluate": (_TVM, "write the call alone"),
    "alloc_buffer": (_TVM, "use T.alloc_shared or T.alloc_fragment"),
    "match_buffer": (_TVM, "annotate the parameter with T.Tensor"),
    "handle": (_TVM, "annotate the parameter with T.Tensor"),
    "Var": (_TVM, "use T.dynamic for sizes and T.alloc_var for variables"),
    "let": (_TVM, "assign to a name"),
    "Let": (_TVM, "assign to a name"),
    "LetStmt": (_TVM, "assign to a name"),
    "truncdiv": (
        "is division towards zero, which differs per sign",
        "use // , which rounds down, and correct the sign yourself",
    ),
    "truncmod": (
        "is the rest of division towards zero",
        "use %, whose result has the divisor's sign",
    ),
    "address_of": ("makes a bare pointer", "pass a slice, x[i:i + 64]"),
    "tvm_access_ptr": ("makes a bare pointer", "pass a slice, x[i:i + 64]"),
    "make_tensor": ("makes a tensor from a bare pointer", "take a T.Tensor parameter"),
    # Fast and IEEE maths: one meaning per operation.
    **{
        f"__{name}": (
            "is a fast approximation",
            f"use T.{name}; fast maths is an option of a kernel",
        )
        for name in ("exp", "exp2", "log", "log2", "sin", "cos")
    },
    **{
        f"ieee_{name}": ("names a rounding", "arithmetic rounds to nearest even always")
        for name in ("add", "sub", "mul", "fmaf", "frcp", "fsqrt", "frsqrt", "fdiv")
    },
}

REJECTED = {name: Rejected(name, *entry) for name, entry in _TABLE.items()}
