//===- Library.h - Many artifacts as one library ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The last step of `tilewright build`. This header names no LLVM type, like Driver.h.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DRIVER_LIBRARY_H
#define TILEWRIGHT_DRIVER_LIBRARY_H

#include <string>
#include <vector>

namespace tilewright {

struct LibraryArtifact {
  std::string object; // a file that `compile` has written
  std::string symbol; // of the artifact in it
};

struct LibraryBuild {
  std::string name;
  std::vector<LibraryArtifact> artifacts; // one for each target
};

struct LibraryFunction {
  std::string name; // without the library's
  /// For each parameter 't', a tensor, or how C passes a scalar: 'i' and 'l' (32 and 64
  /// bits, of either sign), 'f' and 'd'.
  std::string parameters;
  std::vector<LibraryBuild> builds; // in the order in which they are considered
};

struct LibrarySpec {
  std::string name;    // what all its symbols begin with
  std::string release; // its own version
  std::string manifest;
  std::string runtime; // libtilewright_runtime.a
  std::vector<LibraryFunction> functions;
  /// The runtime's functions that users may call, which are renamed: tw_X to NAME_X.
  std::vector<std::string> api;
  std::string archive, sharedObject; // files to write
};

/// Writes the archive and the shared object; the error, or "". The two hold the same
/// code, and no symbols are global but those that begin with the library's name (and the
/// thread pool, and `tw_library` of the shared object).
std::string linkLibrary(const LibrarySpec &spec);

} // namespace tilewright

#endif // TILEWRIGHT_DRIVER_LIBRARY_H
