"""The demo's table of one source on three machines: this CPU, and two GPUs that are emulated.

Kernels of the library are compiled for each device and run there on the same small inputs, and
their results are compared with one float64 reference. What GPUs get today is the first, general
lowering, with products on matrix instructions and all else in plain loops: the instructions say
how much work that is, not how fast a GPU would be.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import NamedTuple

from tilewright.cli.console import table
from tilewright.cli.units import seconds
from tilewright.kernels import registry
from tilewright.runtime import device_info
from tilewright.testing import Case
from tilewright.testing.verify import execute, judge

DEVICES = ("cpu", "cuda-emulator:sm_80", "hip-emulator:gfx942")

# Cases of `tilewright verify`, and what they are in words.
CASES = {
    "gemm/odd_nn/bf16": "67 x 45 over 83",
    "softmax/odd/bf16": "37 rows of 131",
    "attention/odd_causal/bf16": "2 heads of 64, 150 queries and keys, causal",
    "mla_decode/ragged_paged/bf16": "16 heads, 4 requests of up to 100 keys, page 64",
    "dsa/paged/bf16": "indexer, top-64, attention: 5 requests of up to 150 keys",
    "moe_permute/v2lite/bf16": "43 tokens of 256, top-6 of 64 experts",
    "swiglu/odd/bf16": "37 rows of 131",
}


class Outcome(NamedTuple):
    """What came of one case on one device; `failure` is empty where nothing is wrong.

    `instructions` is None where the device does not count.
    """

    compile_s: float
    instructions: int | None
    error: float
    failure: str = ""


def measure(case: Case, device: str) -> Outcome:
    """Compiles and runs a case, runs it again, and judges what the second run wrote."""
    inputs = case.make_inputs(case.generator())
    try:
        first = execute(case, device, inputs)
        before = device_info(device)["instructions"]
        again = execute(case, device, inputs)
        after = device_info(device)["instructions"]
    except Exception as error:  # of a kernel or its compiler: a line of the table says so
        return Outcome(0.0, None, float("inf"), f"{type(error).__name__}: {error}")
    verdict = judge(case, inputs, again, exact=False)
    executed = None if before is None or after is None else after - before
    compile_s = max(0.0, first.seconds - again.seconds)
    return Outcome(compile_s, executed, verdict.ratio, verdict.reason or "")


def run(shown, failures: list[str]) -> None:
    """Adds a line to the table for each case and device, and to `failures` for each that is
    wrong."""
    for name, shape in CASES.items():
        (case,) = registry.verify_cases([name])
        for device in DEVICES:
            found = measure(case, device)
            if found.failure:
                failures.append(f"{name} on {device}: {found.failure}")
            shown.add_row(
                case.kernel if device == DEVICES[0] else "",
                shape if device == DEVICES[0] else "",
                device,
                seconds(found.compile_s),
                "" if found.instructions is None else f"{found.instructions:,}",
                f"{found.error:.3f}",
                "[bold red]wrong[/]" if found.failure else "[green]pass[/]",
                end_section=device == DEVICES[-1],
            )


def new_table():
    """The table that `run` fills."""
    return table(
        "one source (bf16)", "shape", "runs on", ">compiled in", ">warp instructions",
        ">error / bound", "",
    )  # fmt: skip
