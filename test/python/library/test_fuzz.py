"""Descriptors of tensors, drawn: no crash, always a status, and nothing written but results.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

WORKER = Path(__file__).with_name("fuzz_worker.py")
EXAMPLES = 400
# Addresses of a GPU's memory are drawn as well, and no driver is to see them.
NO_GPU = {"TILEWRIGHT_CUDA_DRIVER": "/none.so", "TILEWRIGHT_HIP_DRIVER": "/none.so"}


def test_descriptors(sample, tmp_path):
    log = tmp_path / "last"
    run = subprocess.run(
        [sys.executable, WORKER, sample.folder / "libsample.so", log, str(EXAMPLES)],
        env=os.environ | NO_GPU, capture_output=True, text=True,
    )  # fmt: skip
    last = log.read_text() if log.exists() else "nothing"
    assert run.returncode == 0, f"{run.returncode} after {last}\n{run.stderr[-4000:]}"
    seen = ast.literal_eval(run.stdout)
    # Enough of each kind for the draw to mean something.
    assert min(seen["ran"], seen["empty"], seen["lies"]) > 10
    assert seen["refused"] > 100
