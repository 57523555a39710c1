"""The language of kernels: `import tilewright.language as T`.

Written by `scripts/language_stubs.py`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import builtins
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, TypeVar, overload

from .prim_func import PrimFunc as _PrimFunc

_F = TypeVar("_F", bound=Callable[..., Any])

# The language has dtypes of these names.
_bool: TypeAlias = builtins.bool
_int: TypeAlias = builtins.int
_float: TypeAlias = builtins.float

class Value:
    """A scalar that is known when the kernel runs."""

    def __add__(self, other: _Scalar) -> Value: ...
    def __radd__(self, other: _Scalar) -> Value: ...
    def __sub__(self, other: _Scalar) -> Value: ...
    def __rsub__(self, other: _Scalar) -> Value: ...
    def __mul__(self, other: _Scalar) -> Value: ...
    def __rmul__(self, other: _Scalar) -> Value: ...
    def __truediv__(self, other: _Scalar) -> Value: ...
    def __rtruediv__(self, other: _Scalar) -> Value: ...
    def __floordiv__(self, other: _Scalar) -> Value: ...
    def __rfloordiv__(self, other: _Scalar) -> Value: ...
    def __mod__(self, other: _Scalar) -> Value: ...
    def __rmod__(self, other: _Scalar) -> Value: ...
    def __pow__(self, other: _Scalar) -> Value: ...
    def __rpow__(self, other: _Scalar) -> Value: ...
    def __lshift__(self, other: _Scalar) -> Value: ...
    def __rlshift__(self, other: _Scalar) -> Value: ...
    def __rshift__(self, other: _Scalar) -> Value: ...
    def __rrshift__(self, other: _Scalar) -> Value: ...
    def __and__(self, other: _Scalar) -> Value: ...
    def __rand__(self, other: _Scalar) -> Value: ...
    def __or__(self, other: _Scalar) -> Value: ...
    def __ror__(self, other: _Scalar) -> Value: ...
    def __xor__(self, other: _Scalar) -> Value: ...
    def __rxor__(self, other: _Scalar) -> Value: ...
    def __lt__(self, other: _Scalar) -> Value: ...
    def __le__(self, other: _Scalar) -> Value: ...
    def __gt__(self, other: _Scalar) -> Value: ...
    def __ge__(self, other: _Scalar) -> Value: ...
    def __neg__(self) -> Value: ...
    def __pos__(self) -> Value: ...
    def __invert__(self) -> Value: ...
    def __abs__(self) -> Value: ...
    def __eq__(self, other: object) -> Any: ...
    def __ne__(self, other: object) -> Any: ...
    def __bool__(self) -> _bool: ...
    def __index__(self) -> _int: ...
    def astype(self, dtype: _Dtype) -> Value: ...

class Memory(Value):
    """A tensor, a tile, a variable, or a part of one: `A[i, 0:64]`, `A[i, j]`."""

    dtype: DType
    shape: tuple[Any, ...]
    def __getitem__(self, index: Any) -> Memory: ...
    def __setitem__(self, index: Any, value: _Scalar) -> None: ...

class DType:
    """An element type. Equal to any spelling of it: `T.float16 == "float16"`."""

    name: str
    short: str
    bits: _int
    @property
    def itemsize(self) -> _int: ...
    def as_torch(self) -> Any: ...
    def __call__(self, value: _Scalar) -> Value: ...

_Dtype: TypeAlias = DType | str | type | Any
_Scalar: TypeAlias = Value | _int | _float | _bool

class _Kernel1:
    def __enter__(self) -> Value: ...
    def __exit__(self, *error: object) -> None: ...

class _Kernel2:
    def __enter__(self) -> tuple[Value, Value]: ...
    def __exit__(self, *error: object) -> None: ...

class _Kernel3:
    def __enter__(self) -> tuple[Value, Value, Value]: ...
    def __exit__(self, *error: object) -> None: ...

class Ref:
    """Annotation of a macro's parameter that is a variable of the caller, not its value."""

class Tensor:
    """`T.Tensor((M, K), "float16")`: a row-major contiguous tensor in global memory."""

    def __new__(
        cls, shape: Any, dtype: _Dtype = "float32", strides: Any = None, alias: str = ""
    ) -> Any: ...
    def __class_getitem__(cls, item: Any) -> Any: ...

class StridedTensor:
    """`T.StridedTensor(shape, strides, dtype)`: strides in elements, None for any."""

    def __new__(
        cls, shape: Any, strides: Any, dtype: _Dtype = "float32", alias: str = ""
    ) -> Any: ...

