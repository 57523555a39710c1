# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The library's kernels inside other people's programs; each module imports what it serves."""
