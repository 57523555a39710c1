//===- LibraryCalls.h - Functions that the driver provides --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_LIBRARYCALLS_H
#define TILEWRIGHT_EMULATORS_PTX_LIBRARYCALLS_H

#include "emulators/ptx/Decode.h"

namespace tilewright::ptx {

/// Parts of .param bytes of two frames that correspond.
struct Span {
  uint64_t caller, callee, size;
};

/// What a `call` instruction calls, and with what.
struct CallTarget {
  const DecodedFunction *function = nullptr; ///< null: by register
  std::vector<Span> arguments, results;
  /// Argument and result variables of the caller, for calls that are not direct.
  std::vector<Placement> argumentPlaces, resultPlaces;
};

/// What executes a call of function `name`, which the text declares and does not define.
/// Null, and the decoder has failed, where the driver has no such function either.
Handler getLibraryCall(Decoder &decoder, std::string_view name, const CallTarget &target);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_LIBRARYCALLS_H