Buffer = SharedBuffer = FragmentBuffer = LocalBuffer = Tensor

class _Dyn:
    def __getitem__(self, name: str) -> Any: ...
    def __call__(self, name: str) -> Any: ...

dyn: _Dyn

class GemmWarpPolicy:
    """How warps share the result of a gemm; a hint, which the CPU ignores."""

    Square: str
    FullRow: str
    FullCol: str

def dynamic(
    name: str,
    dtype: _Dtype = None,
    *,
    min: _int = 0,
    max: _int | None = None,
    multiple_of: _int = 1,
) -> Any: ...
def const(name: str, dtype: _Dtype = None) -> Any: ...
@overload
def prim_func(function: Callable[..., Any]) -> _PrimFunc: ...
@overload
def prim_func(**options: Any) -> Callable[[Callable[..., Any]], _PrimFunc]: ...
@overload
def macro(function: _F) -> _F: ...
@overload
def macro(**options: Any) -> Callable[[_F], _F]: ...
def ptr(*arguments: Any, **options: Any) -> Any: ...
@overload
def Kernel(x: _Scalar, /, *, threads: Any = None, is_cpu: _bool = False) -> _Kernel1:
    """A grid of up to three extents; `as` names the block's coordinates, the first fastest.
    Without extents it is one block.

    `threads` is a hint (a number, or up to three that are multiplied): GPU backends honour
    it where they can, and choose by what fragments take of the registers where it is left
    out; the CPU ignores it. `is_cpu` is TileLang's; the target decides.
    """
@overload
def Kernel(
    x: _Scalar, y: _Scalar, /, *, threads: Any = None, is_cpu: _bool = False
) -> _Kernel2: ...
@overload
def Kernel(
    x: _Scalar, y: _Scalar, z: _Scalar, /, *, threads: Any = None, is_cpu: _bool = False
) -> _Kernel3: ...
def Not(condition: _Scalar) -> Any:
    """Whether the condition does not hold, as Python's `not`."""
@overload
def Parallel(x: _Scalar, /, **hints: Any) -> Iterator[Value]:
    """`for i, j in T.Parallel(m, n)`: elementwise code whose iterations have no order.

    An extent known at run time only is taken a chunk at a time.
    """
@overload
def Parallel(
    x: _Scalar, y: _Scalar, /, *rest: _Scalar, **hints: Any
) -> Iterator[tuple[Any, ...]]: ...
def Persistent(
    domain: Any,
    wave_size: _Scalar,
    index: _Scalar,
    group_size: _int | Any = 8,
    num_stages: _int | Any = 0,
    *,
    annotations: Any = None,
) -> Iterator[Any]:
    """`for bx, by in T.Persistent([m, n], blocks, block)`: one block's share of a domain.

    Of `wave_size` blocks, each with another `index`, every point of the domain goes to one;
    a block takes its points one after the other. `group_size` is a hint about their order,
    `num_stages` one about how many points' copies may be in flight.
    """
def Pipelined(
    start: _Scalar,
    stop: _Scalar | None = None,
    num_stages: _int | Any = 0,
    *,
    order: Any = None,
    stage: Any = None,
    sync: Any = None,
    group: Any = None,
    annotations: Any = None,
) -> Iterator[Any]:
    """`for i in T.Pipelined(n, num_stages=3)`: the result of T.serial(n), always.

    `num_stages` is a hint: how many iterations' copies may be in flight. `order`, `stage`,
    `sync`, `group` and `annotations` are TileLang's manual schedule and are not needed.
    """
def abs(x: _Scalar) -> Any:
    """The magnitude. The most negative integer stays itself."""
def acos(x: _Scalar) -> Any:
    """The angle of a cosine, in radians. An integer argument becomes float32."""
def acosh(x: _Scalar) -> Any:
    """The inverse of the hyperbolic cosine. An integer argument becomes float32."""
def align_up(a: _Scalar, b: _Scalar) -> Any:
    """The least multiple of b that is not below a, of integers."""
def all_of(first: Any, *rest: _Scalar) -> Any:
    """Whether every condition, or element of a region, holds. All are computed."""
def alloc_fragment(
    shape: Any,
    dtype: _Dtype = 'float32',
    scope: str | Any = 'fragment',
) -> Memory:
    """A tile held in registers; its layout is the compiler's business. Starts undefined."""
