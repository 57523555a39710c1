"""What type checkers are told: the stubs are complete, and kernels pass with them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .test_code_blocks import PROGRAMS, ROOT

# Each line of a kernel that an editor should underline, and what it should say.
MISTAKES = {
    'T.alloc_shraed((8,), "float32")': '"alloc_shraed" is not a known attribute',
    "T.copy(A)": '"dst"',
    "T.reduce_sum(A, A, dimension=0)": '"dimension"',
    "with T.Kernel(1, 2, 3, 4): pass": "Kernel",
    "T.exp2('x')": '"x"',
}


def pyright(project: Path) -> list[dict]:
    """What pyright reports for a folder with a pyrightconfig.json."""
    run = subprocess.run(
        [sys.executable, "-m", "pyright", "-p", str(project), "--outputjson"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
    )
    report = json.loads(run.stdout)
    assert report["summary"]["filesAnalyzed"] > 0
    return report["generalDiagnostics"]


def configure(folder: Path, *include: str) -> None:
    """The project's own settings for the files of another folder."""
    import tomllib

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pyright"]
    settings["include"] = list(include)
    settings["extraPaths"] = [str(ROOT / "python")]
    settings["venvPath"] = str(ROOT)
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))


def test_examples_are_clean():
    assert pyright(ROOT / "pyproject.toml") == []


def test_pages_are_clean_and_mistakes_are_found(tmp_path):
    for page, program in PROGRAMS.items():
        (tmp_path / f"{page.stem}_page.py").write_text(program)
    lines = ["import tilewright.language as T", "@T.prim_func", "def kernel(A):"]
    lines += [f"    {line}" for line in MISTAKES]
    (tmp_path / "mistakes.py").write_text("\n".join(lines) + "\n")
    configure(tmp_path, ".")
    found = {}
    for entry in pyright(tmp_path):
        name = Path(entry["file"]).name
        assert name == "mistakes.py", entry
        found.setdefault(entry["range"]["start"]["line"], []).append(entry["message"])
    for at, (line, message) in enumerate(MISTAKES.items(), 3):
        assert any(message in text for text in found.get(at, [])), (line, found)


def test_stub_of_the_language_is_up_to_date(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    stubs = importlib.import_module("language_stubs")
    assert stubs.TARGET.read_text() == stubs.page(), "run scripts/language_stubs.py"


def declared(body: list[ast.stmt]) -> set[str]:
    """Public names that statements of a stub declare."""
    names = {n.name for n in body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    names |= {n.target.id for n in body if isinstance(n, ast.AnnAssign)}
    return {n for n in names if not n.startswith("_")}


@pytest.mark.parametrize("name", ["_runtime", "_compiler"])
def test_stub_of_an_extension_is_complete(name):
    module = importlib.import_module(f"tilewright.{name}")
    tree = ast.parse((ROOT / "python" / "tilewright" / f"{name}.pyi").read_text())
    public = {n for n in vars(module) if not n.startswith("_")}
    assert public == declared(tree.body) - {"DeviceInfo", "Limits"}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in ("Kernel", "Graph"):
            found = {n for n in vars(getattr(module, node.name)) if not n.startswith("_")}
            assert found == declared(node.body)
