# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products of the library do no more work than there are rows."""

import re

import pytest

from tilewright.kernels.gemm import gemm_kernel


@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("dtype", ["f32", "bf16", "i8"])
def test_every_form_of_a_product_counts_its_rows(dtype: str, transpose_b: bool) -> None:
    """Panels that blocks share may not hide from a product how many rows there are."""
    kernel = gemm_kernel(
        512,
        512,
        dtype,
        dtype,
        False,
        transpose_b,
        (128, 128, 64),
        "cpu:x86-64-v3",
        rows=(17, None),
    )
    stages = kernel.stages()
    products = re.findall(r"cpu\.gemm .*", stages["cpu-prefetch-steps"])
    assert len(products) >= 2  # with shared panels and without
    assert all(" rows(" in product for product in products)
