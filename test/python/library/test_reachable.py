"""Builds that no call comes to are told of, and builds that are one twice refused.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import pytest

import tilewright.language as T
from tilewright.compiler.signature_table import Parameter, Signature, Size
from tilewright.library import Library, SpecError, build
from tilewright.library.reachable import unreachable

from .kernels_to_build import row_sums, transpose


def tensor(shape, dtype="float32", strides=(), alignment=4) -> Parameter:
    return Parameter("X", dtype, shape, strides, True, False, alignment, "", "")


def signature(*parameters, **facts) -> Signature:
    sizes = tuple(Size(name, *facts[name]) for name in facts)
    return Signature(parameters, sizes)


ANY, SMALL, EVEN = (0, None, 1), (0, 64, 1), (0, None, 2)


@pytest.mark.parametrize(
    ("first", "second", "is_reached"),
    [
        (signature(tensor(("n",)), n=ANY), signature(tensor((8,))), False),
        (signature(tensor(("n",)), n=SMALL), signature(tensor((8,))), False),
        (signature(tensor(("n",)), n=SMALL), signature(tensor((65,))), True),
        (signature(tensor(("n",)), n=EVEN), signature(tensor((8,))), False),
        (signature(tensor(("n",)), n=EVEN), signature(tensor((7,))), True),
        (signature(tensor((8,))), signature(tensor(("n",)), n=ANY), True),
        (signature(tensor(("n",)), n=ANY), signature(tensor(("m",)), m=EVEN), False),
        (signature(tensor(("n",)), n=EVEN), signature(tensor(("m",)), m=ANY), True),
        (signature(tensor(("n",)), n=EVEN), signature(tensor(("m",)), m=(0, None, 4)), False),
        (signature(tensor(("n",)), n=SMALL), signature(tensor(("m",)), m=(1, 32, 4)), False),
        (signature(tensor(("n", "n")), n=ANY), signature(tensor((8, 9))), True),
        (signature(tensor(("n", "n")), n=ANY), signature(tensor((8, 8))), False),
        (signature(tensor(("n",)), n=ANY), signature(tensor((8,), "float16")), True),
        (signature(tensor(("n",)), n=ANY), signature(tensor((8, 8))), True),
        (signature(tensor((8,), alignment=16)), signature(tensor((8,))), True),
        (signature(tensor((8,))), signature(tensor((8,), alignment=16)), False),
        (signature(tensor((8,), strides=(None,))), signature(tensor((8,))), False),
        (signature(tensor((8,))), signature(tensor((8,), strides=(None,))), True),
        (signature(tensor(("(n * 2)",)), n=ANY), signature(tensor((8,))), True),
    ],
)
def test_what_is_reached(first, second, is_reached):
    found = unreachable([("a", first), ("b", second)])
    assert found == ([] if is_reached else [("b", "a")])


def test_a_build_behind_one_that_takes_all(tmp_path):
    library = Library("probe", ["cpu:x86-64-v3", "cuda:sm_80"])
    library.add(
        "transpose",
        transpose,
        {
            "any": {"M": T.dynamic("M"), "N": 8},
            "even": {"M": T.dynamic("M", multiple_of=2), "N": 8},
            "wide": {"M": T.dynamic("M"), "N": 16},
        },
    )
    assert build(library, tmp_path).warnings == (
        "transpose: no call comes to the build even, since any before it takes all that it "
        "takes; put it first, give it facts of its own, or take it out",
    )


def test_builds_that_are_one_twice():
    library = Library("probe", ["cpu:x86-64-v3"])
    with pytest.raises(SpecError) as caught:
        library.add("sums", row_sums, {"a": {"columns": 8}, "b": {}}, arguments={"columns": 8})
    assert "probe.sums: the builds a and b have the same arguments" in str(caught.value)
    library.add(
        "transpose",
        transpose,
        {f"of_{m}": {"M": T.dynamic("M", multiple_of=m), "N": 8} for m in (2, 1)},
    )
