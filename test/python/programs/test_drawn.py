"""Programs drawn at random do what docs/semantics.md says, and so do those that once did not.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tilewright.testing.programs import Worker, examine_range, replayed

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))
SEED = 2026
# Drawn for the CPU, for every device, and at a time.
COUNT, COUNT_EVERYWHERE, SHARE = 200, 100, 50


def _examine(seed, first, device):
    with Worker(device) as worker:
        counts, failures = examine_range(seed, range(first, first + SHARE), worker)
    assert not failures, f"{failures[0].verdict}\n{failures[0].program.text()}"
    assert counts["pass"] >= 0.9 * SHARE, counts  # few are drawn that mean nothing


@pytest.mark.parametrize("first", range(0, COUNT, SHARE))
def test_drawn_programs(first, device):
    _examine(SEED, first, device)


@pytest.mark.every_device
@pytest.mark.parametrize("first", range(0, COUNT_EVERYWHERE, SHARE))
def test_drawn_programs_everywhere(first, device):
    _examine(SEED + 1, first, device)


@pytest.mark.every_device
@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_a_program_that_once_failed(path, device):
    verdict = replayed(path, device)
    assert verdict.status == "pass", f"{verdict}\n{path}"
