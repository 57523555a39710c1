//===- Locks.h - Locks of the process ------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_LOCKS_H
#define TILEWRIGHT_RUNTIME_SRC_LOCKS_H

namespace tilewright {

/// In the order in which a thread may take them. A forked child has none of the threads
/// that held one in its parent, and finds all of them free: what they guard is changed by
/// single stores, and right between any two. A fork does not wait for them, since a
/// driver may have it wait for its own, and is called with some of these held.
enum class Lock {
  Binding, ///< functions of libraries to devices
  Kernels, ///< of modules, for devices
  Loading, ///< code of kernels, and their entries
  Devices, ///< that are open
  Drivers, ///< that are loaded
  Printing ///< where lines go
};

/// Holds a lock while it lives.
class Locked {
  Lock lock;

public:
  explicit Locked(Lock lock);
  ~Locked();
  Locked(const Locked &) = delete;
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_LOCKS_H
