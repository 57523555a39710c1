"""Arrays of 4-bit elements, two to a byte, as kernels take and return them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ml_dtypes
import numpy as np


def pack_pairs(x: np.ndarray) -> np.ndarray:
    """The bytes of a `float4_e2m1fn` tensor.

    Args:
        x: `[..., n]` of `ml_dtypes.float4_e2m1fn`, which has a byte for each element, or
            of another float type, which is rounded to it first (to nearest even, what is
            beyond 6 to 6, NaN to 6). n is even.

    Returns:
        `[..., n / 2]` of uint8: element 2 i in the low half of byte i, 2 i + 1 in the high.

    Raises:
        ValueError: n is odd.
    """
    x = np.asarray(x)
    if x.ndim == 0 or x.shape[-1] % 2:
        raise ValueError(
            f"an array of shape {x.shape} has no pairs along its last dimension; pad it to an "
            "even size"
        )
    if x.dtype != ml_dtypes.float4_e2m1fn:
        x = np.where(np.isnan(x), np.asarray(6, x.dtype), x).astype(ml_dtypes.float4_e2m1fn)
    codes = np.ascontiguousarray(x).view(np.uint8) & 0xF
    return codes[..., 0::2] | codes[..., 1::2] << 4


def unpack_pairs(pairs: np.ndarray) -> np.ndarray:
    """The elements of a `float4_e2m1fn` tensor: the inverse of `pack_pairs`.

    Args:
        pairs: `[..., m]` of uint8.

    Returns:
        `[..., 2 m]` of `ml_dtypes.float4_e2m1fn`, with a byte for each element.
    """
    pairs = np.asarray(pairs, np.uint8)
    codes = np.stack([pairs & 0xF, pairs >> 4], axis=-1)
    return codes.reshape(*pairs.shape[:-1], 2 * pairs.shape[-1]).view(ml_dtypes.float4_e2m1fn)