def alloc_global(shape: Any, dtype: _Dtype = 'float32') -> Memory:
    """A workspace in global memory that lives for the call; sizes may be dynamic."""
def alloc_local(shape: Any, dtype: _Dtype = 'float32', scope: str | Any = 'local') -> Memory:
    """A small private array. Starts undefined."""
def alloc_reducer(
    shape: Any,
    dtype: _Dtype = 'float32',
    op: str | Any = 'sum',
    replication: Any = None,
) -> Memory:
    """A tile into whose elements iterations of T.Parallel combine values: `r[i] += x`, or
    `r[i] = T.max(r[i], x)` with `op="max"`, or T.min. T.fill sets what it starts with; sums
    of floats depend on the order, which is not specified. `replication` is a hint.
    """
def alloc_shared(shape: Any, dtype: _Dtype = 'float32', scope: str | Any = 'shared') -> Memory:
    """A tile that all work of a block can index freely. Starts undefined."""
def alloc_var(
    dtype: _Dtype,
    init: _Scalar | None = None,
    scope: str | Any = 'local.var',
) -> Memory:
    """A scalar variable: assigning to its name stores. `init` is its first value."""
def annotate_l2_hit_ratio(ratios: Any) -> None:
    """Cache residency is the compiler's business."""
def annotate_layout(layouts: Any, allow_reannotation: Any = None) -> None:
    """Layouts are the compiler's business; the argument is not even evaluated."""
def annotate_padding(paddings: Any) -> None:
    """Padding of shared tiles is the compiler's business."""
def any_of(first: Any, *rest: _Scalar) -> Any:
    """Whether any condition, or element of a region, holds. All are computed."""
def asin(x: _Scalar) -> Any:
    """The angle of a sine, in radians. An integer argument becomes float32."""
def asinh(x: _Scalar) -> Any:
    """The inverse of the hyperbolic sine. An integer argument becomes float32."""
def assume(condition: _Scalar) -> None:
    """State a fact that the compiler may rely on; where it is false, anything may happen."""
def atan(x: _Scalar) -> Any:
    """The angle of a tangent, in radians. An integer argument becomes float32."""
def atan2(a: _Scalar, b: _Scalar) -> Any:
    """The angle of the point (b, a), from -pi to pi. Integer arguments become float32."""
def atanh(x: _Scalar) -> Any:
    """The inverse of the hyperbolic tangent. An integer argument becomes float32."""
def atomic_add(
    dst: Any,
    value: Any,
    memory_order: Any = None,
    *,
    return_prev: _bool | Any = False,
    use_tma: _bool | Any = False,
    annotations: Any = None,
) -> Any:
    """Add `value` to `dst` indivisibly. `dst` is an element and `value` a scalar, or both are
    regions of one shape. With `return_prev` an element's former value is the result.
    `memory_order` and `use_tma` are hints.
    """
def atomic_addx2(dst: Any, value: Any, return_prev: _bool | Any = False) -> None:
    """Add two neighbours, the first of which `value` names, to those at `dst`. Each is
    indivisible by itself.
    """
def atomic_addx4(dst: Any, value: Any, return_prev: _bool | Any = False) -> None:
    """Add four neighbours, as T.atomic_addx2 adds two."""
def atomic_and(
    dst: Any,
    value: Any,
    memory_order: Any = None,
    *,
    return_prev: _bool | Any = False,
    use_tma: _bool | Any = False,
    annotations: Any = None,
) -> Any:
    """And `value` into `dst` indivisibly. `dst` is an element and `value` a scalar, or both
    are regions of one shape. With `return_prev` an element's former value is the result.
    `memory_order` and `use_tma` are hints.
    """
def atomic_max(
    dst: Any,
    value: Any,
    memory_order: Any = None,
    *,
    return_prev: _bool | Any = False,
    use_tma: _bool | Any = False,
    annotations: Any = None,
) -> Any:
    """Raise `dst` to `value` indivisibly. `dst` is an element and `value` a scalar, or both
    are regions of one shape. With `return_prev` an element's former value is the result.
    `memory_order` and `use_tma` are hints.
    """
def atomic_min(
    dst: Any,
    value: Any,
    memory_order: Any = None,
    *,
    return_prev: _bool | Any = False,
    use_tma: _bool | Any = False,
    annotations: Any = None,
) -> Any:
    """Lower `dst` to `value` indivisibly. `dst` is an element and `value` a scalar, or both
    are regions of one shape. With `return_prev` an element's former value is the result.
    `memory_order` and `use_tma` are hints.
    """
