"""The pages about the language say what is there.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import tilewright.language as T
from tilewright.language.registry import Operation

ROOT = Path(__file__).parents[3]


def test_every_operation_is_described():
    for name in T.__all__:
        value = getattr(T, name)
        if isinstance(value, Operation):
            assert value.__doc__, name


def test_no_name_is_both_offered_and_refused():
    from tilewright.language.rejected import REJECTED

    assert not REJECTED.keys() & set(T.__all__)


def test_the_page_of_names_is_up_to_date():
    path = ROOT / "scripts" / "language_reference.py"
    spec = importlib.util.spec_from_file_location("language_reference", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = (ROOT / "docs" / "language.md").read_text()
    assert page == script.page(), "run scripts/language_reference.py"


def test_every_test_that_the_semantics_name_exists():
    page = (ROOT / "docs" / "semantics.md").read_text()
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[-1])}
    sources = "".join(f.read_text() for f in Path(__file__).parents[1].rglob("*.py"))
    defined = set(re.findall(r"def (?:test_)?(\w+)\(", sources))
    assert len(named) > 40
    assert named <= defined
