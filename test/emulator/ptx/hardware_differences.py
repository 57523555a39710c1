"""Where the emulator and an H100 differ, and why: vectors/h100/differences.json.

    python hardware_differences.py [--check]

A reason is a pattern of instructions. What differs without a reason is an error.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import Any

import hardware_vectors
import numpy as np
from forms_exact import FORMATS
from hardware import run
from hardware_rows import Row

PATH = hardware_vectors.FOLDER / "differences.json"

# Instructions by pattern, and why they differ; the first that fits counts.
REASONS = (
    (r"(div\.(approx|full)|(rcp|sqrt|rsqrt|sin|cos|lg2|ex2|tanh)\.approx)",
     "approximation: the manual bounds the error alone"),
    (r"(mul|fma|mad)\.(r[nzmp]\.)?ftz",
     "an H100 flushes what is subnormal before it is rounded"),
    (r"cvt\.r[mp]\.ftz\.(sat\.)?f16\.f32",
     "an H100 flushes no subnormal operand where it rounds down or up"),
    (r"cvt\.", "payload of a NaN"),
    (r".*atom\.global\.add\.f64", "an H100 keeps a NaN that signals"),
    (r".*atom\.shared\.add\.noftz\.b?f16x2",
     "ptxas 13.0 adds the low half alone where the old value is not used"),
    (r".*atom\.shared\.add\.f64", "which of two NaNs is kept"),
    (r"(add|sub|mul|fma|mad)\.(r[nzmp]\.)?f64|m(in|ax)\.f64|mma.*f64",
     "sign and payload of a NaN"),
    (r"(abs|neg)\.", "sign and payload of a NaN"),
    (r"mma\.sync\.aligned\.m8n8k4\..*f16\.f16", "the order of the sum"),
)  # fmt: skip


def distance(row: Row, got: np.ndarray, expected: np.ndarray) -> int:
    """The largest number of units of the last place that approximations of numbers differ
    by; -1 where the result is no approximation, or the two differ in what is no number."""
    match = re.search(r"\.(f16|bf16|f32|f64)(x2)? ", row.text)
    if match is None or not re.match(REASONS[0][0], row.text):
        return -1
    form = FORMATS[match[1]]
    if match[2]:
        got, expected = got.view(np.uint16), expected.view(np.uint16)

    def steps(bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        whole = bits.astype(np.int64) if form.bits < 64 else bits.view(np.int64)
        magnitude = whole & ((1 << (form.bits - 1)) - 1)
        nan = magnitude > ((1 << form.exponent) - 1) << form.mantissa
        negative = (whole >> (form.bits - 1) & 1).astype(bool)
        return np.where(negative, -magnitude, magnitude), nan

    (x, nan_x), (y, nan_y) = steps(got), steps(expected)
    if (nan_x != nan_y).any():
        return -1
    return int(np.abs(x - y)[~nan_x].max(initial=0))


def collect() -> dict[str, dict[str, Any]]:
    """Lanes, and units where they say something, of each instruction that differs."""
    found: dict[str, dict[str, Any]] = {}

    def add(text: str, lanes: int, units: int) -> None:
        reason = next((why for pattern, why in REASONS if re.match(pattern, text)), None)
        if reason is None:
            raise SystemExit(f"{text} differs in {lanes} lanes, and nothing says why")
        found[text] = {"lanes": lanes, "units": units, "reason": reason}

    rows = hardware_vectors.rows()
    for start in range(0, len(rows), 96):
        batch = rows[start : start + 96]
        for (row, _, expected), got in zip(batch, hardware_vectors.answer(batch)):
            if lanes := int((got != expected).sum()):
                add(row.text, lanes, distance(row, got, expected))
    for job, launches in hardware_vectors.products():
        result = run(job, threads=1)
        for i, (sample, wanted) in enumerate(launches):
            got = result.buffers.get(2 * i + 1, job.buffers[2 * i + 1]).view(wanted.dtype)
            if lanes := int((got != wanted).sum()):
                add(sample, lanes, -1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="writes vectors/h100/differences.json")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    text = json.dumps(collect(), indent=1) + "\n"
    if options.check:
        sys.exit(0 if PATH.read_text() == text else f"{PATH} is stale")
    PATH.write_text(text)


if __name__ == "__main__":
    main()
