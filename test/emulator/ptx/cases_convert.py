"""Conversions between number formats; those of 16 bits over all 65,536 patterns.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from case import Arrays, Case, Expected, Launch
from numerics import BF16, E4M3, E5M2

BOTH = ("sm_80", "sm_90a")
ALL = 65536
N = 256


def _inputs(rng: np.random.Generator) -> Arrays:
    odd = [0, 0.5, 1.5, 2.5, 3.5, 255.5, 127.5, 65504, 65519.9, 65520, 7e4, 1e9, 3e9, 1e19]
    powers = [2.0**e for e in (-26, -25, -24, -14, 31, 32, 62, 63, 64, 120, 127)]
    some = np.array([*odd, *powers])
    x = np.concatenate([some, -some, np.exp2(rng.uniform(-28, 20, N - 2 * some.size))])
    x[60::2] *= -1
    x[x == 0] = 0  # a zero with a sign has no agreed image under .relu
    d = np.concatenate([some, -some, rng.uniform(-5e9, 5e9, N - 2 * some.size)])
    x_nan = x.copy()
    x_nan[-3:] = d[-3:] = [np.nan, np.inf, -np.inf]
    integers = rng.integers(-(2**31), 2**31, N, np.int32)
    integers[::3] >>= rng.integers(0, 31, integers[::3].size, np.int32)
    longs = rng.integers(-(2**63), 2**63, N, np.int64)
    longs[::2] >>= rng.integers(0, 63, longs[::2].size, np.int64)
    longs[:4] = [2**63 - 1, -(2**63), -1, 2**24 + 1]
    return {
        "x": x.astype(np.float32),
        "x_nan": x_nan.astype(np.float32),
        "d": d,
        "i": integers,
        "l": longs,
    }


def to_fp8(value: np.ndarray, dtype: type, largest: float) -> np.ndarray:
    """To nearest; what is too large, infinity too, becomes the largest finite number."""
    clipped = np.clip(value.astype(np.float32), -largest, largest)
    return clipped.astype(dtype).astype(np.float64)


def _halfwords(value: np.ndarray) -> np.ndarray:
    whole = np.clip(np.rint(np.nan_to_num(value, nan=0)), -32768, 32767)
    return whole.astype(np.int16)


def _patterns(_: Arrays) -> dict[str, Expected]:
    bits = np.arange(ALL, dtype=np.uint16)
    half, bfloat = bits.view(np.float16), bits.view(BF16)
    pairs = {
        "e4_half": bits.view(np.uint8).view(E4M3),
        "e5_half": bits.view(np.uint8).view(E5M2),
    }
    with np.errstate(all="ignore"):
        h, b = half.astype(np.float64), bfloat.astype(np.float64)
        whole = np.clip(np.trunc(np.nan_to_num(b, nan=0)), -(2.0**31), 2.0**31 - 1)
        return {
            "h_f": Expected(h),
            "h_b": Expected(half.astype(np.float32).astype(BF16).astype(np.float64)),
            "h_e4": Expected(to_fp8(h, E4M3, 448)),
            "h_e5": Expected(to_fp8(h, E5M2, 57344)),
            "h_s": Expected(_halfwords(h)),
            "b_f": Expected(b),
            "b_h": Expected(bfloat.astype(np.float32).astype(np.float16).astype(np.float64)),
            "b_e4": Expected(to_fp8(b, E4M3, 448)),
            "b_e5": Expected(to_fp8(b, E5M2, 57344)),
            "b_s": Expected(whole.astype(np.int32)),
            **{name: Expected(pair.astype(np.float64)) for name, pair in pairs.items()},
        }


def directed(value: np.ndarray, dtype: type, mode: str) -> np.ndarray:
    """float64 to a narrower format in one of four roundings."""
    near = value.astype(np.float32).astype(dtype) if dtype is BF16 else value.astype(dtype)
    exact = near.astype(np.float64)
    towards = {"rn": None, "rm": -np.inf, "rp": np.inf, "rz": 0.0}[mode]
    if towards is None:
        return near
    wrong = {
        "rm": exact > value,
        "rp": exact < value,
        "rz": np.abs(exact) > np.abs(value),
    }[mode]
    step = np.nextafter(near, np.full_like(near, towards))
    return np.where(wrong, step, near).astype(dtype)


def _to_16_bits(x: np.ndarray) -> dict[str, Expected]:
    wide = x.astype(np.float64)
    columns = [directed(wide, np.float16, mode) for mode in ("rn", "rz", "rp", "rm")]
    columns += [x.astype(BF16), directed(wide, BF16, "rz")]
    columns += [np.maximum(x, 0).astype(BF16)]
    halves = np.stack([c.view(np.uint16) for c in columns], 1)
    partner = x.reshape(-1, 2)[:, ::-1].reshape(-1)

    def pair(dtype: type) -> np.ndarray:
        high, low = (v.astype(dtype).view(np.uint16).astype(np.uint32) for v in (x, partner))
        return high << np.uint32(16) | low

    # tf32 keeps 10 bits of the fraction; ties go away from zero.
    tf32 = (x.view(np.uint32) + np.uint32(0x1000)) & np.uint32(0xFFFFE000)
    return {
        "sixteen": Expected(halves),
        "pairs": Expected(np.stack([pair(np.float16), pair(BF16), tf32], 1)),
    }


def clamped(value: float, whole: Callable[[float], int], bits: int, signed: bool) -> int:
    """A number turned into an integer of so many bits; what is out of range, its end."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if math.isinf(value):
        return high if value > 0 else low
    return min(max(whole(value), low), high)


