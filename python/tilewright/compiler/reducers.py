"""Reducers: tiles into whose elements the iterations of a T.Parallel are combined.

    largest = T.alloc_reducer((rows,), "float32", op="max")
    T.fill(largest, -T.infinity("float32"))
    for i, j in T.Parallel(rows, columns):
        largest[i] = T.max(largest[i], x[i, j])
    T.finalize_reducer(largest)

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast

from ..language.values import Memory

_FORMS = {"sum": "r[i] += x", "max": "r[i] = T.max(r[i], x)", "min": "r[i] = T.min(r[i], x)"}


class Reducers:
    """Part of the emitter. See the module's docstring."""

    def reduces(self, node: ast.Assign | ast.AugAssign) -> bool:
        """Reads an assignment in T.Parallel to an element of a reducer, which combines it
        indivisibly; False where it is another."""
        target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
        if not self.parallel or not isinstance(target, ast.Subscript):
            return False
        memory = self.frame.find(getattr(target.value, "id", ""))[0]
        if not isinstance(memory, Memory) or not memory.reducer:
            return False
        self.at(node)
        term = _term(node, target, memory.reducer)
        if term is None:
            self.fail(
                f"an element of the reducer {memory.name} is assigned",
                rule=f"iterations of T.Parallel combine values into a reducer of "
                f"{memory.reducer}: {_FORMS[memory.reducer]}",
                hint="T.fill sets its elements in front of the loop; T.alloc_shared makes a "
                "tile that is assigned",
            )
        from ..language.atomics import update_element

        value = self.evaluate(term)
        place = self.subscript(memory, self.subscript_items(target.slice))
        self.at(node)
        update_element(self, memory.reducer, memory, place.offsets, value)
        return True


def _term(
    node: ast.Assign | ast.AugAssign, target: ast.Subscript, combiner: str
) -> ast.expr | None:
    """What is combined into the target, where the assignment has that form."""
    if isinstance(node, ast.AugAssign):
        return node.value if combiner == "sum" and isinstance(node.op, ast.Add) else None
    value, operands = node.value, []
    if combiner == "sum" and isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        operands = [value.left, value.right]
    elif isinstance(value, ast.Call) and getattr(value.func, "attr", "").lower() == combiner:
        operands = value.args
    same = [ast.unparse(operand) == ast.unparse(target) for operand in operands]
    if len(operands) != 2 or not any(same):
        return None
    return operands[1] if same[0] else operands[0]
