"""examples/transformers_deepseek.py at a tiny size.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "transformers_deepseek.py"
TINY = (
    "--layers 2 --hidden 64 --heads 2 --experts 16 --inner 32 --vocabulary 64 --batch 2 "
    "--prompt 70 --tokens 3 --rounds 1 --threads 1"
)


def run(*arguments: str) -> str:
    """What the example prints."""
    command = [sys.executable, EXAMPLE, *arguments]
    environment = os.environ | {"COLUMNS": "160", "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_line_for_each_way():
    shown = run(*TINY.split())
    assert "DeepSeek-V3 in f32" in shown
    assert "1 threads, medians of 1 rounds" in shown
    rows = [line for line in shown.splitlines() if re.search(r"\d+ of \d+", line)]
    assert [line.split(":")[0].strip() for line in rows] == [
        "transformers", "transformers", "ours by name", "ours",
    ]  # fmt: skip
    assert all("8 of 8" in line for line in rows)  # 4 tokens of each of 2 requests
    assert "1.00 x" in rows[1]
