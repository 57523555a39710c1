"""A library for some of its targets: Library.only_for, and `tilewright build --target`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import pytest

import tilewright.language as T
from tilewright.library import Library, SpecError


@T.prim_func
def clear(X: T.Tensor([64], T.float32)):
    with T.Kernel(1) as _:
        for i in T.Parallel(64):
            X[i] = 0.0


def library() -> Library:
    made = Library("probe", ["cpu:x86-64-v3", "cuda:sm_80"], release="2.0.0", licence="MIT")
    made.add("everywhere", clear)
    made.add("on_amd", clear, targets=["hip:gfx942"])
    made.add("on_nvidia", clear, targets=["cuda:sm_80"])
    return made


def targets_of(made: Library) -> dict[str, tuple[str, ...]]:
    return {f.name: b.targets for f in made.functions for b in f.builds}


def test_functions_for_none_of_the_targets_are_left_out():
    some = library().only_for(["cuda:sm_80", "hip:gfx942"])
    assert targets_of(some) == {
        "everywhere": ("cuda:sm_80",),
        "on_amd": ("hip:gfx942",),
        "on_nvidia": ("cuda:sm_80",),
    }
    assert (some.name, some.release, some.licence) == ("probe", "2.0.0", "MIT")
    assert targets_of(library().only_for(["cpu:x86-64-v3"])) == {
        "everywhere": ("cpu:x86-64-v3",)
    }


def test_the_library_itself_stays():
    whole = library()
    before = targets_of(whole)
    whole.only_for(["cuda:sm_80"])
    assert targets_of(whole) == before


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (
            ["cuda:sm_90a"],
            "library probe is not for 'cuda:sm_90a'; it is for cpu:x86-64-v3, cuda:sm_80, "
            "hip:gfx942",
        ),
        (["cuda"], "library probe: the target 'cuda' does not say for which machine"),
        (["cuda:sm_80", "cuda:sm_80"], "library probe: a target is named twice"),
    ],
)
def test_wrong_targets(targets, message):
    with pytest.raises(SpecError) as raised:
        library().only_for(targets)
    assert str(raised.value).startswith(message)
