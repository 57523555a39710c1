"""What an H100 answered, bit for bit: the emulator gives the same, but where
vectors/h100/differences.json says what differs and why.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import json

import hardware_differences
import hardware_vectors
import numpy as np
import pytest

_BATCH = 96


@functools.cache
def rows() -> list:
    return hardware_vectors.rows()


@functools.cache
def differences() -> dict[str, dict]:
    text = (hardware_vectors.FOLDER / "differences.json").read_text()
    return json.loads(text)


@pytest.mark.parametrize("start", range(0, 2688, _BATCH))
def test_rows(start: int) -> None:
    batch = rows()[start : start + _BATCH]
    failures = []
    for (row, operands, expected), got in zip(batch, hardware_vectors.answer(batch)):
        different = np.flatnonzero(got != expected)
        known = differences().get(row.text)
        if known is not None:
            worst = hardware_differences.distance(row, got, expected)
            if (len(different), worst) != (known["lanes"], known["units"]):
                failures.append(f"{row.text} {len(different)} lanes, {worst} units: {known}")
        elif len(different):
            at = different[0]
            given = ", ".join(hex(one) for one in operands[:, at].tolist())
            failures.append(
                f"{row.text} of {given}: {got[at]:#x}, and an H100 gives {expected[at]:#x}"
            )
    assert not failures, "\n".join(failures)


def test_all_rows_are_run() -> None:
    assert len(rows()) == 2688
    assert set(differences()) <= {row.text for row, _, _ in rows()} | {
        sample for _, expected in hardware_vectors.products() for sample, _ in expected
    }


def test_products() -> None:
    from hardware import run

    failures, count = [], 0
    for job, expected in hardware_vectors.products():
        result = run(job, threads=1)
        for i, (sample, wanted) in enumerate(expected):
            before = job.buffers[2 * i + 1]
            got = result.buffers.get(2 * i + 1, before).view(wanted.dtype)
            different = int((got != wanted).sum())
            count += 1
            if different != differences().get(sample, {"lanes": 0})["lanes"]:
                failures.append(f"{sample}: {different} of {wanted.size}")
    assert count > 100
    assert not failures, "\n".join(failures)
