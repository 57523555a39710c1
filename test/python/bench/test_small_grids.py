"""bench/small_grids.py: both forms are right, and only one divides blocks.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "bench"

sys.path.insert(0, str(FOLDER))
import small_grids  # noqa: E402

sys.path.remove(str(FOLDER))


def test_every_case_is_divided_unless_batch_invariant():
    for case in small_grids.cases():
        divided = "\n".join(case.compile().remarks())
        assert "blocks done in" in divided, divided
        whole = "\n".join(case.compile(batch_invariant=True).remarks())
        assert "blocks done in" not in whole, whole


def test_the_table(capsys):
    assert small_grids.main(["--seconds", "0"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "s " in line]
    assert sum("4096" in line for line in lines) == 6  # three cases on one thread and on two
