"""Built libraries in Python again.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
import pytest

import tilewright
from tilewright.library import load


@pytest.mark.parametrize("where", [None, "cuda-emulator:sm_80", "hip-emulator:gfx942"])
def test_functions(folder, where):
    library = load(folder / "libprobe.so", where)
    assert (library.name, library.release) == ("probe", "1.2.3")
    assert [f.name for f in library] == ["probe_scale", "probe_row_sums", "probe_add"]
    rng = np.random.default_rng(5)
    x = rng.standard_normal((7, 16)).astype(np.float16)
    sums = np.full(7, np.nan, np.float32)
    library.row_sums(x, sums)
    bound = 16 * np.finfo(np.float32).eps * np.abs(x.astype(np.float64)).sum(axis=1)
    assert (np.abs(sums - x.astype(np.float64).sum(axis=1)) <= bound).all()
    z = np.zeros(3, np.int64)
    library.add(np.array([1, 2, 1 << 40]), -1, z)
    assert z.tolist() == [0, 1, (1 << 40) - 1]
    assert list(library.add.builds) == ["int32", "int64"]
    assert library.manifest["functions"][0]["name"] == "probe_scale"


def test_the_package_has_it(folder):
    assert tilewright.load(folder / "libprobe.so").name == "probe"


def test_what_no_build_takes(folder):
    library = load(folder / "libprobe.so")
    with pytest.raises(tilewright.LaunchError, match="(?s)not of_8: .*not of_16_half: "):
        library.row_sums(np.zeros((2, 9), np.float32), np.zeros(2, np.float32))
    with pytest.raises(tilewright.LaunchError, match="multiple of 4"):
        library.scale(np.zeros(3, np.float32), 1.0, np.zeros(3, np.float32))
    with pytest.raises(AttributeError, match="it has scale, row_sums, add"):
        library.shrink  # noqa: B018


def test_a_device_that_the_library_has_no_code_for(folder):
    library = load(folder / "libprobe.so", "hip-emulator:gfx90a")
    with pytest.raises(tilewright.ArtifactError, match="no code for hip-emulator:gfx90a"):
        library.scale(np.zeros(4, np.float32), 1.0, np.zeros(4, np.float32))


def test_files_that_are_no_libraries(tmp_path):
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(tilewright.ArtifactError, match="not a shared object"):
        load(tmp_path / "text.so")
    with pytest.raises(tilewright.ArtifactError, match="cannot be opened"):
        load(tmp_path / "absent.so")
