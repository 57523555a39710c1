# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The CPU of the day decides nothing: kernels compile for every class of CPU, and the code
for the least of them runs and is right on this one too."""

from __future__ import annotations

import pytest

from tilewright.compiler.kernel import Kernel
from tilewright.kernels import registry
from tilewright.testing.memory import guard
from tilewright.testing.verify import PASS, verify_case

# AVX2; AVX-512 with full and with half-rate bf16 products, and with those hidden.
BASELINE = "cpu:x86-64-v3"
MODELS = ["cpu:znver4", "cpu:sapphirerapids", "cpu:znver5,-avx512bf16"]


def _one_of_each() -> list:
    """The first verify case of each kernel and dtype that does some work."""
    found = {}
    for case in registry.verify_cases():
        if case.macs:
            found.setdefault((case.kernel, case.dtype), case)
    return list(found.values())


class _Compiled(Exception):
    """Raised in place of the launch of code that this machine may not run."""


by_id = pytest.mark.parametrize("case", _one_of_each(), ids=lambda case: case.id)


@by_id
def test_code_for_the_baseline_is_right(case):
    result = verify_case(case, BASELINE)
    assert result.status == PASS, result.reason


@pytest.mark.parametrize("model", MODELS)
@by_id
def test_kernels_compile(case, model, monkeypatch):
    def stop(kernel: Kernel, *_: object, **__: object) -> None:
        assert kernel.target == model
        raise _Compiled

    monkeypatch.setattr(Kernel, "__call__", stop)
    inputs = case.make_inputs(case.generator())
    outputs = {name: guard(spec).view for name, spec in case.outputs(inputs).items()}
    with pytest.raises(_Compiled):
        case.run(model, inputs, outputs)
