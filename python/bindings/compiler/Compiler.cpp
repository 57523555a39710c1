//===- Compiler.cpp - The extension tilewright._compiler ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Driver.h"
#include "driver/Library.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace tilewright;

static const char *severityName(CompilerDiagnostic::Severity severity) {
  switch (severity) {
  case CompilerDiagnostic::Severity::Error:
    return "error";
  case CompilerDiagnostic::Severity::Warning:
    return "warning";
  case CompilerDiagnostic::Severity::Remark:
    return "remark";
  case CompilerDiagnostic::Severity::Note:
    return "note";
  }
  return "error";
}

static py::dict convert(const CompilerDiagnostic &diagnostic) {
  py::list callers;
  for (const SourceLocation &caller : diagnostic.callers)
    callers.append(py::make_tuple(caller.file, caller.line, caller.column));
  py::dict entry;
  entry["severity"] = severityName(diagnostic.severity);
  entry["message"] = diagnostic.message;
  entry["file"] = diagnostic.location.file;
  entry["line"] = diagnostic.location.line;
  entry["column"] = diagnostic.location.column;
  entry["callers"] = callers;
  return entry;
}

/// The options' values by name; an unknown name is an error.
static CompileOptions parseOptions(const py::dict &dict) {
  CompileOptions options;
  for (auto [key, value] : dict) {
    std::string name = py::cast<std::string>(key);
    if (name == "target") {
      options.target = py::cast<std::string>(value);
    } else if (name == "debug") {
      options.checking = py::cast<std::string>(value) == "values"
                             ? Checking::AccessesAndValues
                             : Checking::Accesses;
    } else if (name == "output") {
      options.output = py::cast<std::string>(value);
    } else if (name == "symbol") {
      options.symbol = py::cast<std::string>(value);
    } else if (name == "stages") {
      options.keepStages = py::cast<bool>(value);
    } else if (name == "replace") {
      std::tie(options.replacement.stage, options.replacement.ir) =
          py::cast<std::pair<std::string, std::string>>(value);
    } else if (name == "without") {
      options.without = py::cast<std::vector<std::string>>(value);
    } else if (name == "emit") {
      for (const std::string &kind : py::cast<std::vector<std::string>>(value)) {
        if (kind == "llvm")
          options.emitLLVM = true;
        else if (kind == "asm")
          options.emitAssembly = true;
        else if (kind == "obj")
          options.emitObject = true;
        else
          throw py::value_error("emit takes 'llvm', 'asm' and 'obj', not '" + kind + "'");
      }
    } else {
      throw py::value_error("unknown compile option '" + name + "'");
    }
  }
  return options;
}

/// Lets Python's signal handlers run; true where one of them raised.
static bool raisedBySignal() {
  py::gil_scoped_acquire acquire;
  return PyErr_CheckSignals() != 0;
}

static py::dict compileModule(const std::string &ir, const py::dict &dict,
                              bool planOnly) {
  CompileOptions options = parseOptions(dict);
  options.planOnly = planOnly;
  options.interrupted = [raised = false]() mutable {
    return raised = raised || raisedBySignal();
  };
  CompileResult result;
  {
    py::gil_scoped_release release;
    result = compile(ir, options);
  }
  if (PyErr_Occurred())
    throw py::error_already_set();
  py::list diagnostics;
  for (const CompilerDiagnostic &diagnostic : result.diagnostics)
    diagnostics.append(convert(diagnostic));
  py::dict stages, seconds;
  for (const auto &[name, text] : result.stages)
    stages[py::str(name)] = text;
  for (const auto &[name, time] : result.seconds)
    seconds[py::str(name)] = time;
  py::dict output;
  output["ok"] = result.ok;
  output["fault"] = result.fault;
  output["diagnostics"] = diagnostics;
  output["target"] = result.target;
  output["features"] = result.features;
  output["plan"] = result.plan;
  output["manifest"] = result.manifest;
  output["signature"] = result.signature;
  output["stages"] = stages;
  output["llvm"] = result.llvm;
  output["asm"] = result.assembly;
  output["obj"] = py::bytes(result.object);
  output["image"] = py::bytes(result.image);
  output["seconds"] = seconds;
  return output;
}

template <typename T> static T get(const py::handle &row, const char *key) {
  return py::cast<T>(row[key]);
}

/// A LibrarySpec from dicts with the names of its fields.
static LibrarySpec parseLibrary(const py::dict &dict) {
  LibrarySpec spec{get<std::string>(dict, "name"),
                   get<std::string>(dict, "release"),
                   get<std::string>(dict, "manifest"),
                   get<std::string>(dict, "runtime"),
                   {},
                   get<std::vector<std::string>>(dict, "api"),
                   get<std::string>(dict, "archive"),
                   get<std::string>(dict, "shared_object")};
  for (const py::handle &row : dict["functions"]) {
    LibraryFunction function{
        get<std::string>(row, "name"), get<std::string>(row, "parameters"), {}};
    for (const py::handle &column : row["builds"]) {
      LibraryBuild build{get<std::string>(column, "name"), {}};
      for (const auto &[object, symbol] :
           get<std::vector<std::pair<std::string, std::string>>>(column, "artifacts"))
        build.artifacts.push_back({object, symbol});
      function.builds.push_back(std::move(build));
    }
    spec.functions.push_back(std::move(function));
  }
  return spec;
}

PYBIND11_MODULE(_compiler, module) {
  module.doc() = "The compiler: from the text of a tile module to an artifact.";
  module.def(
      "compile",
      [](const std::string &ir, const py::dict &options) {
        return compileModule(ir, options, /*planOnly=*/false);
      },
      py::arg("ir"), py::arg("options"),
      "Compiles a module; options are target, debug ('accesses' or 'values'), output,\n"
      "stages, emit, without: passes that are left out, and replace: a stage and the IR\n"
      "to go on with in place of what came out of it.\n\n"
      "Python's signal handlers run meanwhile; an exception of theirs ends it at the "
      "next\n"
      "pass and is raised.");
  module.def(
      "plan",
      [](const std::string &ir, const py::dict &options) {
        return compileModule(ir, options, /*planOnly=*/true);
      },
      py::arg("ir"), py::arg("options"), "Compiles a module up to its memory plan.");
  module.def(
      "resolve_target",
      [](const std::string &target) {
        std::string error;
        std::string name = resolveTarget(target, error);
        if (name.empty())
          throw py::value_error(error);
        return name;
      },
      py::arg("target"), "The full name of a target: 'cpu' gives 'cpu:znver4', say.");
  module.def("reproducer", &makeReproducer, py::arg("ir"), py::arg("target"),
             "The module with the pipeline that compile runs on it, for\n"
             "tilewright-opt --run-reproducer.");
  module.def(
      "link_library",
      [](const py::dict &dict) {
        LibrarySpec spec = parseLibrary(dict);
        py::gil_scoped_release release;
        return linkLibrary(spec);
      },
      py::arg("spec"),
      "Writes the archive and the shared object of a library (driver/Library.h); gives\n"
      "the error, or an empty string.");
  module.def("version", &compilerVersion,
             "What compiled code depends on beside its input.");
}