def atomic_or(
    dst: Any,
    value: Any,
    memory_order: Any = None,
    *,
    return_prev: _bool | Any = False,
    use_tma: _bool | Any = False,
    annotations: Any = None,
) -> Any:
    """Or `value` into `dst` indivisibly. `dst` is an element and `value` a scalar, or both are
    regions of one shape. With `return_prev` an element's former value is the result.
    `memory_order` and `use_tma` are hints.
    """
def atomic_xor(
    dst: Any,
    value: Any,
    memory_order: Any = None,
    *,
    return_prev: _bool | Any = False,
    use_tma: _bool | Any = False,
    annotations: Any = None,
) -> Any:
    """Exclusive-or `value` into `dst` indivisibly. `dst` is an element and `value` a scalar,
    or both are regions of one shape. With `return_prev` an element's former value is the
    result. `memory_order` and `use_tma` are hints.
    """
bfloat16: DType
bool: DType
boolean: DType
def cast(value: _Scalar, dtype: _Dtype) -> Any:
    """Numeric conversion: to nearest even, saturating to fp8, fp4 and integers."""
def ceil(x: _Scalar) -> Any:
    """The smallest whole number from x on. The result has the type of x."""
def ceildiv(a: _Scalar, b: _Scalar) -> Any:
    """The quotient of integers rounded up."""
def choose(name: Any, entries: Any) -> Any:
    """`BN = T.choose("BN", [64, 32, 16])`: the first entry that fits the target's memory.

    Of several choices in a kernel those are taken that stand nearest to the first entries
    in all, so that none is small where another could give way.
    """
def clamp(x: _Scalar, lo: _Scalar, hi: _Scalar) -> Any:
    """max(lo, min(x, hi)); NaN stays NaN."""
def clear(dst: Any, *, annotations: Any = None) -> None:
    """Set every element to zero."""
def clz(x: _Scalar) -> Any:
    """How many bits are 0 above the highest 1; of 0, all. The result has the type of x."""
def copy(
    src: Any,
    dst: Any,
    *,
    coalesced_width: Any = None,
    disable_tma: Any = None,
    eviction_policy: Any = None,
    loop_layout: Any = None,
    prefer_instruction: Any = None,
    annotations: Any = None,
) -> None:
    """Copy a region to another of the same shape, converting element types.

    A side is a tile, a tensor, a slice, or a start index that takes the other side's shape.
    Outside a global tensor reads give zero and writes do nothing. The hints are accepted
    and not needed.
    """
def copysign(a: _Scalar, b: _Scalar) -> Any:
    """The magnitude of a with the sign of b. Integer arguments become float32."""
def cos(x: _Scalar) -> Any:
    """The cosine of x in radians. An integer argument becomes float32."""
def cosh(x: _Scalar) -> Any:
    """The hyperbolic cosine. An integer argument becomes float32."""
def cummax(
    src: Any,
    dst: Any = None,
    dim: _int | Any = 0,
    reverse: _bool | Any = False,
    *,
    exclusive: _bool | Any = False,
    annotations: Any = None,
) -> None:
    """Running maxima (NaN wins) along `dim`, from the end with `reverse`. Without `dst`, in
    place. With `exclusive`, element i is left out of result i.
    """
def cumsum(
    src: Any,
    dst: Any = None,
    dim: _int | Any = 0,
    reverse: _bool | Any = False,
    *,
    exclusive: _bool | Any = False,
    annotations: Any = None,
) -> None:
    """Running sums along `dim`, from the end with `reverse`. Without `dst`, in place. With
    `exclusive`, element i is left out of result i.
    """
def device_assert(condition: _Scalar, msg: str | Any = '') -> None:
    """Fail the launch, with the message and this line, unless the condition holds."""
def disable_warp_group_reg_alloc() -> None:
    """Register budgets are the compiler's business."""
double: DType
def empty(*values: Any, dtype: _Dtype = 'float32') -> Memory:
    """An output of an eager kernel, to be returned: `C = T.empty((M, N), "float16")`."""
def erf(x: _Scalar) -> Any:
    """The error function. An integer argument becomes float32."""
def exp(x: _Scalar) -> Any:
    """e to the power x. An integer argument becomes float32."""
def exp10(x: _Scalar) -> Any:
    """10 to the power x, computed in at least float32, where narrow floats have no 10."""
