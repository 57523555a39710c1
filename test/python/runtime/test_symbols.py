"""What the runtime's libraries export and need: C and nothing of the C++ library.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import re
import subprocess
from pathlib import Path

import pytest

import tilewright

from .artifacts import ROOT

BUILD = Path(tilewright.__path__[-1]).parents[1]
HEADERS = ROOT / "runtime/include/tilewright"
API = ("device.h", "library.h", "runtime.h", "thread_pool.h")


def _symbols(file: Path, *options: str) -> list[tuple[str, str]]:
    """(type letter, name without its version) of nm's lines."""
    output = subprocess.run(
        ["nm", *options, file], capture_output=True, text=True, check=True
    ).stdout
    lines = (line.split()[-2:] for line in output.splitlines() if len(line.split()) >= 2)
    return [(kind, name.partition("@")[0]) for kind, name in lines]


def _declared() -> set[str]:
    """The functions and objects that the headers declare with TW_API."""
    text = "".join((HEADERS / name).read_text() for name in API)
    return set(re.findall(r"TW_API\s[^;(]*?(tw_\w+)(?=\(|;)", text))


@pytest.mark.parametrize("name", ["libtilewright_runtime.so", "libtilewright_runtime.a"])
def test_nothing_of_the_cpp_library_is_needed(name):
    options = ["-D", "--undefined-only"] if name.endswith(".so") else ["--undefined-only"]
    needed = {symbol for _, symbol in _symbols(BUILD / "lib" / name, *options)}
    assert "malloc" in needed
    mangled = {symbol for symbol in needed if symbol.startswith("_Z")}
    ours = {symbol for symbol in mangled if "tilewright" in symbol}
    assert mangled == ours
    assert not {s for s in needed if s.startswith(("__cxa_", "__gxx", "_Unwind"))} - {
        "__cxa_finalize"
    }


def test_the_shared_library_needs_libc_alone():
    output = subprocess.run(
        ["readelf", "-d", BUILD / "lib/libtilewright_runtime.so"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    needed = set(re.findall(r"NEEDED.*\[(.*)\]", output))
    assert needed <= {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def test_the_shared_library_exports_the_headers_api():
    exported = _symbols(BUILD / "lib/libtilewright_runtime.so", "-D", "--defined-only")
    assert len(_declared()) > 20
    assert {name for kind, name in exported if kind in "TDRBu"} == _declared()
    assert ("u", "tw_thread_pool_v2") in exported, "unique: one definition per process"


def test_the_extension_exports_two_symbols():
    exported = _symbols(BUILD / "python/tilewright/_runtime.so", "-D", "--defined-only")
    assert {name for kind, name in exported if kind != "A"} == {
        "PyInit__runtime",
        "tw_thread_pool_v2",
    }


@pytest.mark.parametrize("language", [["-std=c99"], ["-x", "c++", "-std=c++17"]])
def test_the_headers_stand_alone(language):
    for header in ("abi.h", "checks.h", *API):
        subprocess.run(
            ["gcc", *language, "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
             "-I", ROOT / "runtime/include", "-include", f"tilewright/{header}", "-x",
             "c++" if "c++" in language else "c", "/dev/null"],
            check=True,
        )  # fmt: skip
