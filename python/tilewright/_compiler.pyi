"""The compiler: from the text of a tile module to an artifact.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from typing import Any

def compile(ir: str, options: dict[str, Any]) -> dict[str, Any]:
    """Compiles a module; options are target, debug, output, stages, emit, without: passes that
    are left out, and replace: a stage and the IR to go on with in place of what came out of it.

    Python's signal handlers run meanwhile; an exception of theirs ends it at the next pass and
    is raised.
    """

def plan(ir: str, options: dict[str, Any]) -> dict[str, Any]:
    """Compiles a module up to its memory plan."""

def reproducer(ir: str, target: str) -> str:
    """The module with the pipeline that compile runs on it, for --run-reproducer."""

def resolve_target(target: str) -> str:
    """The full name of a target: 'cpu' gives 'cpu:znver4', say."""

def link_library(spec: dict[str, Any]) -> str:
    """Writes the archive and the shared object of a library (driver/Library.h); gives the
    error, or an empty string."""

def version() -> str:
    """What compiled code depends on beside its input."""
