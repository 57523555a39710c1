"""A lit test format that checks what the ODS descriptions promise, one test per operation.

For every operation of every dialect of ours: the description has at least one ```mlir
example; each example parses, uses the operation, and reads back to the text it was printed
as; the constraints are numbered (C1), (C2), ... without a gap, and each is broken by a test.
Such a test stands in a file *-errors.mlir: it expects `'tile.gemm' op (C1) ...`, or, where the
types of operands enforce the constraint, has the comment `tile.fill (C1): ...`. A constraint
that no verifier can see says so: "(Not checked: ...)".

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import glob
import json
import os
import re
import subprocess

import lit.formats
import lit.Test


def read_operations(tblgen, repository, llvm_include):
    """All operations of our dialects as {"tile.gemm": description}."""
    operations = {}
    paths = [
        path
        for folder in ("dialects", "backends")
        for path in sorted(glob.glob(os.path.join(repository, folder, "*", "*Ops.td")))
    ]
    for path in paths:
        command = [tblgen, "-dump-json", "-I", repository, "-I", llvm_include, path]
        records = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        dialects = {name: records[name]["name"] for name in records["!instanceof"]["Dialect"]}
        ours = {n for n in dialects if records[n]["cppNamespace"].startswith("::tilewright")}
        for name in records["!instanceof"]["Op"]:
            record = records[name]
            dialect = record["opDialect"]["def"]
            if dialect in ours:
                full_name = f"{dialects[dialect]}.{record['opName']}"
                operations[full_name] = record["description"] or ""
    return operations


def find_examples(description):
    """The text of each ```mlir block."""
    return re.findall(r"```mlir\n(.*?)```", description, re.DOTALL)


def find_broken_constraints(repository):
    """The (operation, number) of every constraint that some *-errors.mlir test breaks."""
    pattern = re.compile(r"(?:'([\w.]+)' op|// ([\w.]+)) \(C(\d+)\)")
    found = set()
    paths = os.path.join(repository, "test", "lit", "**", "*-errors.mlir")
    for path in glob.glob(paths, recursive=True):
        with open(path) as file:
            for quoted, named, number in pattern.findall(file.read()):
                found.add((quoted or named, int(number)))
    return found


def check_constraints(name, description, broken):
    """What is wrong with the constraints and their tests, or None."""
    section = description.partition("Constraints:")[2].partition("Example")[0]
    constraints = re.findall(r"- \(C(\d+)\)((?:(?!- \(C).)*)", section, re.DOTALL)
    numbers = [int(n) for n, _ in constraints]
    if not numbers:
        return "has no numbered constraint (`- (C1) ...`)"
    if numbers != list(range(1, len(numbers) + 1)):
        return f"numbers its constraints {numbers}"
    untested = [
        f"(C{n})"
        for n, text in constraints
        if "(Not checked:" not in " ".join(text.split()) and (name, int(n)) not in broken
    ]
    if untested:
        return f"has constraints that no *-errors.mlir test breaks: {', '.join(untested)}"
    return None


def print_ir(tilewright_opt, text):
    """The IR as tilewright-opt prints it; raises ValueError with the diagnostics."""
    command = [tilewright_opt, "--split-input-file", "-"]
    run = subprocess.run(command, input=text, capture_output=True, text=True)
    if run.returncode != 0:
        raise ValueError(f"tilewright-opt refuses this text:\n{text}\n{run.stderr}")
    return run.stdout


def check_operation(name, description, tilewright_opt, broken):
    """What is wrong with the documentation of an operation, or None."""
    examples = find_examples(description)
    if not examples:
        return "has no ```mlir example"
    for example in examples:
        try:
            printed = print_ir(tilewright_opt, example)
            again = print_ir(tilewright_opt, printed)
        except ValueError as error:
            return str(error)
        if not re.search(rf"(?<![\w.]){re.escape(name)}\b", printed):
            return f"has an example without the operation, or its generic form:\n{printed}"
        if again != printed:
            return f"does not read back what it prints:\n{printed}\nbecame\n{again}"
    return check_constraints(name, description, broken)


class OdsFormat(lit.formats.TestFormat):
    """Finds the operations when tests are collected, checks one per test."""

    def getTestsInDirectory(self, suite, path_in_suite, lit_config, local_config):
        """One test per operation, named after it."""
        llvm_include = os.path.join(os.path.dirname(local_config.llvm_tblgen), "..", "include")
        self.operations = read_operations(
            local_config.llvm_tblgen, local_config.repository, llvm_include
        )
        self.broken = find_broken_constraints(local_config.repository)
        for name in self.operations:
            yield lit.Test.Test(suite, (*path_in_suite, name), local_config)

    def execute(self, test, lit_config):
        """Check the operation that the test is named after."""
        name = test.path_in_suite[-1]
        problem = check_operation(
            name, self.operations[name], test.config.tilewright_opt, self.broken
        )
        if problem:
            return lit.Test.FAIL, f"the description of {name} {problem}"
        return lit.Test.PASS, ""
