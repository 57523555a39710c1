"""Matrix products of tiles.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from . import dtypes
from .movement import fill
from .registry import Flag, Ref, Static, operation
from .values import Value


class GemmWarpPolicy:
    """How warps share the result of a gemm; a hint, which the CPU ignores."""

    Square, FullRow, FullCol = "square", "full_row", "full_col"


_POLICIES = (GemmWarpPolicy.Square, GemmWarpPolicy.FullRow, GemmWarpPolicy.FullCol)


@operation
def gemm(
    k,
    A: Ref,
    B: Ref,
    C: Ref,
    transpose_A: Flag = False,
    transpose_B: Flag = False,
    policy: Static = GemmWarpPolicy.Square,
    clear_accum=False,
    *,
    k_pack: Static = 1,
    wg_wait: Static = 0,
    precision: Static = "default",
    annotations: Static = None,
):
    """C += A B on tiles; with `clear_accum`, C is the product alone.

    A is (M, K), or (K, M) where `transpose_A`; B is (K, N), or (N, K) where `transpose_B`.
    Operands are shared tiles, slices of them, or fragments. `clear_accum` may be a run-time
    condition. Floats are accumulated in at
    least f32; integers are exact and wrap. `policy`, `k_pack` and `wg_wait` are hints.
    """
    a_ssa, a_type, a_shape, a = k.tile(A, "T.gemm: A")
    b_ssa, b_type, b_shape, b = k.tile(B, "T.gemm: B")
    c_ssa, c_type, c_shape, c = k.tile(C, "T.gemm: C")
    a_shape, a_ssa, a_type = _matrix(k, "A", a_ssa, a_type, a_shape)
    b_shape, b_ssa, b_type = _matrix(k, "B", b_ssa, b_type, b_shape)
    c_shape, c_ssa, c_type = _matrix(k, "C", c_ssa, c_type, c_shape)
    m, k_a = reversed(a_shape) if transpose_A else a_shape
    k_b, n = reversed(b_shape) if transpose_B else b_shape
    if k_a != k_b:
        k.fail(
            f"T.gemm: A has K = {k_a} and B has K = {k_b} (A is {a_shape}, B is {b_shape})",
            rule="A is (M, K) and B is (K, N), after their transposes",
            hint=_transpose_hint(a_shape, b_shape, c_shape, transpose_A, transpose_B),
        )
    if c_shape != (m, n):
        k.fail(
            f"T.gemm: C is {c_shape} and the product is ({m}, {n})",
            rule="C is (M, N)",
            hint=_transpose_hint(a_shape, b_shape, c_shape, transpose_A, transpose_B),
        )
    _check_types(k, a.dtype, b.dtype, c.dtype, precision)
    if not isinstance(clear_accum, (Value, int)):
        k.fail(
            f"T.gemm: clear_accum={clear_accum!r}",
            rule="clear_accum is True or False, or a run-time condition",
            hint="leave it out to add to C",
        )
    if policy not in _POLICIES:
        k.fail(
            f"T.gemm: policy={policy!r}",
            rule="policy is T.GemmWarpPolicy.Square, .FullRow or .FullCol",
            hint="it is a hint only; leave it out",
        )
    if c.base in (a.base, b.base):
        k.fail(
            f"T.gemm: {c.name} is operand and result",
            rule="C is neither A nor B",
            hint="accumulate into a tile of its own",
        )
    if isinstance(clear_accum, Value):
        with k.branch(clear_accum):
            fill.emit(k, C, 0)
        clear_accum = False
    a.read = b.read = c.read = c.written = True
    k.builder.effects += 1
    flags = " transpose_a" * bool(transpose_A) + " transpose_b" * bool(transpose_B)
    flags += " clear" * bool(clear_accum) + " unsigned" * (a.dtype.kind == "u")
    flags += " precision tf32" if precision == "tf32" else ""
    if policy != GemmWarpPolicy.Square:
        flags += f' policy "{policy}"'
    k.builder.op(
        f"tile.gemm {a_ssa}, {b_ssa} into {c_ssa}{flags} : {a_type}, {b_type} into {c_type}"
    )


def _matrix(k, which: str, ssa: str, type: str, shape: tuple) -> tuple:
    if len(shape) != 2:
        k.fail(
            f"T.gemm: {which} has {len(shape)} dimensions {shape}",
            rule="operands of a gemm are matrices",
            hint="index the other dimensions: X[i, :, :]",
        )
    return shape, ssa, type


def _transpose_hint(a, b, c, ta, tb) -> str:
    """Transposes that would make the shapes agree, if any."""
    for x in (False, True):
        for y in (False, True):
            m, ka = a[::-1] if x else a
            kb, n = b[::-1] if y else b
            if ka == kb and (m, n) == c and (x, y) != (bool(ta), bool(tb)):
                return f"with transpose_A={x}, transpose_B={y} the shapes agree"
    return "make the tiles' shapes agree"


def _check_types(k, a, b, c, precision) -> None:
    if a is not b and not (a.is_float and b.is_float):
        k.fail(
            f"T.gemm of {a} and {b}",
            rule="A and B have one type, or are both floats",
            hint="convert one of them while copying it into its tile",
        )
    if dtypes.float8_e8m0fnu in (a, b, c):
        k.fail(
            "T.gemm of float8_e8m0fnu",
            rule="e8m0 holds scales, which have no zero and no sign",
            hint="multiply the scaled operand in T.Parallel: T.cast(w, 'float32') * "
            "T.cast(scale, 'float32')",
        )
    if a.kind == "b":
        k.fail("T.gemm of bool", hint="use int8 tiles of zeros and ones")
    if a.is_float != c.is_float or (not a.is_float and c.bits != 32):
        k.fail(
            f"T.gemm of {a} into {c}",
            rule="C is a float where A and B are, and int32 where they are integers",
            hint=f"allocate C as {'float32' if a.is_float else 'int32'}",
        )
    if dtypes.float64 in (a, b) and c is not dtypes.float64:
        k.fail(
            f"T.gemm of {a} and {b} into {c}",
            rule="C is float64 where A or B is",
            hint="allocate C as float64, or copy A and B into tiles of float32",
        )
    if precision not in ("default", "tf32"):
        k.fail(f"T.gemm: precision={precision!r}", hint='"default" or "tf32"')
    if precision == "tf32" and not (a is b is dtypes.float32):
        k.fail(
            f'T.gemm: precision="tf32" on {a} and {b}',
            rule="tf32 multiplies float32",
            hint="leave precision out",
        )
