"""The C programs of docs/abi.md compile, run and print what the page says.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import re
import subprocess

import pytest

from .artifacts import ROOT
from .test_symbols import BUILD

BLOCKS = re.findall(r"```(\w+) ?(\S*)\n(.*?)```", (ROOT / "docs/abi.md").read_text(), re.S)
SOURCES = {name: code for language, name, code in BLOCKS if language == "c"}
OUTPUT = next(text for language, _, text in BLOCKS if language == "text")


def _gcc(*arguments) -> None:
    include = ROOT / "runtime/include"
    subprocess.run(
        ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-I", include, *arguments],
        check=True,
    )


@pytest.mark.parametrize("linked", ["shared", "static"])
def test_the_example(tmp_path, linked):
    for name, code in SOURCES.items():
        (tmp_path / name).write_text(code)
    artifact, program = tmp_path / "scale.so", tmp_path / "program"
    _gcc("-shared", "-fPIC", "-o", artifact, tmp_path / "artifact.c")
    library = BUILD / "lib"
    if linked == "shared":
        libraries = ["-L", library, "-ltilewright_runtime", f"-Wl,-rpath,{library}"]
    else:
        libraries = [library / "libtilewright_runtime.a", "-lpthread", "-ldl"]
    _gcc("-o", program, tmp_path / "program.c", *libraries)
    result = subprocess.run([program, artifact], capture_output=True, text=True, check=True)
    assert result.stdout == OUTPUT
    missing = subprocess.run([program, "nothing.so"], capture_output=True, text=True)
    assert missing.returncode == 1
    assert missing.stderr == "nothing.so: cannot be opened: No such file or directory\n"


def test_every_entry_of_the_host_table_is_described():
    header = (ROOT / "runtime/include/tilewright/abi.h").read_text()
    table = re.search(r"typedef struct tw_host_v1 \{(.*?)\} tw_host_v1;", header, re.S).group(1)
    code = re.sub(r"/\*.*?\*/", "", table, flags=re.S)
    entries = re.findall(r"\(\*(\w+)\)|\*(\w+);", code)
    names = [function or pointer for function, pointer in entries]
    assert names[-1] == "messages"
    text = (ROOT / "docs/abi.md").read_text()
    described = re.findall(r"^\| `(\w+)(?:\(.*?\))?` \|", text, re.M)
    assert names == described[: len(names)]
