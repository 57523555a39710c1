"""Python's containers and functions in kernels, on values known at run time only.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T

M = 16


def blocks(body: object, dtype: str = "int32") -> np.ndarray:
    """What a kernel with a block for each element of Out gives, from `body(In, block)`."""

    @T.prim_func
    def kernel(In: T.Tensor((M,), dtype), Out: T.Tensor((M,), dtype)):
        with T.Kernel(M) as block:
            Out[block] = body(In, block)

    out = np.empty(M, dtype)
    tilewright.compile(kernel)(np.arange(M, dtype=dtype) * 3, out)
    return out


@T.macro
def is_listed(In, block):
    return In[block] in (3, 9, 45)


@T.macro
def is_not_in_range(In, block):
    return block not in range(2, 10, 3)


@T.macro
def is_in_nothing(In, block):
    return block in ()


@T.macro
def is_among_run_time_values(In, block):
    return 6 in [block, In[block]]


@T.macro
def is_this_pair(In, block):
    return (block, In[block]) == (4, 12)


@T.macro
def is_another_pair(In, block):
    return (block, 3) != (4, 3)


@T.macro
def is_of_another_length(In, block):
    return (block, 3) == (4, 3, 1)


@T.macro
def has_no_value(In, block):
    return In[block] is None or In is not In


NUMBERS = np.arange(M)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (is_listed, np.isin(NUMBERS * 3, (3, 9, 45))),
        (is_not_in_range, ~np.isin(NUMBERS, (2, 5, 8))),
        (is_in_nothing, NUMBERS < 0),
        (is_among_run_time_values, (NUMBERS == 6) | (NUMBERS == 2)),
        (is_this_pair, NUMBERS == 4),
        (is_another_pair, NUMBERS != 4),
        (is_of_another_length, NUMBERS < 0),
        (has_no_value, NUMBERS < 0),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_run_time_values_are_compared_by_value(body, expected):
    assert np.array_equal(blocks(body), expected.astype(np.int32))


@T.macro
def items_of_a_list(In, block):
    found = []
    for i in T.unroll(3):
        found.append(In[block] + i)
    found.extend([block, *found[:1]])
    return sum(found)


@T.macro
def items_of_a_dict(In, block):
    first = {name: In[block] + step for step, name in enumerate(("a", "b"))}
    both = {**first, "c": block}
    return both["a"] * both["b"] + both.get("c")


@T.macro
def an_index_taken_apart(In, block):
    at = (block,)
    return In[*at] + len({i % 3 for i in range(8)})


@T.macro
def a_list_of_each_iteration(In, block):
    total = T.alloc_var("int32", 0)
    for i in T.serial(2):
        pair = []
        pair.append(In[block] + i)
        total += pair[0]
    return total


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (items_of_a_list, NUMBERS * 13 + 3),
        (items_of_a_dict, NUMBERS * 3 * (NUMBERS * 3 + 1) + NUMBERS),
        (an_index_taken_apart, NUMBERS * 3 + 3),
        (a_list_of_each_iteration, NUMBERS * 6 + 1),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_containers_hold_run_time_values(body, expected):
    assert np.array_equal(blocks(body), expected)


@T.macro
def sum_from_a_start(In, block):
    return sum([In[block], In[block]], start=5)


@T.macro
def integer_of_an_integer(In, block):
    return int(In[block] * 2**40) // 2**38


def test_python_functions_keep_what_they_are_given():
    assert np.array_equal(blocks(sum_from_a_start), NUMBERS * 6 + 5)
    assert np.array_equal(blocks(integer_of_an_integer, "int64"), NUMBERS * 12)


def test_float_of_a_float64_is_not_rounded():
    @T.macro
    def third(In, block):
        return float(In[block]) / 7

    assert np.array_equal(blocks(third, "float64"), NUMBERS * 3 / 7)


def test_a_recursion_shows_its_outermost_calls():
    @T.macro
    def endless(x):
        return endless(x)

    @T.prim_func
    def kernel(Out: T.Tensor((M,), "int32")):
        with T.Kernel(1):
            Out[0] = endless(Out[1])

    with pytest.raises(tilewright.CompileError, match="endless calls itself") as caught:
        tilewright.compile(kernel)
    text = str(caught.value)
    assert "further calls" in text
    assert text.count("called from") < len(caught.value.callers)
