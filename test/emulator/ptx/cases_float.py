"""Floating-point functions: approximations, directed rounding, the library, f16x2, bf16x2.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from case import Arrays, Case, Expected, Launch
from numerics import BF16, fraction_to, rounding

BOTH = ("sm_80", "sm_90a")
MODES = ("rn", "rz", "rp", "rm")
N = 500


def _special_inputs(rng: np.random.Generator) -> Arrays:
    def spread() -> np.ndarray:
        # Exponents such that no quotient overflows and some products are subnormal.
        sign = rng.choice([-1.0, 1.0], N)
        return (sign * np.exp2(rng.uniform(-75, 50, N))).astype(np.float32)

    # Unsigned patterns, so that subnormals of both signs are among them.
    tiny = rng.integers(0, 2**23, 40, np.uint32) | (rng.integers(0, 2, 40, np.uint32) << 31)
    odd = np.array([0, -0.0, np.inf, -np.inf, np.nan, 0.5, 1.5, 2.5, -2.5, 1e30], np.float32)
    edge = np.concatenate(
        [odd, tiny.view(np.float32), rng.standard_normal(50).astype(np.float32)]
    )
    return {
        "x": rng.uniform(-3, 3, N).astype(np.float32),
        "y": np.exp2(rng.uniform(-20, 20, N)).astype(np.float32),
        "p": spread(),
        "q": spread(),
        "r": spread(),
        "edge": rng.choice(edge, N),
        "edge2": rng.choice(edge, N),
        "d": rng.uniform(-3, 3, N),
        "e": np.exp2(rng.uniform(-20, 20, N)),
    }


def _approximations(a: np.ndarray, b: np.ndarray) -> Expected:
    a, b = a.astype(np.float64), b.astype(np.float64)
    log = np.log2(b)
    # Value, relative error, absolute error; those of the PTX manual, doubled.
    columns = [
        (np.exp2(a * 16), 2.0**-21, 2.0**-148),
        (np.exp2(a * 16), 2.0**-21, 2.0**-126),
        (log, 2.0**-21, 2.0**-21),
        (np.sin(a), 0, 2.0**-19.5),
        (np.cos(a), 0, 2.0**-19.5),
        (np.tanh(a), 2.0**-10, 2.0**-148),
        (1 / b, 2.0**-22, 0),
        (1 / b, 2.0**-22, 0),
        (1 / np.sqrt(b), 2.0**-21.9, 0),
        (np.sqrt(b), 2.0**-22, 0),
        (a / b, 2.0**-21, 2.0**-148),
    ]
    value = np.stack([v for v, _, _ in columns], 1)
    return Expected(value, np.stack([np.abs(v) * r + t for v, r, t in columns], 1))


def _sqrt(value: np.float32, mode: str) -> np.float32:
    near = np.float32(math.sqrt(float(value)))  # innocuous: 53 >= 2 * 24 + 2
    square, exact = Fraction(float(near)) ** 2, Fraction(float(value))
    if mode in ("rz", "rm") and square > exact:
        return np.nextafter(near, np.float32(0))
    if mode == "rp" and square < exact:
        return np.nextafter(near, np.float32(np.inf))
    return near


def _roundings(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> Expected:
    rows = []
    for a, b, c in zip(p, q, r):
        x, y, z = Fraction(float(a)), Fraction(float(b)), Fraction(float(c))
        row = [
            fraction_to(v, np.float32, mode)
            for v in (x + y, x * y, x * y + z, x / y)
            for mode in MODES
        ]
        rows.append(row + [_sqrt(abs(a), mode) for mode in MODES])
    return Expected(np.array(rows, np.float64))


def _edges(a: np.ndarray, b: np.ndarray) -> Expected:
    a, b = a.astype(np.float64), b.astype(np.float64)
    nan = np.isnan(a) | np.isnan(b)
    flushed = [np.where(np.abs(v) < 2.0**-126, 0, v) for v in (a, b)]
    flushed_sum = (flushed[0] + flushed[1]).astype(np.float32).astype(np.float64)
    flushed_sum[np.abs(flushed_sum) < 2.0**-126] = 0
    product = (a * b).astype(np.float32).astype(np.float64)
    fused = (a * b + b).astype(np.float32).astype(np.float64)
    sign = np.where(np.signbit(a) ^ np.signbit(b), -1, 1)
    larger = np.where(nan, 0, sign * np.fmax(np.abs(a), np.abs(b)))
    columns = [
        (a + b).astype(np.float32),
        product,
        np.fmin(a, b),
        np.fmax(a, b),
        np.minimum(a, b),
        larger,
        np.where(np.isnan(fused), 0, np.clip(fused, 0, 1)),
        flushed_sum,
        np.abs(a) - np.copysign(1, b),
        np.where(np.isnan(a), 0, np.clip(a, 0, 1)),
        np.where(a < b, 1, 2),
        np.where(~(a >= b), 1, 2),
        np.where(a != b, 1, 2),
        np.where(np.isnan(a) | np.isinf(b), 1, 2),
        np.rint(a) + np.trunc(b),
        np.floor(a) - np.ceil(b),
    ]
    value = np.stack([np.asarray(c).astype(np.float64) for c in columns], 1)
    return Expected(value.astype(np.float32).astype(np.float64))


def _library(a: np.ndarray, b: np.ndarray) -> Expected:
    far = (a * np.float32(1000)).astype(np.float64)
    farther = (a * np.float32(1e6)).astype(np.float64)
    hundred = (a * np.float32(100)).astype(np.float64)
    a, b = a.astype(np.float64), b.astype(np.float64)
    # The largest errors in units in the last place, of the CUDA guide, and one more.
    columns = [
        (np.exp(a), 3),
        (np.log(b), 2),
        (np.sin(far), 3),
        (np.cos(farther), 3),
        (np.tan(a), 5),
        (np.tanh(a), 3),
        (b**a, 9),
        (np.array([math.erf(v) for v in a]), 3),
        (np.arctan2(a, b), 4),
        (np.log1p(b), 2),
        (np.cbrt(a), 2),
        (np.exp(a), 3 + np.floor(np.abs(1.173 * a))),
        (np.fmod(hundred, b), 0),
    ]
    value = np.stack([v for v, _ in columns], 1)
    return Expected(value, np.stack([np.abs(v) * ulps * 2.0**-23 for v, ulps in columns], 1))


def _doubles(a: np.ndarray, b: np.ndarray) -> Expected:
    far = (a * 1e5).astype(np.longdouble)
    x, y = a.astype(np.longdouble), b.astype(np.longdouble)
    exact = [(Fraction(float(p)), Fraction(float(q))) for p, q in zip(a, b)]
    columns = [
        (x + y * 3, 0),
        (x / y, 0.51),
        (np.sqrt(y), 0.51),
        (1 / y, 0.51),
        (np.exp(x), 2),
        (np.log(y), 2),
        (np.sin(far), 3),
        (np.cos(x), 3),
        (y**x, 3),
        (np.array([math.erf(v) for v in a]), 4),
        (np.array([fraction_to(p + q, np.float64, "rm") for p, q in exact]), 0),
        (np.array([fraction_to(p / q, np.float64, "rp") for p, q in exact]), 0),
        (np.array([fraction_to(p * q + p, np.float64, "rz") for p, q in exact]), 0),
        (np.fmin(np.rint(a), b.astype(np.float32).astype(np.float64)), 0),
    ]
    value = np.stack([v.astype(np.float64) for v, _ in columns], 1)
    bound = np.stack([np.abs(v).astype(np.float64) * u * 2.0**-52 for v, u in columns], 1)
    bound[:, 0] = (np.abs(a) + 4 * np.abs(b)) * 2.0**-52  # fused or not
    # The reference itself was rounded to f64.
    bound[:, 1:9] += np.abs(value[:, 1:9]) * 2.0**-53
    return Expected(value, bound)


def _special(inputs: Arrays) -> dict[str, Expected]:
    with np.errstate(all="ignore"):
        return {
            "approximations": _approximations(inputs["x"], inputs["y"]),
            "roundings": _roundings(inputs["p"], inputs["q"], inputs["r"]),
            "edges": _edges(inputs["edge"], inputs["edge2"]),
            "library": _library(inputs["x"], inputs["y"]),
            "doubles": _doubles(inputs["d"], inputs["e"]),
        }


def _half2_inputs(rng: np.random.Generator) -> Arrays:
    def pairs(dtype: type) -> np.ndarray:
        return (rng.standard_normal((N, 2)) * np.exp2(rng.uniform(-6, 6, (N, 2)))).astype(dtype)

    arrays = {name: pairs(np.float16) for name in ("x", "y", "z")}
    arrays |= {name: pairs(BF16) for name in ("u", "v", "w")}
    equal = rng.random((N, 2)) < 0.1
    arrays["y"][equal] = arrays["x"][equal]
    arrays["x"][rng.random((N, 2)) < 0.03] = np.nan
    arrays["y"][rng.random((N, 2)) < 0.03] = np.nan
    arrays["f"] = rng.uniform(-8, 8, (N, 2)).astype(np.float16)
    return arrays


def _half2(inputs: Arrays) -> dict[str, Expected]:
    with np.errstate(all="ignore"):
        return {
            "halves": _halves(*(inputs[k].astype(np.float64) for k in "xyz")),
            "bfloats": _bfloats(*(inputs[k].astype(np.float64) for k in "uvw")),
            "functions": _functions(inputs["f"].astype(np.float64)),
        }


def _halves(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> Expected:
    fma = a * b + c
    crossed = np.stack([a[:, 0] * b[:, 1] + c[:, 0], np.fmax(a[:, 0], b[:, 1])], 1)
    unequal = (a != b) & ~np.isnan(a) & ~np.isnan(b)
    choice = np.where(a[:, 0] > b[:, 0], 1, np.where(unequal.all(1), 2, 3))
    columns = [
        a + b,
        a - b,
        a * b,
        fma,
        np.where(np.isnan(fma), np.nan, np.maximum(fma, 0)),
        np.where(np.isnan(fma), 0, np.clip(fma, 0, 1)),
        np.where(np.isnan(a + b), 0, np.clip(a + b, 0, 1)),
        np.fmin(a, b),
        np.maximum(a, b),
        -np.abs(a),
        a < b,
        ~(a < b),
        crossed,
        np.stack([a[:, 0], b[:, 0]], 1),
        a[:, ::-1],
        np.rint(a),
        np.stack([choice, choice], 1),
        a / b,
    ]
    value = np.stack([np.asarray(v).astype(np.float16) for v in columns], 1).astype(np.float64)
    bound = np.zeros_like(value)
    bound[:, 17] = 2 * rounding(a / b, np.float16)
    return Expected(value, bound)


def _bfloats(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> Expected:
    fma = a * b + c
    crossed = np.stack([a[:, 0] * b[:, 1] + c[:, 0], a[:, 0] < b[:, 1]], 1)
    columns = [
        a + b,
        a * b,
        fma,
        np.maximum(fma, 0),
        np.minimum(a, b),
        np.maximum(a, b),
        np.abs(a),
        crossed,
        a - b,
    ]
    # Directly from f64: by way of f32 some would be rounded twice.
    value = np.stack([_to_bf16(np.asarray(v, np.float64)) for v in columns], 1)
    return Expected(value)


def _to_bf16(value: np.ndarray) -> np.ndarray:
    """To 8 significant bits, to nearest even; no value here is subnormal."""
    mantissa, exponent = np.frexp(value)
    return np.ldexp(np.rint(mantissa * 256), exponent - 8)


def _functions(x: np.ndarray) -> Expected:
    log = np.log2(np.abs(x))
    ulp = 2 * rounding(np.exp2(x), np.float16)
    columns = [
        (np.exp2(x), np.exp2(x) * 2.0**-9 + ulp),
        (np.tanh(x), 2.0**-10 + 2 * rounding(np.tanh(x), np.float16)),
        (np.exp(x), 4 * rounding(np.exp(x), np.float16)),
        (np.sqrt(np.abs(x)), 3 * rounding(np.sqrt(np.abs(x)), np.float16)),
        (log, 4 * rounding(log, np.float16) + 2.0**-20),
    ]
    return Expected(np.stack([v for v, _ in columns], 1), np.stack([b for _, b in columns], 1))


def _all(*arrays: str) -> list[str | np.int32]:
    return [*arrays, np.int32(N)]


CASES = [
    Case(
        name="special",
        program="special",
        archs=BOTH,
        make_inputs=_special_inputs,
        outputs={
            "approximations": ((N, 11), np.float32),
            "roundings": ((N, 20), np.float32),
            "edges": ((N, 16), np.float32),
            "library": ((N, 13), np.float32),
            "doubles": ((N, 14), np.float64),
        },
        launches=lambda arch: [
            Launch("approximations", (4, 1, 1), (128, 1, 1), _all("x", "y", "approximations")),
            Launch("roundings", (4, 1, 1), (128, 1, 1), _all("p", "q", "r", "roundings")),
            Launch("edges", (4, 1, 1), (128, 1, 1), _all("edge", "edge2", "edges")),
            Launch("library", (4, 1, 1), (128, 1, 1), _all("x", "y", "library")),
            Launch("doubles", (4, 1, 1), (128, 1, 1), _all("d", "e", "doubles")),
        ],
        reference=_special,
        covers="ex2 lg2 sin cos tanh rcp rsqrt sqrt div fma in all roundings, f64 functions",
    ),
    Case(
        name="half2",
        program="half2",
        archs=BOTH,
        make_inputs=_half2_inputs,
        outputs={
            "halves": ((N, 18, 2), np.float16),
            "bfloats": ((N, 9, 2), BF16),
            "functions": ((N, 5, 2), np.float16),
        },
        launches=lambda arch: [
            Launch("halves", (4, 1, 1), (128, 1, 1), _all("x", "y", "z", "halves")),
            Launch("bfloats", (4, 1, 1), (128, 1, 1), _all("u", "v", "w", "bfloats")),
            Launch("functions", (4, 1, 1), (128, 1, 1), _all("f", "functions")),
        ],
        reference=_half2,
        covers="add mul fma(.relu .sat) min max set of f16x2 and bf16x2",
    ),
]
