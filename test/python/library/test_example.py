"""examples/aot: a library and the programs that use it, outside of the source tree.

The programs are built and run in another folder with an empty environment: there is no Python
on PATH, and nothing of Tilewright but the library.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tilewright

EXAMPLE = Path(__file__).parents[3] / "examples/aot"
DRIVERS = Path(tilewright.__path__[-1]).parents[1] / "lib"
TARGETS = ("cpu:x86-64-v3", "cuda:sm_80", "hip:gfx942")
# What CMake and compilers start; env, since tests run with nothing of the environment.
TOOLS = "cmake ctest make cc c++ gcc g++ as ld ar ranlib env sh rustc".split()  # noqa: SIM905
CALLS = 15
LANGUAGES = {"check_c": "C", "check_cpp": "C++", "check_rust": "Rust"}


def environment(cache: Path) -> dict[str, str]:
    """That of a process that finds what this one imports, with a cache of its own."""
    path = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)
    return {**os.environ, "PYTHONPATH": path, "TILEWRIGHT_CACHE_DIR": str(cache)}


def build(spec: Path, folder: Path, processes: int, cache: Path) -> Path:
    """`tilewright build` for TARGETS, run in the folder that it writes."""
    folder.mkdir()
    command = [sys.executable, "-m", "tilewright", "build", spec, "-o", ".", f"-j{processes}"]
    for target in TARGETS:
        command += ["--target", target]
    subprocess.run(
        command, cwd=folder, env=environment(cache),
        check=True, timeout=600, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return folder


def make(place: Path, *arguments: str) -> str:
    """What the example's Makefile prints."""
    command = ["make", "-C", EXAMPLE, "--no-print-directory", f"PYTHON={sys.executable}"]
    done = subprocess.run(
        [*command, f"OUT={place}", *arguments], env=environment(place / "cache"), timeout=600,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def alone(tools: str, *command: object) -> subprocess.CompletedProcess:
    """Runs a command with PATH alone."""
    words = [shutil.which(str(command[0]), path=tools), *map(str, command[1:])]
    return subprocess.run(
        words, env={"PATH": tools}, timeout=600,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    """A PATH with no Python: links to what building takes."""
    folder = tmp_path_factory.mktemp("tools")
    for tool in TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    return str(folder)


@pytest.fixture(scope="module")
def place(tmp_path_factory, tools):
    """A folder with libdsk, the references, and the programs, which were built with an empty
    environment: one for all processes of pytest, made by the first that comes."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    place = shared / "away"
    with (shared / "away.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            fill(place, tools)
        assert (place / "programs/check_cpp").exists(), "another process failed to build it"
    return place


def fill(place: Path, tools: str) -> None:
    """Makes what `place` has."""
    place.mkdir()
    made = [place / "dsk/manifest.json"]
    made += [place / "references" / sizes / "done" for sizes in ("real", "small")]
    make(place, "-j2", f"TARGETS={' '.join(TARGETS)}", *map(str, made))
    for source in ("CMakeLists.txt", "check.c", "check.cpp", "check.rs"):
        shutil.copy(EXAMPLE / source, place)
    folder = place / "programs"
    options = {"DSK": place / "dsk", "REFERENCES": place / "references", "DRIVERS": DRIVERS}
    for command in (
        ["cmake", "-S", place, "-B", folder, *(f"-D{n}={v}" for n, v in options.items())],
        ["cmake", "--build", folder, "-j2"],
    ):
        done = alone(tools, *command)
        assert done.returncode == 0, done.stdout


def test_the_programs_with_ctest(place, tools):
    """All programs on the CPU and on both emulators, in the environment that is empty."""
    assert not any(name.startswith("python") for name in os.listdir(tools))
    done = alone(tools, "ctest", "--test-dir", place / "programs", "-V")
    assert done.returncode == 0, done.stdout
    built = [name for name in LANGUAGES if (place / "programs" / name).exists()]
    assert built[:2] == ["check_c", "check_cpp"]
    devices = ("cpu", "cuda-emulator:sm_80", "hip-emulator:gfx942")
    for program in built:
        for device in devices:
            said = f"{LANGUAGES[program]} on {device}: {CALLS} of {CALLS} calls of libdsk"
            assert said in done.stdout
    # Each of a function's builds was taken, and the code for the device.
    for target in TARGETS:
        lines = re.findall(rf"dsk_(\w+): build (\w+) \(.*\) for {target} ", done.stdout)
        assert len(lines) == CALLS * len(built)
        assert len(set(lines)) == CALLS


def test_rust(place):
    """The Rust program is there where its compiler is."""
    if not shutil.which("rustc"):
        pytest.skip("there is no rustc on PATH, which builds the Rust program")
    assert (place / "programs/check_rust").exists()


def test_a_wrong_result_is_noticed(place, tmp_path):
    """A program fails where one element of a reference is another."""
    shutil.copytree(place / "references/small", tmp_path / "small")
    file = tmp_path / "small/swiglu-v3/Out.value.bin"
    data = bytearray(file.read_bytes())
    data[-2] ^= 0x10  # of the exponent of the last element
    file.write_bytes(data)
    for program in LANGUAGES:
        if (place / "programs" / program).exists():
            done = subprocess.run(
                [place / "programs" / program, tmp_path / "small"],
                env={},
                text=True,
                capture_output=True,
            )
            assert done.returncode == 1
            assert f"{CALLS - 1} of {CALLS} calls" in done.stdout


def test_libc_alone_is_needed(place):
    for file in (place / "dsk/libdsk.so", place / "programs/check_c"):
        output = subprocess.run(
            ["ldd", file], text=True, capture_output=True, check=True
        ).stdout
        names = {line.split()[0].rpartition("/")[2] for line in output.splitlines()}
        assert names == {"linux-vdso.so.1", "libc.so.6", "ld-linux-x86-64.so.2"}


def symbols(file: Path, *options: str) -> set[str]:
    """The names of the global symbols that a file defines."""
    output = subprocess.run(
        ["nm", "--defined-only", "--extern-only", *options, file],
        text=True, capture_output=True, check=True,
    ).stdout  # fmt: skip
    lines = [line.split() for line in output.splitlines()]
    return {words[-1].partition("@")[0] for words in lines if len(words) == 3}


def test_symbols(place):
    """A library shows its functions, what it is known by, and the pool that all share."""
    header = (place / "dsk/dsk.h").read_text()
    declared = set(re.findall(r"DSK_API\s[^;(]*?(dsk_\w+)(?=\()", header))
    assert {"dsk_mla_decode", "dsk_topk_explain", "dsk_last_error"} < declared
    shared = symbols(place / "dsk/libdsk.so", "-D")
    assert shared == declared | {"tw_library", "tw_thread_pool_v2"}
    assert symbols(place / "dsk/libdsk.a") == declared | {"tw_thread_pool_v2"}


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_runs_give_the_same_bytes(place, tmp_path):
    """Another run, with one process, with what is compiled; and two that compile."""
    again = build(EXAMPLE / "kernels.toml", tmp_path / "again", 1, place / "cache")
    assert contents(again) == contents(place / "dsk")
    sections = re.split(r"\n\n(?=\[functions\.\w+\]\n)", (EXAMPLE / "kernels.toml").read_text())
    few = [s for s in sections[1:] if s.startswith(("[functions.swiglu]", "[functions.topk]"))]
    assert len(few) == 2
    spec = tmp_path / "few.toml"
    spec.write_text("\n\n".join([sections[0], *few]))
    one, two = (build(spec, tmp_path / f"j{n}", n, tmp_path / f"cache{n}") for n in (1, 2))
    assert contents(one) == contents(two)


def test_the_demo(place):
    """What `make demo` ends with: the C++ program's last line, with a library for one CPU."""
    last = make(place, "demo").splitlines()[-1]
    assert last.startswith(f"C++ on cpu: {CALLS} of {CALLS} calls of libdsk are within their")
    manifest = json.loads((place / "demo/dsk/manifest.json").read_text())
    artifacts = [a for f in manifest["functions"] for b in f["builds"] for a in b["artifacts"]]
    assert {artifact["target"] for artifact in artifacts} == {TARGETS[0]}
