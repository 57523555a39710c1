"""The examples in the descriptions of passes are what the compiler does.

An example is two blocks: IR, and what the passes that the second one's first line names make
of it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import importlib
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


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


def test_the_second_block_is_what_the_pass_makes_of_the_first(ods):
    shown = []
    for record in (p for td in ods.pass_files() for p in ods.passes(td)):
        blocks = re.findall(r"```mlir\n(.*?)```", ods.text(record["description"]), re.S)
        if not blocks:
            continue
        before, after = blocks
        passes = re.findall(r"--\S+", after.partition("\n")[0])
        assert f"--{record['argument']}" in passes
        assert printed(ods, before, passes) == printed(ods, after, ["--canonicalize"])
        shown.append(record["argument"])
    assert "expand-tiles" in shown
