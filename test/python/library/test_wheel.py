"""The Python package of a library: with Python alone, with NumPy, with PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import tilewright
from tilewright.library import Library, SpecError, build
from tilewright.library.wheel import write_wheel

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def wheel(sample) -> Path:
    """The wheel's file."""
    [path] = sample.folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def package(wheel, tmp_path_factory):
    """The package, in this process."""
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("sample")
    sys.path.remove(str(folder))


# ---- the file ------------------------------------------------------------------------------


def test_python_alone_is_enough(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    python = tmp_path / "v/bin/python"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP"))}
    install = ["install", "-q", "--no-index", "--no-deps", "--no-cache-dir", wheel]
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, *install], check=True, env=environment
    )
    run = subprocess.run(
        [python, "-I", HERE / "bare.py"], capture_output=True, text=True, env=environment
    )
    assert run.stdout == "done\n", run.stderr
    about = "from importlib.metadata import *; m = metadata('sample'); print(m.json)"
    said = subprocess.check_output([python, "-I", "-c", about], text=True)
    assert "'version': '1.2.0'" in said
    assert "'summary': 'Kernels of the \"tests\"'" in said


def test_it_holds_what_was_built(wheel, sample):
    archive = zipfile.ZipFile(wheel)
    assert archive.testzip() is None
    assert archive.read("sample/libsample.so") == (sample.folder / "libsample.so").read_bytes()
    assert json.loads(archive.read("sample/manifest.json"))["release"] == "1.2.0"
    tag = wheel.stem.removeprefix("sample-1.2.0-")
    assert f"Tag: {tag}\n" in archive.read("sample-1.2.0.dist-info/WHEEL").decode()
    assert tag.startswith("py3-none-manylinux_2_")


def test_the_same_input_gives_the_same_bytes(tmp_path):
    library = Library("twice", ["cpu:x86-64-v3"])
    written = []
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        write_wheel(library, {"__init__.py": b""}, b"\0GLIBC_2.17\0", tmp_path / place)
        [path] = (tmp_path / place).iterdir()
        written.append((path.name, path.read_bytes()))
    assert written[0] == written[1]
    assert "manylinux_2_17_" in written[0][0]


@pytest.mark.parametrize(
    ("name", "function", "release", "said"),
    [
        ("fine", "lambda", "1.0", "a function of a Python package cannot be called 'lambda'"),
        ("fine", "Stream", "1.0", "cannot be called 'Stream'"),
        ("lambda", "f", "1.0", "a library of a Python package cannot be called 'lambda'"),
        ("fine", "f", "one", "a wheel cannot have the release 'one'"),
    ],
)
def test_names_that_python_refuses(tmp_path, name, function, release, said):
    library = Library(name, ["cpu:x86-64-v3"], release=release)
    library.add(function, lambda: pytest.fail("it compiles first"))
    with pytest.raises(SpecError, match=said):
        build(library, tmp_path / "out", wheel=True)
    assert not (tmp_path / "out").exists()


# ---- arrays --------------------------------------------------------------------------------


def test_numpy(package):
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    y = np.empty((4, 3), np.float32)
    package.affine(x.T, y, np.float32(0.5), np.int64(2), np.True_)
    np.testing.assert_array_equal(y, x.T * 0.5 + 2)
    package.affine(x[::-1, ::-1].T, y, 1, 0, np.False_)
    np.testing.assert_array_equal(y, x[::-1, ::-1].T)
    y.flags.writeable = False
    with pytest.raises(ValueError, match="argument 'Y' is read-only"):
        package.affine(x.T, y, 1, 0, True)


def test_elements_that_numpy_has_not(package):
    x = np.arange(6, dtype=ml_dtypes.bfloat16).reshape(2, 3)
    y = np.zeros_like(x)
    package.affine(x, y, 2.0, 1, True)
    np.testing.assert_array_equal(y, x * 2 + 1)
    assert "build bf16 (2 of 2)" in package.affine_explain(x, y, 2.0, 1, True)


class Capsule:
    """An array that has `__dlpack__` alone, of `version`."""

    def __init__(self, array, is_versioned):
        self.array, self.is_versioned = array, is_versioned

    def __dlpack__(self, **given):
        if self.is_versioned:
            return self.array.__dlpack__(**given)
        if given:
            raise TypeError("no arguments")
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("is_versioned", [False, True])
def test_dlpack(package, is_versioned):
    x, y = np.arange(6, dtype=np.int32), np.ones(6, np.int32)
    before = sys.getrefcount(x)
    package.accumulate(Capsule(x, is_versioned), Capsule(y, is_versioned))
    np.testing.assert_array_equal(y, x + 1)
    assert sys.getrefcount(x) == before
    y.flags.writeable = False
    read_only = Capsule(y, is_versioned)
    expected = (ValueError, "read-only") if is_versioned else (TypeError, "argument 'Y'")
    with pytest.raises(expected[0], match=expected[1]):
        package.accumulate(Capsule(x, is_versioned), read_only)


def test_the_gil_is_released(package):
    x, y = np.ones(1 << 23, np.int32), np.zeros(1 << 23, np.int32)
    runs, turns = threading.Event(), []

    def count():
        while not runs.is_set():
            turns.append(None)
            time.sleep(0)

    counter = threading.Thread(target=count)
    switch = sys.getswitchinterval()
    sys.setswitchinterval(10)  # nobody has to give the lock away meanwhile
    try:
        counter.start()
        for _ in range(100):  # a busy machine may give the counter no core
            before = len(turns)
            package.accumulate(x, y)
            during = len(turns) - before
            if during > 10:
                break
    finally:
        runs.set()
        sys.setswitchinterval(switch)
        counter.join()
    assert during > 10
    assert y[0] >= 1
    assert (y == y[0]).all()


@pytest.mark.parametrize("name", ["cuda-emulator:sm_80", "hip-emulator:gfx942"])
def test_an_emulated_gpu(package, name, monkeypatch):
    vendor = name.partition("-")[0]
    driver = f"libtilewright_{vendor}_driver.so"
    folder = Path(tilewright.__path__[-1]).parents[1] / "lib"
    monkeypatch.setenv(f"TILEWRIGHT_{vendor.upper()}_DRIVER", str(folder / driver))
    x, y = np.arange(6, dtype=np.int32), np.ones(6, np.int32)
    stream = package.Stream(name)
    package.accumulate(x, y, stream=stream)
    np.testing.assert_array_equal(y, x + 1)
    assert vendor in package.accumulate_explain(x, y, stream=stream)


def test_arrays_and_streams_of_a_driver(package):
    stub = Path(tilewright.__path__[-1]).parents[1] / "lib/cuda-stub"
    folder = Path(package.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-I", HERE / "gpu_streams.py", folder],
        env=os.environ | {"LD_LIBRARY_PATH": str(stub)}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.stdout == "done\n", run.stderr