def exp2(x: _Scalar) -> Any:
    """2 to the power x. An integer argument becomes float32."""
def expm1(x: _Scalar) -> Any:
    """e to the power x, less 1. An integer argument becomes float32."""
def fill(dst: Any, value: _Scalar, *, annotations: Any = None) -> None:
    """Set every element of a tile, tensor, variable or slice."""
def finalize_reducer(reducer: Any) -> None:
    """What iterations combined is there once their loop ends: nothing is left to do."""
float: DType
float16: DType
float32: DType
float4_e2m1fn: DType
float64: DType
float8_e4m3: DType
float8_e4m3b11fnuz: DType
float8_e4m3fn: DType
float8_e4m3fnuz: DType
float8_e5m2: DType
float8_e5m2fnuz: DType
float8_e8m0fnu: DType
def floor(x: _Scalar) -> Any:
    """The largest whole number up to x. The result has the type of x."""
def floordiv(a: _Scalar, b: _Scalar) -> Any:
    """The quotient rounded down, as `//`."""
def floormod(a: _Scalar, b: _Scalar) -> Any:
    """The rest of the quotient rounded down, as `%`."""
def fma(a: _Scalar, b: _Scalar, c: _Scalar) -> Any:
    """a * b + c with one rounding."""
def fmod(a: _Scalar, b: _Scalar) -> Any:
    """The rest of a / b rounded towards zero: it has the sign of a, where % has that of b.
    Integer arguments become float32.
    """
def gather(src: Any, indices: Any, dst: Any, axis: _int | Any = 0, fill: _Scalar = 0) -> None:
    """Copy rows of `src` that an index tile names: dst[i, j] = src[indices[i], j].

    `axis` is the dimension of `src` that the indices count along. `src` may be a start
    index or a slice whose other dimensions say what of a row is taken. A negative index, or
    one past the end, gives `fill`.
    """
def gemm(
    A: Any,
    B: Any,
    C: Any,
    transpose_A: _bool | Any = False,
    transpose_B: _bool | Any = False,
    policy: str | Any = 'square',
    clear_accum: _Scalar = False,
    *,
    k_pack: _int | Any = 1,
    wg_wait: _int | Any = 0,
    precision: str | Any = 'default',
    annotations: Any = None,
) -> None:
    """C += A B on tiles; with `clear_accum`, C is the product alone.

    A is (M, K), or (K, M) where `transpose_A`; B is (K, N), or (N, K) where `transpose_B`.
    Operands are shared tiles, slices of them, or fragments. `clear_accum` may be a run-time
    condition. Floats are accumulated in at least f32; integers are exact and wrap.
    `policy`, `k_pack` and `wg_wait` are hints.
    """
def get_thread_binding(dim: _int | Any = 0) -> Value:
    """The thread's coordinate, of T.Kernel(threads=...), 128 unless that says otherwise.
    Statements that depend on it run on every thread, up to the next barrier or operation on
    whole tiles; variables and local arrays are then each thread's own.
    """
def get_thread_bindings() -> tuple:
    """The thread's coordinates in all dimensions, the first fastest."""
@overload
def grid(x: _Scalar, /) -> Iterator[Value]:
    """`for i, j in T.grid(m, n)`: a nest of ordinary loops."""
@overload
def grid(x: _Scalar, y: _Scalar, /, *rest: _Scalar) -> Iterator[tuple[Any, ...]]: ...
def grid_sync() -> None:
    """Every block waits here for all blocks of its grid, and sees what they wrote.

    Where blocks do not run at once, as on the CPU, the kernel is split here: a tile, a
    variable or a value read from memory may not live across it.
    """
half: DType
def hypot(a: _Scalar, b: _Scalar) -> Any:
    """The square root of a * a + b * b, without overflow on the way."""
def if_then_else(condition: _Scalar, a: Any, b: Any) -> Any:
    """`a` where the condition holds, else `b`; the other side is not read."""
def im2col(
    img: Any,
    col: Any,
    nhw_step: _Scalar,
    c_step: _Scalar,
    kernel: Any,
    stride: Any,
    dilation: Any,
    pad: Any,
    eviction_policy: Any = None,
    annotations: Any = None,
) -> None:
    """Fill `col` with a tile of the matrix whose product with a filter is a convolution.

    `img` is a tensor (N, H, W, C). A row of the matrix is a point (n, h, w) of the output,
    a column a tap and channel (y, x, c) of the square `kernel`, both counted row by row;
    `col` is tile number (`nhw_step`, `c_step`) of it. Outside the image elements are zero.
    """
