"""Mutants of the example kernels: each gives a right result or an error at its place.

`reference` runs the text of a kernel as Python, on the numbers of `values`; `corpus` lists the
kernels, `mutations` changes them, `verdict` judges one mutant, `fleet` runs many in processes
that may die, and `python -m mutation` prints the table.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
