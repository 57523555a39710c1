"""The Python blocks of the documentation run, page by page, in one namespace each.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def python_of(page: str) -> str:
    """The page with every line blanked that is not in a ```python block.

    A line of the program keeps its number, so a failure points at the page.
    """
    lines = []
    inside = False
    for line in page.splitlines():
        if line.startswith("```"):
            inside = line == "```python"
            line = ""
        lines.append(line if inside else "")
    return "\n".join(lines) + "\n"


PROGRAMS = {
    page.relative_to(ROOT): python_of(page.read_text())
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}


def test_the_tutorial_has_code():
    assert PROGRAMS[Path("docs/tutorial.md")].count("@tilewright.jit") >= 4


@pytest.mark.parametrize("page", [p for p, text in PROGRAMS.items() if text.strip()], ids=str)
def test_page_runs(page, tmp_path):
    program = tmp_path / f"{page.stem}.py"
    program.write_text(PROGRAMS[page])
    runpy.run_path(str(program), run_name="__main__")