def infinity(dtype: _Dtype) -> Any:
    """Positive infinity of a float type."""
int: DType
int16: DType
int32: DType
int64: DType
int8: DType
def isfinite(x: _Scalar) -> Any:
    """Whether x is neither NaN nor infinite."""
def isinf(x: _Scalar) -> Any:
    """Whether x is an infinity."""
def isnan(x: _Scalar) -> Any:
    """Whether x is NaN."""
def log(x: _Scalar) -> Any:
    """The natural logarithm. An integer argument becomes float32."""
def log10(x: _Scalar) -> Any:
    """The logarithm to base 10. An integer argument becomes float32."""
def log1p(x: _Scalar) -> Any:
    """The natural logarithm of 1 + x, which may be close to 1. An integer argument becomes
    float32.
    """
def log2(x: _Scalar) -> Any:
    """The logarithm to base 2. An integer argument becomes float32."""
long: DType
def loop_break() -> None:
    """Leave the innermost loop of this function; Python's `break`."""
def max(a: _Scalar, b: _Scalar, *rest: _Scalar) -> Any:
    """The largest; NaN wins."""
def max_value(dtype: _Dtype) -> Any:
    """The largest finite value of a type."""
def min(a: _Scalar, b: _Scalar, *rest: _Scalar) -> Any:
    """The smallest; NaN wins."""
def min_value(dtype: _Dtype) -> Any:
    """The most negative finite value of a type."""
def no_set_max_nreg() -> None:
    """Register budgets are the compiler's business."""
def popcount(x: _Scalar) -> Any:
    """How many bits of an integer are 1. The result has the type of x."""
def pow(a: _Scalar, b: _Scalar) -> Any:
    """a to the power b."""
def print(
    obj: Any = None,
    msg: str | Any = '',
    *,
    warp_group_id: Any = None,
    warp_id: Any = None,
) -> None:
    """Print a scalar, or every element of a tile, with a message, while the kernel runs.

    Lines of different blocks have no order.
    """
def reduce(
    src: Any,
    dst: Any,
    dim: Any,
    combiner: Any,
    identity: _Scalar,
    clear: _bool | Any = True,
) -> None:
    """The combination of one's own of `src` along `dim` into `dst`.

    `combiner` is a function of two scalars, a lambda or a @T.macro, associative and the
    same with its arguments swapped; `identity` is the scalar with which it leaves every
    other, and `identity` itself, unchanged: `T.reduce(x, y, 1, lambda a, b: a * b, 1)`.
    Floats narrower than float32 are combined in it and rounded once. With `clear=False` the
    former value of `dst` takes part.
    """
def reduce_absmax(
    src: Any,
    dst: Any,
    dim: _int | Any = -1,
    clear: _bool | Any = True,
    *,
    batch: _int | Any = 1,
    nan_propagate: _bool | Any = True,
    annotations: Any = None,
) -> None:
    """The largest magnitude of `src` along `dim` into `dst`. With `clear=False` the former
    value of `dst` takes part. With `nan_propagate=False` NaN is left out.
    """
def reduce_abssum(
    src: Any,
    dst: Any,
    dim: _int | Any = -1,
    clear: _bool | Any = True,
    *,
    batch: _int | Any = 1,
    nan_propagate: _bool | Any = True,
    annotations: Any = None,
) -> None:
    """The sum of magnitudes of `src` along `dim` into `dst`. With `clear=False` the former
    value of `dst` takes part.
    """
def reduce_all(
    src: Any,
    dst: Any,
    dim: _int | Any = -1,
    clear: _bool | Any = True,
    *,
    batch: _int | Any = 1,
    nan_propagate: _bool | Any = True,
    annotations: Any = None,
) -> None:
    """Whether every element is not zero of `src` along `dim` into `dst`. With `clear=False`
    the former value of `dst` takes part.
    """
def reduce_any(
    src: Any,
    dst: Any,
    dim: _int | Any = -1,
    clear: _bool | Any = True,
    *,
    batch: _int | Any = 1,
    nan_propagate: _bool | Any = True,
    annotations: Any = None,
) -> None:
    """Whether any element is not zero of `src` along `dim` into `dst`. With `clear=False` the
    former value of `dst` takes part.
    """
