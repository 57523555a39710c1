"""The code that library kernels become for GPUs: assemblers take it, and emulators run it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tilewright import emulator
from tilewright.kernels import registry
from tilewright.testing import gpu_code
from tilewright.testing.verify import PASS, verify_case

ROOT = Path(__file__).resolve().parents[3]
CASES = registry.one_of_each(registry.verify_cases())
ASSEMBLER = gpu_code.ptxas()

needs_ptxas = pytest.mark.skipif(ASSEMBLER is None, reason="there is no ptxas (CUDA 13)")

# What comes after sm_90a is assembled alone: the emulator has no such GPU.
LATER = ("cuda:sm_100", "cuda:sm_100a", "cuda:sm_120")


class Report(list):
    """Records of the kernels that were assembled, for build/reports/gpu-code.json."""


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    """What spills is told at the end, and is no failure."""
    records = Report()
    yield records
    if not records:
        return
    folder = ROOT / "build" / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gpu-code.json").write_text(json.dumps({"kernels": records}, indent=1) + "\n")
    spilling = [r for r in records if r["spilled_bytes"]]
    if spilling:
        worst = max(spilling, key=lambda r: r["spilled_bytes"])
        warnings.warn(
            f"{len(spilling)} of {len(records)} kernels for GPUs spill registers, the most "
            f"{worst['name']} of {worst['case']} for {worst['target']}: "
            f"{worst['spilled_bytes']} bytes",
            stacklevel=1,
        )


def check(case, target: str, report: Report) -> None:
    """Every kernel that a case makes for a target is taken by assembler and emulator."""
    device = emulator.Device(target.split(":")[1]) if target not in LATER else None
    kernels = gpu_code.compiled(case, target)
    assert kernels
    for kernel in kernels:
        codes = gpu_code.device_code(Path(kernel.path).read_bytes())
        assert codes, kernel
        for code in codes:
            if device:
                assert device.load(code).kernels
        found = list(gpu_code.entries(kernel, ASSEMBLER))
        assert found, kernel
        report += [gpu_code.record(case, target, entry) for entry in found]


def of_nvidia() -> Iterator:
    """Every case for the first and the last GPU that the emulator has, which differ most; for
    those between one of each kernel, since ptxas takes its time."""
    seen = set()
    for case in CASES:
        targets = ["cuda:sm_80", "cuda:sm_90a"]
        if case.kernel not in seen:
            targets += ["cuda:sm_86", "cuda:sm_89", "cuda:sm_90"]
        seen.add(case.kernel)
        for target in targets:
            yield pytest.param(case, target, id=f"{case.id}-{target}")


@pytest.mark.parametrize(("case", "target"), list(of_nvidia()))
@needs_ptxas
def test_ptx_is_assembled(case, target, report):
    check(case, target, report)


def for_later() -> Iterator:
    """One of each kernel for a GPU of each later generation, and a product for its own code."""
    for case in {case.kernel: case for case in reversed(CASES)}.values():
        for target in LATER:
            if case.kernel == "gemm" or not target.endswith("a"):
                yield pytest.param(case, target, id=f"{case.id}-{target}")


@pytest.mark.parametrize(("case", "target"), list(for_later()))
@needs_ptxas
def test_ptx_for_later_gpus_is_assembled(case, target, report):
    check(case, target, report)


@pytest.mark.parametrize("target", ["cuda:sm_86", "cuda:sm_90", *LATER])
@pytest.mark.parametrize("name", ["gemm/odd_nt/f16", "gemm/odd_nt/bf16"])
def test_later_gpus_multiply_on_tensor_cores_too(name, target):
    """mma.sync is in every generation since sm_80, and products go through it."""
    (case,) = registry.verify_cases([name])
    (kernel,) = gpu_code.compiled(case, target)
    [code] = gpu_code.device_code(Path(kernel.path).read_bytes())
    kind = "f16" if name.endswith("/f16") else "bf16"
    assert f"mma.sync.aligned.m16n8k16.row.col.f32.{kind}.{kind}.f32".encode() in code


@pytest.mark.parametrize("target", [t for t in gpu_code.TARGETS if t.startswith("hip")])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_code_objects_load(case, target, report):
    check(case, target, report)


@needs_ptxas
def test_what_ptxas_refuses_is_told():
    text = b".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k() { mov.u99 %r; }"
    with pytest.raises(ValueError, match="(?s)ptxas -arch=sm_80: .*u99.*fatal"):
        gpu_code.assemble(text, "sm_80", ASSEMBLER)


def test_kernels_compiled_for_another_target_are_forgotten():
    (case,) = registry.verify_cases(["softmax/n1/f32"])
    for _ in range(2):
        (kernel,) = gpu_code.compiled(case, "cuda:sm_80")
        assert kernel.target == "cuda:sm_80"
    assert verify_case(case, "cpu").status == PASS


# ---- running on other GPUs than the two that everything runs on ------------------------------

SOME = [
    "gemm/odd_nt/bf16",
    "softmax/odd/f16",
    "attention/d24/f32",
    "mla_decode/h3_d128/f32",
    "moe_gate/v2lite_one_token/f32",
    "moe_permute/v2lite_one_token/bf16",
]


@pytest.mark.parametrize("gpu", ["cuda-emulator:sm_86", "cuda-emulator:sm_89",
                                 "cuda-emulator:sm_90", "cuda-emulator:sm_90a",
                                 "hip-emulator:gfx90a", "hip-emulator:gfx950"])  # fmt: skip
@pytest.mark.parametrize("name", SOME)
def test_other_gpus_run_kernels(name, gpu):
    (case,) = registry.verify_cases([name])
    result = verify_case(case, gpu)
    assert result.status == PASS, result.reason
