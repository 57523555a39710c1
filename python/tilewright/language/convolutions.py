"""Convolution as a product: `T.im2col` brings the rows of its left side.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import operator

from .registry import Ref, Static, operation
from .values import Memory

_FOLDED = {"mul": operator.mul, "floordiv": operator.floordiv, "mod": operator.mod}


@operation
def im2col(
    k,
    img: Ref,
    col: Ref,
    nhw_step,
    c_step,
    kernel: Static,
    stride: Static,
    dilation: Static,
    pad: Static,
    eviction_policy: Static = None,
    annotations: Static = None,
):
    """Fill `col` with a tile of the matrix whose product with a filter is a convolution.

    `img` is a tensor (N, H, W, C). A row of the matrix is a point (n, h, w) of the output, a
    column a tap and channel (y, x, c) of the square `kernel`, both counted row by row; `col`
    is tile number (`nhw_step`, `c_step`) of it. Outside the image elements are zero.
    """
    what = "T.im2col"
    k.refuse_in_parallel(what)
    for side, rank, form in ((img, 4, "an image (N, H, W, C)"), (col, 2, "a tile of rows")):
        if not isinstance(side, Memory) or len(side.shape) != rank:
            name = "img" if rank == 4 else "col"
            k.fail(
                f"{what}: {name} has not {rank} dimensions",
                rule=f"{name} is {form}",
                hint="T.view gives memory another shape",
            )
    for name, number in (("kernel", kernel), ("stride", stride), ("dilation", dilation)):
        if not isinstance(number, int) or number < 1:
            k.fail(f"{what}: {name}={number!r}", hint="give an integer of 1 or more")
    if not isinstance(pad, int) or pad < 0:
        k.fail(f"{what}: pad={pad!r}", hint="give an integer of 0 or more")
    reach = dilation * (kernel - 1) + 1
    _, height, width, channels = (k.extent(img, axis) for axis in range(4))

    def on(op: str, a, b):
        is_known = isinstance(a, int) and isinstance(b, int)
        return _FOLDED[op](a, b) if is_known else k.binary(op, a, b)

    def points(size):
        """How many points of the output an extent of the image has."""
        return k.plus(on("floordiv", k.plus(size, 2 * pad - reach), stride), 1)

    def split(number, size):
        return on("floordiv", number, size), on("mod", number, size)

    def element(position: list) -> None:
        row, column = (
            k.plus(on("mul", step, extent), at)
            for step, extent, at in zip((nhw_step, c_step), col.shape, position)
        )
        rows, x = split(row, points(width))
        n, y = split(rows, points(height))
        taps, channel = split(column, channels)
        tap_y, tap_x = split(taps, kernel)
        at = [
            k.plus(k.plus(on("mul", place, stride), -pad), on("mul", tap, dilation))
            for place, tap in ((y, tap_y), (x, tap_x))
        ]
        # Past the last tap there is a row of the filter that is not there.
        inside = k.compare("lt", tap_y, kernel)
        value = k.choose(inside, lambda: k.load(img, [n, *at, channel]), lambda: 0)
        k.store(col, position, value)

    k.parallel_over(list(col.shape), element)
