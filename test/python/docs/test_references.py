"""The pages that scripts write from the .td files are up to date.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def script(name: str, monkeypatch: pytest.MonkeyPatch):
    """A script of the repository as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module(name)


@pytest.mark.parametrize(
    ("name", "page"),
    [("pass_reference", "passes.md"), ("operation_reference", "operations.md")],
)
def test_page_is_up_to_date(name, page, monkeypatch):
    written = (ROOT / "docs" / page).read_text()
    assert written == script(name, monkeypatch).page(), f"run scripts/{name}.py"


def test_every_pass_of_the_cpu_is_run(monkeypatch):
    for_other_targets = {"expand-tiles"}
    ods = script("ods", monkeypatch)
    declared = {p["argument"] for td in ods.pass_files() for p in ods.passes(td)}
    run = {argument for passes in ods.cpu_pipelines().values() for argument in passes}
    run |= set(ods.checking_passes())
    assert declared - run == for_other_targets


def test_every_operation_is_on_the_page(monkeypatch):
    reference = script("operation_reference", monkeypatch)
    page = reference.page()
    operations = [
        name for td in reference.ods.dialect_files() for name in reference.ods.operations(td)
    ]
    assert len(operations) > 20
    for name in operations:
        assert page.count(f"### `{name}`\n") == 1, name


def test_what_the_cpu_cannot_lower_is_no(monkeypatch):
    reference = script("operation_reference", monkeypatch)
    example = 'func.func @f() {\n  "tile.unknown"() : () -> ()\n  return\n}\n'
    unknown = {"description": f"```mlir\n{example}```"}
    assert reference.lowered_by("tile.unknown", {"tile.unknown": unknown}) == "no"
