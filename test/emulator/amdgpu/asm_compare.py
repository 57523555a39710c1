"""Every comparison, into a mask of lanes and into EXEC.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator

import numpy as np
from asm_rows import CDNA, RDNA, Family, Inputs, Row

WHOLE = {"lt": operator.lt, "eq": operator.eq, "le": operator.le, "gt": operator.gt,
         "ne": operator.ne, "ge": operator.ge}  # fmt: skip
# Of floats: ordered ones are false where an operand is no number, the others true.
ORDERED = {"lt": operator.lt, "eq": operator.eq, "le": operator.le, "gt": operator.gt,
           "lg": lambda a, b: (a < b) | (a > b), "ge": operator.ge,
           "o": lambda a, b: (a == a) & (b == b)}  # fmt: skip
FLOATS = ORDERED | {
    "u": lambda a, b: (a != a) | (b != b),
    "nge": lambda a, b: ~(a >= b), "nlg": lambda a, b: ~((a < b) | (a > b)),
    "ngt": lambda a, b: ~(a > b), "nle": lambda a, b: ~(a <= b),
    "neq": lambda a, b: ~(a == b), "nlt": lambda a, b: ~(a < b),
}  # fmt: skip
TYPES = {"i16": np.int16, "u16": np.uint16, "i32": np.int32, "u32": np.uint32,
         "i64": np.int64, "u64": np.uint64, "f16": np.float16, "f32": np.float32,
         "f64": np.float64}  # fmt: skip


def operands(x: Inputs, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """The lowest bits of a and b as numbers of this kind."""
    size = int(kind[1:])
    pair = (x.aa, x.bb) if size == 64 else (x.a, x.b)
    first, second = (one.astype(f"uint{size}").view(TYPES[kind]) for one in pair)
    return first, second


def rows() -> Iterator[Row]:
    for kind in TYPES:
        registers = "v[2:3], v[4:5]" if kind.endswith("64") else "v2, v4"
        if kind.endswith("16"):
            registers = "v2{l}, v4{l}"
        for name, function in (FLOATS if kind[0] == "f" else WHOLE).items():

            def reference(x: Inputs, f: Callable = function, kind: str = kind) -> np.ndarray:
                with np.errstate(invalid="ignore"):
                    return f(*operands(x, kind))

            # To VCC, and to EXEC, of which the older write VCC as well.
            yield Row(
                f"v_cmp_{name}_{kind}_e32 {{vcc}}, {registers}; s_nop 4; "
                "v_cndmask_b32_e64 v6, 0, 1, {vcc}", reference,
            )  # fmt: skip
            for gpus, vcc, exec_ in ((CDNA, "vcc, ", "b64 exec"), (RDNA, "", "b32 exec_lo")):
                yield Row(
                    f"v_cmpx_{name}_{kind}_e32 {vcc}{registers}; v_mov_b32_e32 v6, 1; "
                    f"s_mov_{exec_}, -1", reference, gpus,
                )  # fmt: skip


# v_cmp_class: which of ten kinds a number is of, by the bits of the second operand.
def classes(kind: str) -> Callable:
    def reference(x: Inputs) -> np.ndarray:
        size = int(kind[1:])
        raw = (x.aa if size == 64 else x.a).astype(f"uint{size}").astype(np.uint64)
        fraction = {16: 10, 32: 23, 64: 52}[size]
        low = raw & np.uint64((1 << fraction) - 1)
        top = (1 << size - 1 - fraction) - 1
        exponent = raw >> np.uint64(fraction) & np.uint64(top)
        negative = raw >> np.uint64(size - 1) == 1
        quiet = low >> np.uint64(fraction - 1) == 1
        is_nan = (exponent == top) & (low != 0)
        # Of positive numbers the places count down from infinity's, of negative ones up.
        place = np.select(
            [exponent == top, exponent != 0, low != 0], [0, 1, 2], default=3
        )  # infinite, normal, subnormal, zero
        place = np.where(negative, 2 + place, 9 - place)
        place = np.where(is_nan, np.where(quiet, 1, 0), place)
        mask = (x.bb if size == 64 else x.b).astype(np.uint64)
        return mask >> place.astype(np.uint64) & np.uint64(1)

    return reference


def class_rows() -> Iterator[Row]:
    for kind, register in (("f16", "v2{l}"), ("f32", "v2"), ("f64", "v[2:3]")):
        mask = "v4{l}" if kind == "f16" else "v4"
        yield Row(
            f"v_cmp_class_{kind}_e32 {{vcc}}, {register}, {mask}; s_nop 4; "
            "v_cndmask_b32_e64 v6, 0, 1, {vcc}", classes(kind),
        )  # fmt: skip


FAMILY = Family("compare", [*rows(), *class_rows()])
