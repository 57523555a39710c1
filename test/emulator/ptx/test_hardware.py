"""What an H100 answered, bit for bit: the emulator gives the same, but where
vectors/h100/differences.json says what differs and why.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path

import hardware_differences
import hardware_vectors
import numpy as np
import pytest
from hardware import run
from hardware_rows import module_of
from jobs import Result

from tilewright.emulator import library

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


def test_programs() -> None:
    count = 0
    for job, expected in hardware_vectors.programs():
        after = run(job, threads=1).buffers
        assert after.keys() == expected.keys(), job.name
        for buffer, wanted in expected.items():
            assert np.array_equal(after[buffer], wanted), (job.name, buffer)
        count += 1
    assert count == 3


def test_products() -> None:
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


def test_runner(tmp_path: Path) -> None:
    """bench/gpu/ptx_vectors.py, on the stand-in for the driver: a job that is right, one that
    stops itself, and the one after it."""
    batch = rows()[:4]
    jobs = [module_of(name, [(row, given) for row, given, _ in batch]) for name in "ac"]
    stops = module_of("b", [(batch[0][0], batch[0][1])])
    stops.ptx = stops.ptx.replace("ret;", "trap;")
    for job in (*jobs, stops):
        job.save(tmp_path / "jobs")
    stub = library.path(library.NVIDIA).parent / "cuda-stub" / "libcuda.so.1"
    script = Path(__file__).resolve().parents[3] / "bench" / "gpu" / "ptx_vectors.py"
    subprocess.run(
        [sys.executable, script, tmp_path / "jobs", tmp_path / "results", "--library", stub,
         "--workers", "1"],
        check=True, capture_output=True, timeout=100,
    )  # fmt: skip
    for job in jobs:
        result = Result.load(tmp_path / "results" / f"{job.name}.npz")
        assert (result.digest, result.error) == (job.digest(), "")
        for (_, _, to, size), (_, _, expected) in zip(job.about["rows"], batch):
            assert (result.buffers[to].view(f"u{size}") == expected).all()
    assert "LAUNCH_FAILED" in Result.load(tmp_path / "results" / "b.npz").error
