"""Fixtures of the runtime's tests.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import pytest

from tilewright import runtime
from tilewright.compiler.cache import files

from . import artifacts, gpu_artifacts


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of an empty cache of the test's own, not made yet; no warning given yet."""
    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(files, "_warned", set())
    return tmp_path / "cache" / "v2"


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    """`kernel(params, symbols=(), body="", out_idx=None, **build)`: an artifact, loaded."""
    count = iter(range(10**6))

    def make(params, symbols=(), body="", out_idx=None, **build):
        folder = tmp_path_factory.mktemp(f"artifact{next(count)}")
        path = artifacts.build(folder, params, symbols, body, **build)
        return runtime.load(path, out_idx=out_idx)

    return make


@pytest.fixture(scope="session")
def add(kernel):
    """add(A, by, C)"""
    return kernel(artifacts.ADD_PARAMS, artifacts.ADD_SYMBOLS, artifacts.ADD_BODY, name="add")


@pytest.fixture(scope="session")
def gpu_artifact(tmp_path_factory):
    """`gpu_artifact(params, symbols, body, name=...)`: the path of an artifact with images for
    cuda:sm_80, hip:gfx942 and hip:gfx1100."""
    folder = tmp_path_factory.mktemp("gpu")
    codes = {}
    made = {}

    def make(params, symbols, body, name):
        for arch in () if codes else ("sm_80", "gfx942", "gfx1100"):
            vendor = "cuda" if arch.startswith("sm_") else "hip"
            codes[f"{vendor}:{arch}"] = gpu_artifacts.device_code(folder, arch)
        if name not in made:
            made[name] = gpu_artifacts.build(folder, params, symbols, body, codes, name)
        return made[name]

    return make
