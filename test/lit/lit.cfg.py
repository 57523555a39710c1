"""lit configuration: run by `lit build/test/lit`, whose site file sets the paths.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# ruff: noqa: F821  (lit defines config and lit_config)
import glob
import os
import shutil

import lit.formats

config.name = "Tilewright"
config.test_source_root = os.path.dirname(__file__)
repository = os.path.dirname(os.path.dirname(config.test_source_root))
build_dir = getattr(config, "tilewright_build_dir", os.path.join(repository, "build"))
llvm_tools_dir = getattr(config, "llvm_tools_dir", "/usr/lib/llvm-22/bin")

config.test_exec_root = os.path.join(build_dir, "test", "lit")
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.repository = repository

tools = [os.path.join(build_dir, "bin"), llvm_tools_dir]
config.environment["PATH"] = os.pathsep.join([*tools, os.environ["PATH"]])
config.tilewright_opt = os.path.join(build_dir, "bin", "tilewright-opt")
config.llvm_tblgen = os.path.join(llvm_tools_dir, "llvm-tblgen")
config.substitutions += [
    ("%tilewright-opt", config.tilewright_opt),
    ("%python", os.path.join(repository, ".venv", "bin", "python")),
]


def find_cuda_toolkit():
    """The folder whose bin/ptxas assembles PTX: from the PATH, a CUDA toolkit, or .venv."""
    on_path = shutil.which("ptxas")
    toolkits = [os.environ.get("CUDA_HOME", ""), "/usr/local/cuda"]
    toolkits += sorted(glob.glob(f"{repository}/.venv/lib/python*/site-packages/nvidia/cu*"))
    for toolkit in toolkits:
        if os.access(os.path.join(toolkit, "bin", "ptxas"), os.X_OK):
            return toolkit
    return os.path.dirname(os.path.dirname(on_path)) if on_path else None


cuda_toolkit = find_cuda_toolkit()
if cuda_toolkit:
    config.available_features.add("ptxas")
    config.substitutions += [
        ("%ptxas", os.path.join(cuda_toolkit, "bin", "ptxas")),
        ("%cuda-toolkit", cuda_toolkit),
    ]

lld = os.path.join(llvm_tools_dir, "ld.lld")
if os.access(lld, os.X_OK):
    config.available_features.add("lld")
    config.substitutions.append(("%ld.lld", lld))