def reduce_argmax(
    src: Any,
    dst: Any,
    dim: _int | Any = -1,
    clear: _bool | Any = True,
    *,
    batch: _int | Any = 1,
    nan_propagate: _bool | Any = True,
    annotations: Any = None,
) -> None:
    """The position of the maximum, the lowest among equals, of `src` along `dim` into `dst`.
    With `clear=False` the former value of `dst` takes part.
    """
def reduce_argmin(
    src: Any,
    dst: Any,
    dim: _int | Any = -1,
    clear: _bool | Any = True,
    *,
    batch: _int | Any = 1,
    nan_propagate: _bool | Any = True,
    annotations: Any = None,
) -> None:
    """The position of the minimum, the lowest among equals, of `src` along `dim` into `dst`.
    With `clear=False` the former value of `dst` takes part.
    """
def reduce_bitand(
    src: Any,
    dst: Any,
    dim: _int | Any = -1,
    clear: _bool | Any = True,
    *,
    batch: _int | Any = 1,
    nan_propagate: _bool | Any = True,
    annotations: Any = None,
) -> None:
    """The bitwise and of `src` along `dim` into `dst`. With `clear=False` the former value of
    `dst` takes part.
    """
def reduce_bitor(
    src: Any,
    dst: Any,
    dim: _int | Any = -1,
    clear: _bool | Any = True,
    *,
    batch: _int | Any = 1,
    nan_propagate: _bool | Any = True,
    annotations: Any = None,
) -> None:
    """The bitwise or of `src` along `dim` into `dst`. With `clear=False` the former value of
    `dst` takes part.
    """
def reduce_bitxor(
    src: Any,
    dst: Any,
    dim: _int | Any = -1,
    clear: _bool | Any = True,
    *,
    batch: _int | Any = 1,
    nan_propagate: _bool | Any = True,
    annotations: Any = None,
) -> None:
    """The bitwise exclusive or of `src` along `dim` into `dst`. With `clear=False` the former
    value of `dst` takes part.
    """
def reduce_max(
    src: Any,
    dst: Any,
    dim: _int | Any = -1,
    clear: _bool | Any = True,
    *,
    batch: _int | Any = 1,
    nan_propagate: _bool | Any = True,
    annotations: Any = None,
) -> None:
    """The maximum (NaN wins) of `src` along `dim` into `dst`. With `clear=False` the former
    value of `dst` takes part. With `nan_propagate=False` NaN is left out.
    """
def reduce_min(
    src: Any,
    dst: Any,
    dim: _int | Any = -1,
    clear: _bool | Any = True,
    *,
    batch: _int | Any = 1,
    nan_propagate: _bool | Any = True,
    annotations: Any = None,
) -> None:
    """The minimum (NaN wins) of `src` along `dim` into `dst`. With `clear=False` the former
    value of `dst` takes part. With `nan_propagate=False` NaN is left out.
    """
def reduce_sum(
    src: Any,
    dst: Any,
    dim: _int | Any = -1,
    clear: _bool | Any = True,
    *,
    batch: _int | Any = 1,
    nan_propagate: _bool | Any = True,
    annotations: Any = None,
) -> None:
    """The sum of `src` along `dim` into `dst`. With `clear=False` the former value of `dst`
    takes part.
    """
def reinterpret(value: _Scalar, dtype: _Dtype) -> Any:
    """The same bits as another type of the same width."""
def reshape(src: Any, shape: Any) -> Memory:
    """A tile or tensor over the same memory, in another shape of as many elements."""
def round(x: _Scalar) -> Any:
    """The nearest whole number, half to even. The result has the type of x."""
def rsqrt(x: _Scalar) -> Any:
    """One over the square root. An integer argument becomes float32."""
def scan(
    src: Any,
    dst: Any = None,
    dim: _int | Any = 0,
    *,
    combiner: Any,
    identity: _Scalar | None = None,
    reverse: _bool | Any = False,
    exclusive: _bool | Any = False,
) -> None:
    """Running combinations of one's own along `dim`, from the end with `reverse`.

    `combiner` is an associative function of two scalars, the first of which holds what the
    scan met first: `T.scan(x, dim=1, combiner=lambda a, b: a * b)`. Without `dst`, in
    place. With `exclusive`, element i is left out of result i, and the first result is
    `identity`. Floats narrower than float32 are combined in it.
    """
