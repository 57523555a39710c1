"""A library as a Python wheel.

The format is that of https://packaging.python.org/specifications/binary-distribution-format;
it takes a zip archive with three small files, for which no other package is needed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import base64
import hashlib
import platform
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from .spec import Library, SpecError

# The normal form of https://packaging.python.org/specifications/version-specifiers.
_VERSION = (
    r"(\d+!)?\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9]+(\.[a-z0-9]+)*)?"
)


def check_release(library: Library) -> None:
    """Refuses a release that pip would."""
    if not re.fullmatch(_VERSION, library.release):
        raise SpecError(
            f"{library.name}: a wheel cannot have the release {library.release!r}; Python's "
            "versions are as 1.2.0 or 1.2.0rc1"
        )


def write_wheel(
    library: Library, package: Mapping[str, bytes], shared_object: bytes, folder: Path
) -> None:
    """Writes NAME-RELEASE-py3-none-PLATFORM.whl into `folder`: the package, whose files are
    given, with the shared object. The same input gives the same bytes."""
    name = re.sub(r"_+", "_", library.name).lower()
    tag = f"py3-none-{_platform(shared_object)}"
    about = f"{name}-{library.release}.dist-info"
    files = {f"{library.name}/{file}": text for file, text in package.items()}
    files[f"{library.name}/lib{library.name}.so"] = shared_object
    files = dict(sorted(files.items()))
    files[f"{about}/METADATA"] = _metadata(library).encode()
    files[f"{about}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: tilewright build\nRoot-Is-Purelib: false\nTag: {tag}\n"
    ).encode()
    record = f"{about}/RECORD"
    rows = [f"{file},sha256={_digest(data)},{len(data)}" for file, data in files.items()]
    files[record] = "\n".join([*rows, f"{record},,", ""]).encode()
    path = folder / f"{name}-{library.release}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in files.items():
            entry = zipfile.ZipInfo(file, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if file.endswith(".so") else 0o100644) << 16
            archive.writestr(entry, data)


def _platform(shared_object: bytes) -> str:
    """The oldest system on which it runs, by the versions of libc's symbols that it names."""
    minor = max(int(m) for m in re.findall(rb"\0GLIBC_2\.(\d+)(?=[.\0])", shared_object))
    return f"manylinux_2_{max(minor, 5)}_{platform.machine()}"


def _metadata(library: Library) -> str:
    summary = " ".join(library.description.split()) or "kernels for CPUs and GPUs"
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {library.name}",
        f"Version: {library.release}",
        f"Summary: {summary}",
        *([f"License-Expression: {library.licence}"] if library.licence else []),
        "Requires-Python: >=3.9",
    ]
    return "\n".join(lines) + "\n"


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
