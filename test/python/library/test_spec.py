"""What a library may be asked to hold, from Python and from files.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import tilewright
from tilewright.library import BuildError, Library, SpecError, build, load, read_spec

from . import kernels_to_build
from .kernels_to_build import broken, row_sums, scale, transpose

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
        ('"2.0"', '"2.0\\n"', "release is '2.0\\n'; it has letters"),
        ("plain = {}", '"a\\u0000" = {}', "'a\\x00' is no name of a build"),
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


@pytest.mark.parametrize("name", ["error", "detail", "class", "decltype", "bfloat16"])
def test_functions_are_not_called_as_what_cpp_has(name, tmp_path):
    library = Library("some", ["cpu:x86-64-v3"])
    library.add(name, scale)
    with pytest.raises(SpecError, match=name):
        build(library, tmp_path)


@pytest.mark.parametrize("name", ["m", "std", "pthread", "int", "co_await"])
def test_libraries_are_not_called_as_what_systems_and_cpp_have(name, tmp_path):
    library = Library(name, ["cpu:x86-64-v3"])
    library.add("scale", scale)
    with pytest.raises(SpecError, match=f"cannot be called '{name}'"):
        build(library, tmp_path)


def test_text_stays_in_its_comments(tmp_path):
    text = 'a */ b /* c \\\nint x; "quoted" $(pwd) \\'
    library = Library("some", ["cpu:x86-64-v3"], description=text)
    library.add("scale", scale, doc=text)
    build(library, tmp_path, wheel=True)
    for compiler, header in (("gcc -xc", "some.h"), ("g++ -xc++ -std=c++17", "some.hpp")):
        subprocess.run(
            [*compiler.split(), "-", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"],
            input=f'#include "{tmp_path}/{header}"\n', text=True, check=True,
        )  # fmt: skip
    assert "Description: a */ b" in (tmp_path / "some.pc").read_text()


def test_files_of_other_editors(write):
    """With a byte order mark and the line ends of another system."""
    path = write("")
    path.write_bytes(b"\xef\xbb\xbf" + TOML.replace("\n", "\r\n").encode())
    assert [f.name for f in read_spec(path).functions] == ["row_sums", "scale"]


@pytest.mark.parametrize(
    ("kernel", "arguments", "message"),
    [
        (
            row_sums,
            {"column": 8},
            r"row_sums\(\): there is no 'column'; it takes columns, dtype",
        ),
        (row_sums, {}, "missing a required argument: 'columns'; it takes columns, dtype"),
        (transpose, {"M": 4, "N": 4, "K": 4}, r"K is neither .*; there are X, Y, M, N"),
        (transpose, {"M": 1 << 63, "N": 4}, "M=9223372036854775808 is no size"),
        (broken, {"n": 4}, r"broken is a kernel as it is, .*\(n\); make it in a function"),
    ],
)
def test_wrong_arguments(kernel, arguments, message, tmp_path):
    library = Library("some", ["cpu:x86-64-v3"])
    library.add("function", kernel, [arguments])
    with pytest.raises(BuildError) as caught:
        build(library, tmp_path)
    assert re.search(message, caught.value.failures[0].reason)


def test_folders_that_cannot_be_written(tmp_path):
    library = Library("some", ["cpu:x86-64-v3"])
    library.add("scale", lambda: pytest.fail("it compiles first"))
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file/below/it"):
        with pytest.raises(NotADirectoryError, match="file is no folder"):
            build(library, folder)
