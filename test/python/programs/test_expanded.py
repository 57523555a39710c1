"""Programs do the same where every operation on whole tiles is expanded to parallel loops.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tilewright.testing.programs import Worker, examine_range

SEED = 2027
COUNT, SHARE = 100, 25


class ExpandedWorker(Worker):
    """A worker that compiles by way of `expand-tiles`."""

    def command(self) -> list[str]:
        return [sys.executable, str(Path(__file__).with_name("expanded.py")), self.device]


@pytest.fixture(scope="module")
def worker():
    with ExpandedWorker("cpu") as worker:
        yield worker


@pytest.mark.parametrize("first", range(0, COUNT, SHARE))
def test_drawn_programs(first, worker):
    counts, failures = examine_range(SEED, range(first, first + SHARE), worker)
    assert not failures, f"{failures[0].verdict}\n{failures[0].program.text()}"
    assert counts["pass"] >= 0.9 * SHARE, counts  # few are drawn that mean nothing
