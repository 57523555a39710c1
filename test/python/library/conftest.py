"""Libraries that the tests share.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from pathlib import Path

import pytest

from tilewright.library import Built, Library, build, read_spec

from .kernels_to_build import add_integers, row_sums, scale

TARGETS = ("cpu:x86-64-v3", "cuda:sm_80", "hip:gfx942")


def make_library(targets=TARGETS) -> Library:
    """Three functions; of two there are several builds."""
    library = Library(
        "probe", targets, release="1.2.3", description="kernels to try", licence="MIT"
    )
    library.add("scale", scale)
    library.add(
        "row_sums",
        row_sums,
        {
            "of_8": {"columns": 8},
            "of_16": {"columns": 16},
            "of_16_half": {"columns": 16, "dtype": "float16"},
        },
        doc="Sums[row] is the sum over X[row, :].",
    )
    library.add("add", add_integers, [{"dtype": "int32"}, {"dtype": "int64"}])
    return library


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Where the library was built."""
    path = tmp_path_factory.mktemp("probe")
    build(make_library(), path)
    return path


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Built:
    """The library of sample_library.py with everything that is written beside it."""
    library = read_spec(Path(__file__).with_name("sample_library.py"))
    return build(library, tmp_path_factory.mktemp("sample"), jobs=2, wheel=True)
