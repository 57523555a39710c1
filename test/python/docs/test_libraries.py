"""docs/libraries.md: its files are built, its program runs and prints what the page says.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import re
import runpy
import subprocess
from pathlib import Path

from tilewright.cli import main

PAGE = (Path(__file__).resolve().parents[3] / "docs/libraries.md").read_text()
BLOCKS = re.findall(r"```(\w+) ?(\S*)\n(.*?)```", PAGE, re.S)
FILES = {name: text for _, name, text in BLOCKS if name}
OUTPUT = next(text for language, _, text in BLOCKS if language == "text")
COMMANDS = [text for language, _, text in BLOCKS if language == "sh"]


def test_the_page(tmp_path, monkeypatch, capsys):
    assert set(FILES) == {
        "my_kernels.py",
        "kernels.toml",
        "program.cpp",
        "use.py",
        "wheel_user.py",
    }
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    assert COMMANDS[0].startswith("tilewright ")
    assert main(COMMANDS[0].split()[1:]) == 0
    run = subprocess.run(COMMANDS[1], shell=True, capture_output=True, text=True)
    assert run.stdout == OUTPUT, run.stderr

    table = PAGE.partition("| file in")[2].partition("A program:")[0]
    for file in (tmp_path / "dist").iterdir():
        assert f"`{file.name}`" in table
    header = (tmp_path / "dist/mine.h").read_text()
    for function in ("mine_scale", "mine_scale_explain", "mine_scale_workspace", "mine_choose"):
        assert f"{function}(" in header
    assert runpy.run_path("use.py")["y"].tolist() == [0, 2, 4, 6]
