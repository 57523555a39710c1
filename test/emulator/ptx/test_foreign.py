"""Programs that other compilers wrote, on the emulator: right results and no report.

Every pair runs with the warps in the order of their numbers, reversed, and shuffled. NumPy
is the judge. The programs are the vectors of this folder; some of each compiler are also
compiled anew.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import case as corpus
import cases
import generate
import pytest
from case import Case

from tilewright import emulator

PAIRS = [pytest.param(case, arch, id=f"{case.name}-{arch}") for case, arch in cases.PAIRS]

# Compiled in the test run: one pair or two of each thing that compilers do differently.
FRESH = [
    *((name, "sm_80") for name in (
        "reduce", "transpose", "atomics", "local_array", "calls", "groups", "convert", "mma",
        "wmma", "cp_async", "named_barriers", "grid_sync", "cub", "heap",
        "triton_add", "triton_softmax", "triton_layer_norm", "triton_histogram",
        "triton_scan", "triton_sort", "triton_matmul_f16", "triton_attend_d64",
        "tilelang_matmul",
    )),
    *((name, "sm_90a") for name in (
        "cluster", "tma", "wgmma", "specialised",
        "triton_matmul_f16", "triton_matmul_host_descriptor", "triton_matmul_e4m3",
        "triton_attend_d128", "tilelang_matmul", "tilelang_attend", "tilelang_conv",
        "triton_layer_norm_backward",
    )),
]  # fmt: skip


def check(case: Case, arch: str, order: str | int, text: str | None = None) -> None:
    """Runs a case and compares all that it says about itself."""
    device = emulator.Device(arch, order=order)
    if case.error:
        with pytest.raises(emulator.EmulatorError, match=case.error):
            corpus.run(case, arch, device, text)
        return
    arrays = corpus.run(case, arch, device, text)
    assert corpus.mismatches(case, arrays) == []
    if case.text is not None:
        assert sorted(device.output.splitlines()) == sorted(case.text)


@pytest.mark.parametrize("order", ["forward", "reverse", 5])
@pytest.mark.parametrize(("case", "arch"), PAIRS)
def test_vector(case: Case, arch: str, order: str | int) -> None:
    check(case, arch, order)


@pytest.mark.parametrize(("program", "arch"), FRESH)
def test_compiled_now(program: str, arch: str) -> None:
    made = generate.compile_program(program, arch)
    assert made is not None, (
        "triton and tilelang are in requirements-compilers.lock, nvcc in a CUDA toolkit or "
        "requirements-ptxas.lock"
    )
    for case in cases.ALL:
        if case.program == program and arch in case.archs:
            check(case, arch, "forward", made[0])
