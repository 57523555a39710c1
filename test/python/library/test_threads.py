"""Calls from many threads from the first one on, and in processes that forked.

`make sanitize` looks at the same in test/unit/runtime/LibraryTest.cpp: a library that was built
with a sanitizer's runtime cannot be linked into a plain one.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("threads.c")


@pytest.fixture(scope="module", params=["shared", "static"])
def program(sample, tmp_path_factory, request) -> Path:
    """The C program with either form of the library."""
    path = tmp_path_factory.mktemp("threads") / "threads"
    library = {
        "shared": [f"-L{sample.folder}", "-lsample", f"-Wl,-rpath,{sample.folder}"],
        "static": [sample.folder / "libsample.a", "-ldl"],
    }[request.param]
    subprocess.run(
        ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", f"-I{sample.folder}",
         SOURCE, "-o", path, *library, "-pthread",
         "-Wl,--export-dynamic-symbol=tw_thread_pool_v2"],
        check=True,
    )  # fmt: skip
    return path


@pytest.mark.parametrize(("mode", "times"), [("first", 10), ("fork", 3)])
def test_at_once(program, mode, times):
    for _ in range(times):
        run = subprocess.run([program, mode], capture_output=True, text=True, timeout=120)
        assert (run.returncode, run.stdout) == (0, "done\n"), run.stderr
