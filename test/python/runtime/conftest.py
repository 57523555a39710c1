"""Fixtures of the runtime's tests.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import pytest

from tilewright import runtime

from . import artifacts


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
