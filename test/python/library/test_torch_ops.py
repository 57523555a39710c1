"""A library's functions as operators of PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import importlib
import sys
import zipfile

import pytest

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def package(sample, tmp_path_factory):
    """The package, with its operators registered."""
    folder = tmp_path_factory.mktemp("site")
    [wheel] = sample.folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    sys.path.insert(0, str(folder))
    sys.modules.pop("sample", None)
    package = importlib.import_module("sample")
    operators = importlib.import_module("sample.torch_ops")
    operators.register()
    operators.register()  # again is nothing
    yield package
    sys.path.remove(str(folder))


def affine(x, scale, shift, on):
    """By PyTorch."""
    return x * scale + shift if on else x.clone()


def test_tensors(package):
    x, y = torch.randn(3, 5), torch.empty(5, 3)
    package.affine(x.T, y, 2.0, 1, True)
    assert torch.equal(y, affine(x.T, 2.0, 1, True))
    with pytest.raises(TypeError, match=r"argument 'X'.*requires? grad"):
        package.affine(x.T.requires_grad_(), y, 2.0, 1, True)


def test_a_view_that_negates_is_refused(package):
    imaginary = torch.ones(2, 3, dtype=torch.complex64).conj().imag
    assert imaginary.is_neg()
    with pytest.raises(TypeError, match="argument 'X' is a view that negates"):
        package.affine(imaginary, torch.empty(2, 3), 1.0, 0, True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_operator(package, dtype):
    x = torch.arange(6).reshape(2, 3).to(dtype)
    y = torch.empty_like(x)
    assert torch.ops.sample.affine(x, y, 0.5, 3, True) is None
    assert torch.equal(y, affine(x, 0.5, 3, True))


def test_the_schema_says_what_is_written(package):
    assert str(torch.ops.sample.affine.default._schema) == (
        "sample::affine(Tensor X, Tensor(a1!) Y, float scale, int shift, bool on) -> ()"
    )


def test_opcheck(package):
    x, y = torch.randn(4, 6), torch.zeros(4, 6)
    torch.library.opcheck(torch.ops.sample.affine.default, (x, y, 2.0, 1, True))


def test_compile_traces_through(package):
    def twice(x):
        once, y = torch.empty_like(x), torch.empty_like(x)
        torch.ops.sample.affine(x, once, 2.0, 1, True)
        torch.ops.sample.affine(once, y, 2.0, 1, True)
        return y + 1

    x = torch.randn(3, 4)
    compiled = torch.compile(twice, backend="eager", fullgraph=True)
    assert torch.equal(compiled(x), affine(affine(x, 2.0, 1, True), 2.0, 1, True) + 1)


def test_errors_come_through(package):
    with pytest.raises(ValueError, match="none of its 2 builds takes these arguments"):
        torch.ops.sample.affine(torch.ones(2, 3), torch.ones(2, 4), 1.0, 0, True)
