"""What a library may be asked to hold, from Python and from files.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from pathlib import Path

import numpy as np
import pytest

import tilewright
from tilewright.library import Library, SpecError, build, load, read_spec

from . import kernels_to_build
from .kernels_to_build import row_sums, scale

TOML = """
[library]
name = "sums"
targets = ["cpu:x86-64-v3"]
release = "2.0"

[functions.row_sums]
kernel = "my_kernels.py:row_sums"
doc = "Sums."
builds = [{ columns = 8 }, { columns = 16, dtype = "float16" }]

[functions.scale]
kernel = "my_kernels.py:scale"
targets = ["cpu:x86-64-v3", "cuda:sm_80"]
builds.plain = {}
"""


@pytest.fixture
def write(tmp_path):
    """Writes a spec beside a file of kernels; gives its path."""
    (tmp_path / "my_kernels.py").write_bytes(Path(kernels_to_build.__file__).read_bytes())

    def write(text, name="kernels.toml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_toml(write):
    library = read_spec(write(TOML))
    assert (library.name, library.release) == ("sums", "2.0")
    sums, scaled = library.functions
    assert (sums.name, sums.doc) == ("row_sums", "Sums.")
    assert [dict(b.arguments) for b in sums.builds] == [
        {"columns": 8},
        {"columns": 16, "dtype": "float16"},
    ]
    assert sums.builds[0].targets == ("cpu:x86-64-v3",)
    assert [b.name for b in scaled.builds] == ["plain"]
    assert scaled.builds[0].targets == ("cpu:x86-64-v3", "cuda:sm_80")
    assert scaled.doc == "Y = by * X."


def test_sizes_that_launches_bring(write, tmp_path):
    text = """
[library]
name = "flip"
targets = ["cpu:x86-64-v3"]
[functions.transpose]
kernel = "my_kernels.py:transpose"
builds = [{ M = { dynamic = true, min = 2, multiple_of = 2 }, N = 8 }]
"""
    build(read_spec(write(text)), tmp_path / "out")
    header = (tmp_path / "out/flip.h").read_text()
    assert "X: float32 [M, 8], read" in header
    assert "M is at least 2, a multiple of 2." in header
    x, y = np.arange(32, dtype=np.float32).reshape(4, 8), np.zeros((8, 4), np.float32)
    flip = load(tmp_path / "out/libflip.so").transpose
    flip(x, y)
    assert (y == x.T).all()
    with pytest.raises(tilewright.LaunchError, match="multiple of 2"):
        flip(x[:3], y[:, :3].copy())
    for old, new in (("true", "1"), ("min = 2", 'min = "2"'), ("min", "least"), ("2 }", "0 }")):
        with pytest.raises(SpecError, match=r"\[functions.transpose\]"):
            read_spec(write(text.replace(old, new)))


def test_arguments_of_all_builds(write):
    text = TOML.replace(
        "builds = [", 'arguments = { dtype = "bfloat16", columns = 4 }\nbuilds = [', 1
    )
    builds = read_spec(write(text)).functions[0].builds
    assert [dict(b.arguments) for b in builds] == [
        {"dtype": "bfloat16", "columns": 8},
        {"dtype": "float16", "columns": 16},
    ]
    assert [b.name for b in builds] == ["columns8", "columns16_float16"]
    with pytest.raises(SpecError, match="arguments is a table"):
        read_spec(write(text.replace('{ dtype = "bfloat16", columns = 4 }', "[4]")))
    text = text.replace("columns = 4", "columns = { dynamic = 1 }")
    with pytest.raises(SpecError, match="columns = .*a size that is known at launch"):
        read_spec(write(text))


def test_python(write):
    library = read_spec(
        write(
            "from tilewright.library import Library\nimport my_kernels\n"
            "made = Library('mine', ['cpu:x86-64-v3'])\nmade.add('scale', my_kernels.scale)\n",
            "spec.py",
        )
    )
    assert [f.name for f in library.functions] == ["scale"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[library]", "[lib]", "no 'lib'"),
        ('name = "sums"\n', "", "needs name and targets"),
        ('"sums"', '"1st"', "'1st'"),
        ('"sums"', '"tw"', "the runtime's own"),
        ('["cpu:x86-64-v3"]\nrel', '["cpu"]\nrel', "for which machine"),
        ('["cpu:x86-64-v3"]\nrel', '["cuda-emulator:sm_80"]\nrel', "for which machine"),
        ('["cpu:x86-64-v3"]\nrel', '"cpu:x86-64-v3"\nrel', "targets is a list"),
        ('["cpu:x86-64-v3"]\nrel', '["cuda:sm_80", "cuda:sm_80"]\nrel', "twice"),
        ("my_kernels.py:row_sums", "absent.py:row_sums", "absent.py"),
        ("my_kernels.py:row_sums", "my_kernels.py:rows", "no rows"),
        ("my_kernels.py:row_sums", "no.such.module:rows", "no.such.module"),
        ("my_kernels.py:row_sums", "row_sums", "FILE.py:NAME"),
        ("doc =", "docs =", "'docs'"),
        ("[{ columns = 8 }", "[8", "builds is a list"),
        ("builds = [{", "builds = {", "kernels.toml"),
        ("release", "version", "'version'"),
        ('"2.0"', "2.0", "release is 2.0"),
        ('doc = "Sums."', "doc = 7", "doc is 7"),
    ],
)
def test_wrong_toml(write, old, new, message):
    assert TOML.count(old)
    with pytest.raises(SpecError) as caught:
        read_spec(write(TOML.replace(old, new, 1)))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("x = 1", "spec.py", "0 libraries"),
        ("raise OSError('no')", "spec.py", "OSError: no"),
        ("name", "spec.txt", "neither"),
    ],
)
def test_wrong_files(write, text, name, message):
    with pytest.raises(SpecError, match=message):
        read_spec(write(text, name))
    with pytest.raises(SpecError, match="no file"):
        read_spec("nowhere/spec.py")


def test_builds_are_named_by_what_they_differ_in():
    library = Library("some", ["cpu:x86-64-v3"])
    library.add(
        "sums",
        row_sums,
        [{"columns": n, "dtype": d, "odd": False} for n in (8, 16) for d in ("f16", "f32")],
    )
    names = [b.name for b in library.functions[0].builds]
    assert names == ["columns8_f16", "columns8_f32", "columns16_f16", "columns16_f32"]


@pytest.mark.parametrize("name", ["device_open", "choose", "stream", "last_error"])
def test_functions_are_not_called_as_what_every_library_has(name, tmp_path):
    library = Library("some", ["cpu:x86-64-v3"])
    library.add(name, scale)
    with pytest.raises(SpecError, match=f"some_{name}"):
        build(library, tmp_path)


def test_functions_have_names_of_their_own(tmp_path):
    library = Library("some", ["cpu:x86-64-v3"])
    library.add("scale", scale)
    with pytest.raises(SpecError, match="two functions"):
        library.add("scale", scale)
    library.add("scale_explain", scale)
    with pytest.raises(SpecError, match="scale_explain"):
        build(library, tmp_path)
    with pytest.raises(SpecError, match="no builds"):
        library.add("other", scale, [])
    with pytest.raises(SpecError, match="no functions"):
        build(Library("some", ["cpu:x86-64-v3"]), tmp_path)
    assert not list(tmp_path.iterdir())
