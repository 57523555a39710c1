"""The language of kernels: `import tilewright.language as T`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# ruff: noqa: F401  (every import is a name of the language)

from . import dtypes as _dtypes
from .allocation import (
    alloc_fragment,
    alloc_global,
    alloc_local,
    alloc_reducer,
    alloc_shared,
    alloc_var,
    empty,
    finalize_reducer,
)
from .atomics import (
    atomic_add,
    atomic_addx2,
    atomic_addx4,
    atomic_and,
    atomic_max,
    atomic_min,
    atomic_or,
    atomic_xor,
)
from .choices import choose
from .convolutions import im2col
from .diagnostics import assume, device_assert, print_, static_assert, static_print
from .dtypes import (
    DType,
    bfloat16,
    bool_,
    float4_e2m1fn,
    float8_e4m3b11fnuz,
    float8_e4m3fn,
    float8_e4m3fnuz,
    float8_e5m2,
    float8_e5m2fnuz,
    float8_e8m0fnu,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .elementwise import (
    align_up,
    all_of,
    any_of,
    cast,
    ceildiv,
    clamp,
    floordiv,
    floormod,
    fma,
    if_then_else,
    infinity,
    max_,
    max_value,
    min_,
    min_value,
    not_,
    pow_,
    reinterpret,
)
from .hints import (
    annotate_l2_hit_ratio,
    annotate_layout,
    annotate_padding,
    disable_warp_group_reg_alloc,
    no_set_max_nreg,
    sync_threads,
    sync_warp,
    tvm_storage_sync,
    use_swizzle,
)
from .indexed import gather, scatter
from .kernel import Kernel, grid_sync
from .loops import Parallel, Persistent, Pipelined, grid, loop_break, serial, unroll, vectorized
from .macros import macro
from .maths import (
    abs_,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    ceil,
    clz,
    copysign,
    cos,
    cosh,
    erf,
    exp,
    exp2,
    exp10,
    expm1,
    floor,
    fmod,
    hypot,
    isfinite,
    isinf,
    isnan,
    log,
    log1p,
    log2,
    log10,
    popcount,
    round_,
    rsqrt,
    sigmoid,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
    trunc,
)
from .movement import clear, copy, fill, transpose
from .prim_func import prim_func
from .products import GemmWarpPolicy, gemm
from .reductions import (
    reduce,
    reduce_absmax,
    reduce_abssum,
    reduce_all,
    reduce_any,
    reduce_argmax,
    reduce_argmin,
    reduce_bitand,
    reduce_bitor,
    reduce_bitxor,
    reduce_max,
    reduce_min,
    reduce_sum,
)
from .rejected import REJECTED as _REJECTED
from .scans import cummax, cumsum, scan
from .selections import sort, topk
from .symbols import const, dyn, dynamic, symbolic
from .threads import get_thread_binding, get_thread_bindings
from .types import (
    Buffer,
    FragmentBuffer,
    LocalBuffer,
    Ref,
    SharedBuffer,
    StridedTensor,
    Tensor,
    ptr,
)
from .views import reshape, view

Not = not_
abs, max, min, print, round, pow = abs_, max_, min_, print_, round_, pow_
bool, float, int, half, double = bool_, float32, int32, float16, float64
tfloat32 = tf32 = float32
short, long, uint, ushort, ulong = int16, int64, uint32, uint16, uint64
float8_e4m3, boolean, dtype = float8_e4m3fn, bool_, DType
Cast, Max, Min, Select = cast, max_, min_, if_then_else
parallel, syncthreads = Parallel, sync_threads
Serial, Unroll, Vectorized, vectorize = serial, unroll, vectorized, vectorized
nearbyint = round_
# TileLang's fast approximations: ours are as exact as they are fast.
globals().update(
    {f"__{f.name}": f for f in (exp, exp2, exp10, log, log2, log10, sin, cos, tan)}
)
c2d_im2col = im2col
sync_grid = grid_sync

__all__ = sorted(
    name
    for name in globals()
    if not name.startswith("_")
    and not name.endswith("_")
    and name
    not in (
        "allocation",
        "atomics",
        "choices",
        "combiners",
        "convolutions",
        "definition",
        "diagnostics",
        "dtypes",
        "elementwise",
        "hints",
        "indexed",
        "kernel",
        "loops",
        "macros",
        "maths",
        "movement",
        "products",
        "reductions",
        "registry",
        "rejected",
        "scans",
        "selections",
        "symbols",
        "threads",
        "types",
        "values",
        "views",
    )
)


def __getattr__(name: str):
    """Names that are refused, so that their use says why; unknown ones as Python does."""
    if name in _REJECTED:
        return _REJECTED[name]
    if name in _dtypes.LATER:
        return name  # refused where it is used as a dtype
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
