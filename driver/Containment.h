//===- Containment.h - Run code that may crash ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DRIVER_CONTAINMENT_H
#define TILEWRIGHT_DRIVER_CONTAINMENT_H

#include "llvm/ADT/STLFunctionalExtras.h"

#include <string>

namespace tilewright {

/// Runs `body` to its end on a thread of its own with a stack of 256 MiB, and calls
/// `whileWaiting` on the calling thread every few milliseconds until then. Where no such
/// thread can be started, `body` runs on the calling one.
///
/// A fatal error of LLVM, an abort, a memory fault or a stack overflow in `body` ends it
/// alone; the result then says which, and is "" otherwise. Memory and locks that the body
/// held stay held. Signal handlers of the process are replaced while a body runs, and a
/// signal that no body raised goes to them all the same. Several threads may do this at
/// once.
std::string runContained(llvm::function_ref<void()> body,
                         llvm::function_ref<void()> whileWaiting);

} // namespace tilewright

#endif // TILEWRIGHT_DRIVER_CONTAINMENT_H