def scatter(
    src: Any,
    indices: Any,
    dst: Any,
    axis: _int | Any = 0,
    *,
    atomic: _bool | Any = False,
) -> None:
    """Copy rows to where an index tile says: dst[indices[i], j] = src[i, j].

    `axis` is the dimension of `dst`, a tensor or shared tile, that the indices count along.
    `dst` may be a start index or a slice whose other dimensions say where in a row it is
    written. A row with a negative index, or one past the end, is left out. Where an index
    repeats, the last row with it wins; with `atomic`, rows are added by T.atomic_add.
    """
def serial(
    start: _Scalar,
    stop: _Scalar | None = None,
    step: _Scalar = 1,
    *,
    annotations: Any = None,
) -> Iterator[Any]:
    """`for i in T.serial(n)`: an ordinary loop."""
short: DType
def sigmoid(x: _Scalar) -> Any:
    """1 / (1 + exp(-x)), computed in at least float32."""
def sin(x: _Scalar) -> Any:
    """The sine of x in radians. An integer argument becomes float32."""
def sinh(x: _Scalar) -> Any:
    """The hyperbolic sine. An integer argument becomes float32."""
def sort(
    src: Any,
    dim: _int | Any = -1,
    descending: _bool | Any = False,
) -> tuple[Memory, Memory]:
    """All elements in order along `dim`, ascending, and their int32 positions.

    Gives two fragments (values, indices) of the shape of `src`, which stays as it is. Equal
    elements, -0.0 and 0.0 among them, come in the order of their positions; NaN comes first
    in either direction, as in T.topk, whose result is the beginning of this one.
    """
def sqrt(x: _Scalar) -> Any:
    """The square root. An integer argument becomes float32."""
def static_assert(condition: _Scalar, msg: str | Any = '') -> None:
    """Stop compiling unless the condition, a compile-time value, holds."""
def static_print(*values: Any) -> None:
    """Print while compiling."""
def sync_threads(barrier_id: Any = None, arrive_count: Any = None) -> None:
    """Each operation sees what those before it wrote: nothing is left to wait for."""
def sync_warp(mask: Any = None) -> None:
    """As T.sync_threads."""
def tan(x: _Scalar) -> Any:
    """The tangent of x in radians. An integer argument becomes float32."""
def tanh(x: _Scalar) -> Any:
    """The hyperbolic tangent. An integer argument becomes float32."""
tf32: DType
tfloat32: DType
def topk(
    src: Any,
    k: Any,
    dim: _int | Any = -1,
    *,
    largest: _bool | Any = True,
) -> tuple[Memory, Memory]:
    """The `k` largest elements along `dim`, descending, and their int32 positions.

    Gives two fragments (values, indices). Equal elements come in the order of their
    positions; NaN comes first. With `largest=False`, the smallest, ascending.
    """
def transpose(src: Any, dst: Any, *, annotations: Any = None) -> None:
    """Copy a matrix turned over: dst[j, i] = src[i, j]."""
def trunc(x: _Scalar) -> Any:
    """x without its fraction. The result has the type of x."""
def tvm_storage_sync(scope: Any) -> None:
    """As T.sync_threads."""
uint: DType
uint16: DType
uint32: DType
uint64: DType
uint8: DType
ulong: DType
def unroll(
    start: _Scalar,
    stop: _Scalar | None = None,
    step: _Scalar = 1,
    *,
    explicit: Any = None,
    unroll_factor: Any = None,
    annotations: Any = None,
) -> Iterator[Any]:
    """A loop written out at compile time; its variable is a Python integer."""
def use_swizzle(
    panel_size: _int | Any = 8,
    order: str | Any = 'row',
    enable: _bool | Any = True,
) -> None:
    """The order of blocks is the compiler's business."""
ushort: DType
def vectorized(
    start: _Scalar,
    stop: _Scalar | None = None,
    *,
    annotations: Any = None,
) -> Iterator[Any]:
    """An ordinary loop; every loop is vectorised where that pays."""
def view(src: Any, shape: Any = None, dtype: _Dtype = None) -> Memory:
    """A tile or tensor over the same memory, in another shape and as another element type.

    Nothing is copied: what is written through one is read through the other. Both have the
    same number of bytes; without a shape, the last dimension is scaled. Elements are
    counted row by row.
    """
Cast = cast
Max = max
Min = min
Select = if_then_else
Serial = serial
Unroll = unroll
Vectorized = vectorized
c2d_im2col = im2col
dtype = DType
nearbyint = round
parallel = Parallel
symbolic = dynamic
sync_grid = grid_sync
syncthreads = sync_threads
vectorize = vectorized
