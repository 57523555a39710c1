"""Which builds of a function no call comes to, since one before them takes all that they take.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Sequence

from ..compiler.signature_table import Parameter, Signature, Size


def unreachable(builds: Sequence[tuple[str, Signature]]) -> list[tuple[str, str]]:
    """Names of builds that are never taken, each with that of the one which is taken instead.

    What is said is so; of sizes that are expressions nothing is said.
    """
    found = []
    for index, (name, signature) in enumerate(builds):
        for earlier, other in builds[:index]:
            if _takes_all(other, signature):
                found.append((name, earlier))
                break
    return found


def _takes_all(first: Signature, second: Signature) -> bool:
    """Whether `first` takes every call that `second` takes."""
    facts = {size.name: size for size in second.sizes}
    bound: dict[str, int | str] = {}
    return (
        all(_takes(a, b, bound) for a, b in zip(first.parameters, second.parameters))
        and len(first.parameters) == len(second.parameters)
        and all(_implied(size, bound.get(size.name), facts) for size in first.sizes)
    )


def _takes(a: Parameter, b: Parameter, bound: dict[str, int | str]) -> bool:
    """Whether `a` takes what `b` takes; `bound` says what sizes of `a` are in `b`."""
    if a.dtype != b.dtype or a.alignment > b.alignment or a.alias != b.alias:
        return False
    if a.shape is None or b.shape is None:
        return a.shape == b.shape and (not a.size or _same(a.size, b.size, bound))
    if len(a.shape) != len(b.shape) or not all(
        _same(x, y, bound) for x, y in zip(a.shape, b.shape)
    ):
        return False
    if not a.strides:  # contiguous
        return not b.strides
    if not b.strides:
        return all(stride is None for stride in a.strides)
    return all(x is None or _same(x, y, bound) for x, y in zip(a.strides, b.strides))


def _same(a: int | str, b: int | str | None, bound: dict[str, int | str]) -> bool:
    """Whether the dimension `a` is whatever `b` is. A size is one thing throughout."""
    if b is None or isinstance(a, int) or not a.isidentifier():
        return a == b and isinstance(a, int)
    return bound.setdefault(a, b) == b


def _implied(size: Size, value: int | str | None, facts: dict[str, Size]) -> bool:
    """Whether what is asked of a size holds for all that it can be."""
    if isinstance(value, int):
        known = Size("", value, value, value or size.multiple_of)
    elif value in facts:
        known = facts[value]
    else:
        return size.minimum == 0 and size.maximum is None and size.multiple_of == 1
    most, limit = known.maximum, size.maximum
    return (
        known.minimum >= size.minimum
        and (limit is None or (most is not None and most <= limit))
        and known.multiple_of % size.multiple_of == 0
    )
