"""Faults seeded into the IR of the library's kernels, and who catches them.

`python -m seeded` seeds all of them (docs/seeded-faults.md), `test_faults.py` a few.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
