"""The libraries that `tilewright bench --aot` builds.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import tilewright.language as T
from tilewright.kernels.gemm import gemm_kernel
from tilewright.kernels.rmsnorm import rmsnorm_kernel
from tilewright.library import Library

# A product and a normalisation that take about a millisecond on one thread.
GEMM = {"m": 128, "n": 512, "k": 512}
RMSNORM = {"rows": 512, "n": 2048}

# What the many kernels are compiled for.
TARGETS = ("cpu:x86-64-v3", "cpu:x86-64-v4", "cuda:sm_80", "cuda:sm_90a", "hip:gfx942")


def empty_kernel():
    """Nothing, of three matrices as a product's."""
    m, n, k = T.dynamic("m, n, k")

    @T.prim_func
    def empty(
        A: T.Tensor((m, k), "float32"),
        B: T.Tensor((k, n), "float32"),
        C: T.Tensor((m, n), "float32"),
    ):
        with T.Kernel(1):
            pass

    return empty


def kernels(target: str):
    """The library's product and normalisation, compiled for `target` as the JIT does it."""
    return {"gemm": gemm_kernel(**_gemm(), target=target),
            "rmsnorm": rmsnorm_kernel(**_rmsnorm(), target=target)}  # fmt: skip


def _gemm() -> dict:
    shape = {"n": GEMM["n"], "k": GEMM["k"], "dtype": "f32", "out": "f32"}
    return shape | {"transpose_a": False, "transpose_b": False, "tile": (64, 64, 32)}


def _rmsnorm() -> dict:
    return {"n": RMSNORM["n"], "dtype": "f32", "eps": 1e-6}


def called(target: str) -> Library:
    """The library whose functions are called."""
    library = Library("aotbench", [target])
    library.add("empty", empty_kernel)
    library.add("gemm", gemm_kernel, [_gemm()])
    library.add("rmsnorm", rmsnorm_kernel, [_rmsnorm()])
    return library


def many(count: int) -> str:
    """A kernels.toml of `count` kernels, no two alike: products of two dtypes, normalisations,
    softmax."""
    lines = ["[library]", 'name = "many"', f"targets = {list(TARGETS)}"]
    for index in range(count):
        size, kind = divmod(index, 4)
        kernel, arguments = (
            _product(size, "f32"),
            _product(size, "bf16"),
            ("rmsnorm", f'n = {1024 + 128 * size}, dtype = "f32", eps = 1e-6'),
            ("softmax", f'n = {512 + 128 * size}, dtype = "bf16"'),
        )[kind]
        lines += [
            f"[functions.{kernel}_{index}]",
            f'kernel = "tilewright.kernels.{kernel}:{kernel}_kernel"',
            f"builds = [{{ {arguments} }}]",
        ]
    return "\n".join(lines) + "\n"


def _product(size: int, dtype: str) -> tuple[str, str]:
    return "gemm", (
        f'n = {256 + 64 * size}, k = {128 + 32 * size}, dtype = "{dtype}", out = "{dtype}", '
        "transpose_a = false, transpose_b = false, tile = [64, 64, 32]"
    )
