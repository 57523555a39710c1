"""The corpus agrees with itself: cases, vectors, manifest and references. No kernel runs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re

import cases
import numpy as np
import ptx_text
import pytest
from case import VECTORS, Case, TensorMap, manifest, mismatches, ptx

PAIRS = [pytest.param(case, arch, id=f"{case.name}-{arch}") for case, arch in cases.PAIRS]
CASES = [pytest.param(case, id=case.name) for case in cases.ALL]


def test_vectors_and_manifest_name_the_same_programs() -> None:
    files = {path.name for path in VECTORS.iterdir() if path.is_file()} - {"manifest.json"}
    entries = manifest()
    assert {entry["file"] for entry in entries.values()} == files
    assert set(entries) == {f"{case.program}.{arch}" for case, arch in cases.PAIRS}


def test_vectors_are_small() -> None:
    assert sum(path.stat().st_size for path in VECTORS.rglob("*")) < 7_000_000


def test_names_are_unique() -> None:
    assert len(cases.BY_NAME) == len(cases.ALL)


@pytest.mark.parametrize("name", manifest())
def test_manifest_holds_what_the_text_says(name: str) -> None:
    entry = manifest()[name]
    text = ptx(entry["program"], entry["arch"])
    assert re.search(r"^\.target (\w+)", text, re.M)[1] == entry["arch"]
    found = ptx_text.entries(text)
    assert found.keys() == entry["kernels"].keys()
    for kernel, params in found.items():
        assert params == entry["kernels"][kernel]["params"]
        assert {"block", "cluster", "shared"} <= entry["kernels"][kernel].keys()


@pytest.mark.parametrize(("case", "arch"), PAIRS)
def test_arguments_fit_the_parameters(case: Case, arch: str) -> None:
    entry = manifest()[f"{case.program}.{arch}"]
    arrays = case.inputs()
    names = arrays.keys() | case.outputs.keys()
    launches = case.launches(arch)
    assert launches
    for launch in launches:
        params = entry["kernels"][launch.kernel]["params"]
        sizes = []
        for argument in launch.args:
            if isinstance(argument, str):
                assert argument in names
                sizes.append(8)
            elif isinstance(argument, TensorMap):
                assert argument.array in names
                rank = len(argument.sizes)
                assert len(argument.strides) == rank - 1
                assert argument.pixels or len(argument.box) == rank
                sizes.append(128)
            elif isinstance(argument, bytes):
                sizes.append(len(argument))
            else:
                sizes.append(argument.nbytes)
        assert sizes == [ptx_text.size(kind) for kind in params], launch.kernel


@pytest.mark.parametrize(("case", "arch"), PAIRS)
def test_blocks_are_those_the_kernel_asks_for(case: Case, arch: str) -> None:
    text = ptx(case.program, arch)
    for launch in case.launches(arch):
        head = text[text.index(f".entry {launch.kernel}(") :].split("{", 1)[0]
        threads = int(np.prod(launch.block))
        for directive, numbers in re.findall(r"\.(\w+ntid)\s+([\d, ]+)", head):
            wanted = int(np.prod([int(n) for n in numbers.split(",")]))
            assert threads == wanted if directive == "reqntid" else threads <= wanted
        assert all(g % c == 0 for g, c in zip(launch.grid, launch.cluster))


@pytest.mark.parametrize("case", CASES)
def test_references_describe_the_arrays(case: Case) -> None:
    arrays = case.inputs()
    for name, (shape, dtype) in case.outputs.items():
        assert name not in arrays
        arrays[name] = np.zeros(shape, dtype)
    for name, expected in case.reference(case.inputs()).items():
        assert expected.value.shape == arrays[name].shape, name
        assert expected.value.dtype == (
            arrays[name].dtype if arrays[name].dtype.kind in "iub" else np.float64
        ), name
        # A bound that admits nearly anything proves nothing.
        value = np.where(np.isfinite(expected.value), expected.value, 0).astype(np.float64)
        assert (expected.bound <= 0.1 * np.abs(value) + 0.1).mean() > 0.9, name


@pytest.mark.parametrize("case", CASES)
def test_a_device_that_does_nothing_fails(case: Case) -> None:
    arrays = case.inputs()
    for name, (shape, dtype) in case.outputs.items():
        arrays[name] = np.zeros(shape, dtype)
    assert case.error or case.text or mismatches(case, arrays)
