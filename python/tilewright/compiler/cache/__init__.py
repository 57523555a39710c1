"""Compiled kernels on disk, each compiled once on a machine. docs/cache.md is the manual.

keys.py says what a kernel's compilation depends on, files.py how files are read, written and
locked, entries.py what is kept, bound.py what is removed to make room, upkeep.py what a user
may ask.

Whatever happens to the folder, two things hold: nothing is loaded but what was stored under
its key, and nothing fails because of the cache. Nothing here loads the compiler.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from .bound import limit
from .entries import Entry, apart, lookup, obtain, recall, remember, store
from .files import UnusableError, folder, warn
from .keys import key_of
from .upkeep import clear, list_entries, usage, verify

__all__ = [
    "Entry",
    "UnusableError",
    "apart",
    "clear",
    "folder",
    "key_of",
    "limit",
    "list_entries",
    "lookup",
    "obtain",
    "recall",
    "remember",
    "store",
    "usage",
    "verify",
    "warn",
]
