"""Kernels and what decorators make are copied as functions are, and sent to other processes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import copy
import pickle

import numpy as np
import pytest

import tilewright
import tilewright.language as T


@T.macro
def bumped(x):
    return x + 1


@T.prim_func
def bump(A: T.Tensor((4,), "float32"), C: T.Tensor((4,), "float32")):
    with T.Kernel(4) as i:
        C[i] = bumped(A[i])


@tilewright.jit
def eager(A: T.Tensor((4,), "float32"), by: int = 1):
    C = T.empty((4,), "float32")
    with T.Kernel(4) as i:
        C[i] = A[i] + by
    return C


class Holder:
    @T.prim_func
    def kernel(A: T.Tensor((4,), "float32")):  # noqa: N805
        with T.Kernel(1):
            A[0] = 5


@pytest.mark.parametrize("definition", [bumped, bump, eager, Holder.kernel], ids=repr)
def test_definitions_are_known_by_their_names(definition):
    a = np.arange(4, dtype=np.float32)
    eager(a)  # so that there is a kernel in it
    assert copy.copy(definition) is definition
    assert copy.deepcopy({"held": [definition]})["held"][0] is definition
    assert pickle.loads(pickle.dumps(definition)) is definition


@pytest.mark.every_device
def test_a_kernel(device):
    kernel = tilewright.compile(bump, out_idx=1, target=device)
    a = np.arange(4, dtype=np.float32)
    assert (kernel(a) == a + 1).all()
    assert copy.copy(kernel) is copy.deepcopy(kernel) is kernel
    sent = pickle.loads(pickle.dumps(kernel))
    assert (sent(a) == a + 1).all()
    assert (sent.target, sent.parameters, sent.ir()) == (device, ["A", "C"], kernel.ir())


def test_a_kernel_is_compiled_where_it_is_read(monkeypatch, tmp_path):
    kernel = eager.compile(np.ones(4, np.float32), by=3)
    pickled = pickle.dumps(kernel)
    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", str(tmp_path))
    sent = pickle.loads(pickled)
    assert (sent(np.ones(4, np.float32)) == 4).all()
    assert sent.path.startswith(str(tmp_path))


def test_what_has_no_name_is_not_sent():
    @T.prim_func
    def local(A: T.Tensor((4,), "float32")):
        with T.Kernel(1):
            A[0] = 1

    with pytest.raises((AttributeError, pickle.PicklingError), match="<locals>.local"):
        pickle.dumps(local)
    with pytest.raises(pickle.PicklingError, match="<jit eager>"):
        pickle.dumps(eager.for_target("cuda-emulator:sm_80"))
    pickle.dumps(tilewright.compile(local))
