"""Running combinations along one dimension of a tile.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from ..compiler.scalars import difference
from . import combiners
from .combiners import Combiner
from .reductions import axis_of, unsigned
from .registry import Flag, Operation, Ref, Static, operation
from .values import Region


def _scan(k, what: str, combiner, src, dst, dim, reverse, exclusive) -> None:
    dst = src if dst is None else dst
    s_ssa, s_type, s_shape, s = k.tile(src, f"{what}: src")
    d_ssa, d_type, d_shape, d = (
        (s_ssa, s_type, s_shape, s) if dst is src else k.tile(dst, f"{what}: dst")
    )
    axis = axis_of(k, what, dim, len(s_shape))
    if s_shape != d_shape or s.dtype is not d.dtype:
        k.fail(
            f"{what}: src is {s.dtype} {s_shape} and dst is {d.dtype} {d_shape}",
            rule="both have one shape and element type",
            hint="allocate dst as src, or leave it out",
        )
    if combiner == "sum" and s.dtype.kind == "b":
        k.fail(f"{what} of bool", hint="count in an int32 tile")
    if s is d and _meet_in_part(k.region(src, what), k.region(dst, what)):
        k.fail(
            f"{what}: src and dst are parts of {s.name} that may overlap",
            rule="dst is src itself, or holds none of it",
            hint="leave dst out, or scan into a tile of its own",
        )
    s.read = d.written = True
    flags = " reverse" * bool(reverse) + " exclusive" * bool(exclusive) + unsigned(s.dtype)
    operands = f"{s_ssa} into {d_ssa} dim {axis}{flags} : {s_type} into {d_type}"
    combiners.emit(k, what, "tile.scan", combiner, operands, s.dtype)


def _meet_in_part(a: Region, b: Region) -> bool:
    """Whether two regions of one memory and shape may share elements but not all."""
    steps = [difference(p, q) for p, q in zip(a.offsets, b.offsets)]
    apart = any(s is not None and abs(s) >= size for s, size in zip(steps, a.sizes))
    return not apart and any(s != 0 for s in steps)


def _declare(name: str, combiner: str, text: str) -> Operation:
    def emit(
        k,
        src: Ref,
        dst: Ref = None,
        dim: Static = 0,
        reverse: Flag = False,
        *,
        exclusive: Flag = False,
        annotations: Static = None,
    ):
        _scan(k, f"T.{name}", combiner, src, dst, dim, reverse, exclusive)

    emit.__doc__ = (
        f"{text} along `dim`, from the end with `reverse`. Without `dst`, in place. With "
        f"`exclusive`, element i is left out of result i."
    )
    return operation(emit, name=name)


cumsum = _declare("cumsum", "sum", "Running sums")
cummax = _declare("cummax", "max", "Running maxima (NaN wins)")


@operation
def scan(
    k,
    src: Ref,
    dst: Ref = None,
    dim: Static = 0,
    *,
    combiner: Static,
    identity=None,
    reverse: Flag = False,
    exclusive: Flag = False,
):
    """Running combinations of one's own along `dim`, from the end with `reverse`.

    `combiner` is an associative function of two scalars, the first of which holds what the
    scan met first: `T.scan(x, dim=1, combiner=lambda a, b: a * b)`. Without `dst`, in place.
    With `exclusive`, element i is left out of result i, and the first result is `identity`.
    Floats narrower than float32 are combined in it.
    """
    if exclusive and identity is None:
        k.fail(
            "T.scan: exclusive without an identity",
            rule="the first result of an exclusive scan is the combiner's identity",
            hint="give it, such as identity=0 for a sum",
        )
    own = Combiner(combiner, identity if exclusive else None)
    _scan(k, "T.scan", own, src, dst, dim, reverse, exclusive)
