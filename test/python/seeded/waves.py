"""Which waves make the accesses of a nest, as its layout says.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import itertools
import math
import re

LAYOUT = re.compile(r"simt\.dealt = #tile\.layout<([^>]*)>")
#: All that the nest does, of whatever elements.
FIRST_WAVE = ("the first wave",)
LANES = 64  # of a wave of gfx942


def wave_of(
    layout: str, indices: list[str], ivs: list[str], extents: list[int]
) -> tuple | None:
    """How an index of an access gives its wave, where loops over `ivs` have a layout."""
    dims, _, copies = layout.partition("replicate")
    factors = [
        [re.match(r"(\w+) (\d+):(\d+)", factor.strip()).groups() for factor in dim.split(",")]
        for dim in re.findall(r"\[([^\]]+)\]", dims)
    ]
    with_waves = [i for i, dim in enumerate(factors) if any(f[0] == "warp" for f in dim)]
    if "warp" in copies or len(with_waves) != 1 or len(factors) != len(ivs):
        return None
    number = with_waves[0]
    dim = factors[number]
    inner = itertools.takewhile(lambda factor: factor[0] != "warp", reversed(dim))
    if math.prod(int(factor[1]) for factor in inner) >= extents[number]:
        return FIRST_WAVE  # the others have rows that the tile has not
    if ivs[number] not in indices:
        return None
    # Where the digits of waves stand; those of registers and lanes by their extents alone.
    digits = [f if f[0] == "warp" else ("other", f[1]) for f in dim]
    return (indices.index(ivs[number]), *digits)


def wave_in(nest: re.Match, indices: list[str]) -> tuple | None:
    """As `wave_of`, of a nest that has a layout or is dealt out in turns."""
    how = nest["how"]
    extents = [int(extent) for extent in re.match(r"\(([\d, ]+)\)", how)[1].split(",")]
    if layout := LAYOUT.search(how):
        return wave_of(layout[1], indices, nest["ivs"].split(", "), extents)
    width = re.search(r"simt\.width = (\d+)", how)
    turns = math.prod(extents) // (int(width[1]) if width else 1)
    return FIRST_WAVE if turns <= LANES else None


def of_first_wave(nest: re.Match, access: re.Match, line: str) -> int:
    """Bytes at the beginning of a row that only the first wave accesses, in a nest that has a
    layout: those of the elements inside of its waves' digit."""
    layout = LAYOUT.search(nest["how"])
    one = layout and re.fullmatch(r"\[([^\]]+)\](?:, replicate \[(?!.*warp).*\])?", layout[1])
    element = re.search(r": memref<\d+x[a-z]+(\d+), #tile\.space<shared>>", line)
    if not one or not element or access["indices"] != nest["ivs"]:
        return 0
    factors = [factor.split(":")[0].split(" ") for factor in one[1].split(", ")]
    if [kind for kind, _ in factors].count("warp") != 1:
        return 0
    inner = itertools.takewhile(lambda factor: factor[0] != "warp", reversed(factors))
    return math.prod(int(extent) for _, extent in inner) * max(int(element[1]) // 8, 1)