def _to_integers(x: np.ndarray, d: np.ndarray) -> dict[str, Expected]:
    columns = [
        ("f", round, 32, True),
        ("f", math.trunc, 32, True),
        ("f", math.ceil, 32, True),
        ("f", math.floor, 32, True),
        ("f", round, 32, False),
        ("d", round, 32, True),
        ("d", math.trunc, 32, False),
        ("f", round, 64, True),
        ("f", math.trunc, 64, False),
        ("d", math.floor, 64, True),
        ("f", round, 8, False),
    ]
    table = []
    for f, g in zip(x.tolist(), d.tolist()):
        row = []
        for source, whole, bits, signed in columns:
            value = f if source == "f" else g
            # The PTX manual: NaN gives 0, or the top bit if either side has 64 bits.
            nan = 0 if source == "f" and bits < 64 else 1 << (bits - 1)
            made = nan if math.isnan(value) else clamped(value, whole, bits, signed)
            row.append(made & ((1 << bits) - 1))
        table.append(row)
    words = np.array([row[:7] for row in table], np.uint32).view(np.int32)
    longs = np.array([row[7:10] for row in table], np.uint64).view(np.int64)
    return {
        "words": Expected(words),
        "longs": Expected(longs),
        "bytes": Expected(np.array([row[10] for row in table], np.uint8)),
    }


def _from_integers(i: np.ndarray, l: np.ndarray) -> dict[str, Expected]:
    a = i.astype(np.float64)
    unsigned = i.view(np.uint32).astype(np.float64)
    columns = [
        directed(a, np.float32, "rn"),
        directed(a, np.float32, "rz"),
        directed(a, np.float32, "rp"),
        directed(unsigned, np.float32, "rm"),
        l.astype(np.float32),
        l.view(np.uint64).astype(np.float32),
        (a * 1.1).astype(np.float32),
        directed(a * 1.1, np.float32, "rm"),
        (i >> 12).astype(np.float64).astype(np.float16),
    ]
    exact = [int(v) for v in l.view(np.uint64)]
    towards_zero = [float(v >> s << s) for v in exact for s in [max(0, v.bit_length() - 53)]]
    doubles = [a, l.astype(np.float64), np.array(towards_zero)]
    narrow = [
        np.clip(i, -128, 127),
        np.clip(i, 0, 65535),
        i.astype(np.int8).astype(np.int32) + i.astype(np.uint16).astype(np.int32),
    ]
    return {
        "floats": Expected(np.stack([c.astype(np.float64) for c in columns], 1)),
        "doubles": Expected(np.stack(doubles, 1)),
        "narrow": Expected(np.stack(narrow, 1).astype(np.int32)),
    }


def _convert(inputs: Arrays) -> dict[str, Expected]:
    with np.errstate(all="ignore"):
        return (
            _to_16_bits(inputs["x"])
            | _to_integers(inputs["x_nan"], inputs["d"])
            | _from_integers(inputs["i"], inputs["l"])
        )


CASES = [
    Case(
        name="convert_patterns",
        program="convert",
        archs=BOTH,
        make_inputs=lambda rng: {},
        outputs={
            "h_f": ((ALL,), np.float32),
            "h_b": ((ALL,), BF16),
            "h_e4": ((ALL,), E4M3),
            "h_e5": ((ALL,), E5M2),
            "h_s": ((ALL,), np.int16),
            "b_f": ((ALL,), np.float32),
            "b_h": ((ALL,), np.float16),
            "b_e4": ((ALL,), E4M3),
            "b_e5": ((ALL,), E5M2),
            "b_s": ((ALL,), np.int32),
            "e4_half": ((2 * ALL,), np.float16),
            "e5_half": ((2 * ALL,), np.float16),
        },
        launches=lambda arch: [
            Launch(
                "from_half", (256, 1, 1), (256, 1, 1), ["h_f", "h_b", "h_e4", "h_e5", "h_s"]
            ),
            Launch(
                "from_bfloat", (256, 1, 1), (256, 1, 1), ["b_f", "b_h", "b_e4", "b_e5", "b_s"]
            ),
            Launch("from_fp8", (256, 1, 1), (256, 1, 1), ["e4_half", "e5_half"]),
        ],
        reference=_patterns,
        covers="f16 bf16 e4m3 e5m2 over all patterns (sm_80: fp8 in software)",
    ),
    Case(
        name="convert",
        program="convert",
        archs=BOTH,
        make_inputs=_inputs,
        outputs={
            "sixteen": ((N, 7), np.uint16),
            "pairs": ((N, 3), np.uint32),
            "words": ((N, 7), np.int32),
            "longs": ((N, 3), np.int64),
            "bytes": ((N,), np.uint8),
            "floats": ((N, 9), np.float32),
            "doubles": ((N, 3), np.float64),
            "narrow": ((N, 3), np.int32),
        },
        launches=lambda arch: [
            Launch("to_16_bits", (2, 1, 1), (128, 1, 1), ["x", "sixteen", "pairs"]),
            Launch(
                "to_integers", (4, 1, 1), (64, 1, 1), ["x_nan", "d", "words", "longs", "bytes"]
            ),
            Launch(
                "from_integers",
                (4, 1, 1),
                (64, 1, 1),
                ["i", "l", "floats", "doubles", "narrow"],
            ),
        ],
        reference=_convert,
        covers="cvt in all roundings, saturation, NaN to integers, f16x2 bf16x2 tf32",
    ),
]
