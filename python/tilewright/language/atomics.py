"""Atomic updates of global and shared memory.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from .movement import sides
from .registry import Flag, Operation, Ref, Static, operation
from .values import Memory, Region, Value


def check_target(k, what: str, target: Memory) -> None:
    """Refuse memory that is not addressed element by element at run time."""
    if target.space not in ("global", "shared"):
        k.fail(
            f"{what} on {target.name}, which is {target.space} memory",
            rule=f"{what} works on global and shared memory",
            hint="a block alone owns its fragments: update them in T.Parallel",
        )
    k.check_writable(target)
    if target.dtype.is_paired and target.is_global:
        k.fail(
            f"{what} on {target.name}, a tensor of {target.dtype}",
            rule=f"two elements share a byte, and {what} works on whole bytes",
            hint="work in a tile or in a wider type and convert with T.copy",
        )


def _atomic(k, what: str, combiner: str, dst, value, return_prev):
    if not isinstance(dst, (Memory, Region)):
        k.fail(
            f"{what}: its target is no element or region of memory",
            hint="give C[i, j], a tile or a slice",
        )
    target = dst.memory if isinstance(dst, Region) else dst
    check_target(k, what, target)
    if target.dtype.kind == "b" or (combiner.startswith("bit") and target.dtype.is_float):
        k.fail(f"{what} on {target.dtype}", hint="use an integer tensor")
    whole_value = (
        isinstance(value, (Memory, Region))
        and not getattr(value, "variable", False)
        and not (isinstance(value, Region) and value.is_element)
    )
    if not whole_value:
        region = k.region(dst, what)
        if not region.is_element:
            if region.shape != (1,):
                k.fail(
                    f"{what}: a scalar is combined into {target.name} as a whole",
                    hint="index one element, or give a tile of values",
                )
        return update_element(k, combiner, target, region.offsets, value, return_prev)
    if return_prev:
        k.fail(
            f"{what}: return_prev with a tile",
            rule="a former value is a scalar",
            hint="loop with T.Parallel and update element by element",
        )
    k.refuse_in_parallel(what)
    source, region = sides(k, what, value, dst)
    dense = [d for d, s in enumerate(region.sizes) if s != 1]
    inner = [d for d, s in enumerate(source.sizes) if s != 1]
    pairs = dict(zip(inner, dense))

    def element(position):
        at = dict(zip(dense, position))
        here = [k.plus(o, at[d]) if d in at else o for d, o in enumerate(region.offsets)]
        there = [
            k.plus(o, at[pairs[d]]) if d in pairs else o for d, o in enumerate(source.offsets)
        ]
        update_element(k, combiner, target, here, k.load(source.memory, there))

    k.parallel_over([region.sizes[d] for d in dense], element)
    return None


def update_element(
    k, combiner: str, target: Memory, offsets: list, value, return_prev: bool = False
) -> Value | None:
    """Combine a scalar into one element; gives what was there where asked."""
    dtype = target.dtype
    value = k.cast(k.scalar(value, k.store_type(value, dtype)), dtype)
    names, deps = k.element_operands(target, offsets)
    target.read = target.written = True
    k.builder.effects += 1
    if k.reads:
        k.reads.clear()
    unsigned = " unsigned" if dtype.kind == "u" else ""
    former = k.builder.result(
        f"tile.atomic {combiner} {value.ssa}, {target.ssa}[{names}]{unsigned} : {target.type}"
    )
    # What an iteration reads back differs between iterations, whatever its index.
    for loop in k.parallel:
        deps = deps | loop.everything
    return Value(former, dtype, None, deps) if return_prev else None


def _add_several(k, what: str, count: int, dst, value, return_prev) -> None:
    """Add `count` neighbours along the last dimension, each indivisibly by itself."""
    if return_prev:
        k.fail(
            f"{what}: return_prev",
            rule="a former value is a scalar",
            hint="use one T.atomic_add per element",
        )
    for side in (dst, value):
        if not isinstance(side, (Memory, Region)):
            k.fail(
                f"{what}: {side!r} is no element of memory",
                hint=f"give the first of {count} elements, C[i, j]",
            )
    target, source = k.region(dst, what), k.region(value, what)
    check_target(k, what, target.memory)
    for step in range(count):
        here, there = (
            [*side.offsets[:-1], k.plus(side.offsets[-1], step)] for side in (target, source)
        )
        update_element(k, "sum", target.memory, here, k.load(source.memory, there))


@operation
def atomic_addx2(k, dst: Ref, value: Ref, return_prev: Flag = False) -> None:
    """Add two neighbours, the first of which `value` names, to those at `dst`. Each is
    indivisible by itself."""
    _add_several(k, "T.atomic_addx2", 2, dst, value, return_prev)


@operation
def atomic_addx4(k, dst: Ref, value: Ref, return_prev: Flag = False) -> None:
    """Add four neighbours, as T.atomic_addx2 adds two."""
    _add_several(k, "T.atomic_addx4", 4, dst, value, return_prev)


def _declare(name: str, combiner: str, text: str) -> Operation:
    def emit(
        k,
        dst: Ref,
        value: Ref,
        memory_order: Static = None,
        *,
        return_prev: Flag = False,
        use_tma: Static = False,
        annotations: Static = None,
    ) -> Value | None:
        return _atomic(k, f"T.{name}", combiner, dst, value, return_prev)

    emit.__doc__ = (
        f"{text} indivisibly. `dst` is an element and `value` a scalar, or both "
        f"are regions of one shape. With `return_prev` an element's former value "
        f"is the result. `memory_order` and `use_tma` are hints."
    )
    return operation(emit, name=name)


atomic_add = _declare("atomic_add", "sum", "Add `value` to `dst`")
atomic_max = _declare("atomic_max", "max", "Raise `dst` to `value`")
atomic_min = _declare("atomic_min", "min", "Lower `dst` to `value`")
atomic_or = _declare("atomic_or", "bitor", "Or `value` into `dst`")
atomic_and = _declare("atomic_and", "bitand", "And `value` into `dst`")
atomic_xor = _declare("atomic_xor", "bitxor", "Exclusive-or `value` into `dst`")
