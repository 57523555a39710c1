"""What docs/cpu.md shows is what the compiler does.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import importlib
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "cpu.md").read_text()
BLOCKS = re.findall(r"^```mlir\n(.*?)^```", PAGE, re.M | re.S)


@pytest.fixture
def ods(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("ods")


def printed(ods, text: str, options: list[str]) -> str:
    """The IR as tilewright-opt prints it after some passes."""
    command = [ods.BUILD / "bin" / "tilewright-opt", *options, "-"]
    run = subprocess.run(command, input=text, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("number", [i for i, b in enumerate(BLOCKS) if b.startswith("//")])
def test_a_block_is_what_its_passes_make_of_the_one_before(ods, number):
    before, after = BLOCKS[number - 1 : number + 1]
    comment = re.match(r"(?://.*\n)+", after)[0]
    passes = re.findall(r"--\S+", comment)
    assert passes
    # Aliases of types hold for both blocks.
    aliases = "".join(re.findall(r"^[#!]\w+ = .*\n", before, re.M))
    assert printed(ods, before, passes) == printed(ods, aliases + after, [])


def test_both_examples_are_checked():
    assert [block.startswith("// tilewright-opt") for block in BLOCKS] == [False, True] * 2


def test_the_pipelines_are_in_order(ods):
    section = PAGE.partition("## The pipeline\n")[2].partition("\n## ")[0]
    items = re.findall(r"^- (.*?)(?=^- |^$)", section, re.M | re.S)
    known = {argument for passes in ods.cpu_pipelines().values() for argument in passes}
    named = [n for item in items for n in re.findall(r"`([\w-]+)`", item) if n in known]
    assert named == [argument for passes in ods.cpu_pipelines().values() for argument in passes]
