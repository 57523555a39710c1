# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checking library kernels: case records, error bounds, guarded memory, verify and bench."""

from tilewright.testing.attend import ATTENTION_BOUND, Attended, attend
from tilewright.testing.bounds import (
    DOT_BOUND,
    EXP_ULPS,
    RSQRT_ULPS,
    U32,
    dot_bound,
    dot_error,
    gamma,
    in_float64,
    output_rounding,
)
from tilewright.testing.case import Case, Expected, Layout, Peer, Spec, Tensors
from tilewright.testing.dtypes import (
    dtype_name,
    numpy_dtype,
    smallest_normal,
    unit_roundoff,
)
from tilewright.testing.integers import exact_operands, odd_integers, selecting_operands, signs

__all__ = [
    "ATTENTION_BOUND",
    "DOT_BOUND",
    "EXP_ULPS",
    "RSQRT_ULPS",
    "U32",
    "Attended",
    "Case",
    "Expected",
    "Layout",
    "Peer",
    "Spec",
    "Tensors",
    "attend",
    "dot_bound",
    "dot_error",
    "dtype_name",
    "exact_operands",
    "gamma",
    "in_float64",
    "numpy_dtype",
    "odd_integers",
    "output_rounding",
    "selecting_operands",
    "signs",
    "smallest_normal",
    "unit_roundoff",
]
