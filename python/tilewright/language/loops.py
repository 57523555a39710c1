"""Loops: what `for` may run over.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math

from .registry import Ref, Static, operation

_MAX_UNROLL = 1024


class Loop:
    """A run-time loop, or nest of loops, that a `for` is to open.

    `kind` is serial, parallel, pipelined or unroll; `bounds` holds (start, stop) for each
    variable; an unrolled loop has `items` instead. Where there is a `domain`, the one bound
    is of positions in it, and the variables are the coordinates.
    """

    __slots__ = ("kind", "bounds", "step", "stages", "items", "domain")

    def __init__(
        self,
        kind: str,
        bounds: list,
        step: object = 1,
        stages: int = 1,
        items: tuple = (),
        domain: tuple = (),
    ) -> None:
        self.kind, self.bounds, self.step = kind, bounds, step
        self.stages, self.items, self.domain = stages, items, domain


def _span(start, stop):
    return (0, start) if stop is None else (start, stop)


def _check_step(k, what, step):
    if isinstance(step, int) and step == 0:
        k.fail(f"{what}: the step is 0", hint="count up by 1 or more, or down by -1 or less")


@operation
def serial(k, start, stop=None, step=1, *, annotations: Static = None) -> Loop:
    """`for i in T.serial(n)`: an ordinary loop."""
    _check_step(k, "T.serial", step)
    return Loop("serial", [_span(start, stop)], step)


@operation
def vectorized(k, start, stop=None, *, annotations: Static = None) -> Loop:
    """An ordinary loop; every loop is vectorised where that pays."""
    return Loop("serial", [_span(start, stop)])


@operation
def grid(k, first, *rest) -> Loop:
    """`for i, j in T.grid(m, n)`: a nest of ordinary loops."""
    return Loop("serial", [(0, extent) for extent in (first, *rest)])


def _stages(k, name: str, num_stages) -> int:
    if not isinstance(num_stages, int) or num_stages < 0:
        k.fail(f"{name}: num_stages={num_stages!r}", hint="a number of stages, 0 or more")
    return max(1, num_stages)


@operation
def unroll(
    k,
    start,
    stop=None,
    step=1,
    *,
    explicit: Static = None,
    unroll_factor: Static = None,
    annotations: Static = None,
) -> Loop:
    """A loop written out at compile time; its variable is a Python integer."""
    _check_step(k, "T.unroll", step)
    start, stop, step = (k.index(x, "a bound of T.unroll") for x in (*_span(start, stop), step))
    for number in (start, stop, step):
        if not isinstance(number, int):
            k.fail(
                "T.unroll: a bound or the step is known only at run time",
                rule="the body is written out at compile time",
                hint="use T.serial",
            )
    items = tuple(range(start, stop, step))
    if len(items) > _MAX_UNROLL:
        k.fail(
            f"T.unroll writes the body out {len(items)} times",
            rule=f"at most {_MAX_UNROLL}",
            hint="use T.serial",
        )
    return Loop("unroll", [], items=items)


@operation
def loop_break(k):
    """Leave the innermost loop of this function; Python's `break`."""
    k.leave(False, "T.loop_break")


@operation
def Parallel(
    k,
    *extents,
    coalesced_width: Static = None,
    loop_layout: Static = None,
    prefer_async: Static = None,
    annotations: Static = None,
) -> Loop:
    """`for i, j in T.Parallel(m, n)`: elementwise code whose iterations have no order.

    An extent known at run time only is taken a chunk at a time.
    """
    if not extents:
        k.fail("T.Parallel without extents", hint="give one extent per loop variable")
    extents = [k.index(extent, "an extent of T.Parallel") for extent in extents]
    for extent in extents:
        if isinstance(extent, int) and extent < 0:
            k.fail(
                f"T.Parallel: the extent {extent} is negative",
                hint="an extent of 0 runs nothing",
            )
    count = math.prod(e for e in extents if isinstance(e, int))
    if count >= 2**31:
        k.fail(
            f"T.Parallel of {count} iterations in one block",
            rule="there are fewer than 2^31",
            hint="let the blocks of T.Kernel share them, or put T.serial around",
        )
    return Loop("parallel", [(0, extent) for extent in extents])


@operation
def Pipelined(
    k,
    start,
    stop=None,
    num_stages: Static = 0,
    *,
    order: Static = None,
    stage: Static = None,
    sync: Static = None,
    group: Static = None,
    annotations: Static = None,
) -> Loop:
    """`for i in T.Pipelined(n, num_stages=3)`: the result of T.serial(n), always.

    `num_stages` is a hint: how many iterations' copies may be in flight. `order`, `stage`,
    `sync`, `group` and `annotations` are TileLang's manual schedule and are not needed.
    """
    return Loop("pipelined", [_span(start, stop)], 1, _stages(k, "T.Pipelined", num_stages))


@operation
def Persistent(
    k,
    domain: Ref,
    wave_size,
    index,
    group_size: Static = 8,
    num_stages: Static = 0,
    *,
    annotations: Static = None,
) -> Loop:
    """`for bx, by in T.Persistent([m, n], blocks, block)`: one block's share of a domain.

    Of `wave_size` blocks, each with another `index`, every point of the domain goes to one;
    a block takes its points one after the other. `group_size` is a hint about their order,
    `num_stages` one about how many points' copies may be in flight.
    """
    if not isinstance(domain, (list, tuple)) or not domain:
        k.fail("T.Persistent: the domain is no list of extents", hint="give [m, n]")
    domain = tuple(k.index(extent, "an extent of T.Persistent") for extent in domain)
    total: object = 1
    for extent in domain:
        constant = isinstance(total, int) and isinstance(extent, int)
        total = total * extent if constant else k.binary("mul", total, extent)
    if isinstance(wave_size, int) and wave_size < 1:
        k.fail(f"T.Persistent: {wave_size} blocks", hint="give the number of blocks")
    stages = _stages(k, "T.Persistent", num_stages)
    kind = "pipelined" if stages > 1 else "serial"
    return Loop(kind, [(index, total)], wave_size, stages, domain=domain)
