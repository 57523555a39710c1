//===- Pool.h - Objects that are costly to make anew --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block's memories and its warps' registers are megabytes, and fresh pages from the
// system cost as much as the block's instructions. So what one block is done with the
// next one takes over.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_POOL_H
#define TILEWRIGHT_EMULATORS_COMMON_POOL_H

#include <memory>
#include <mutex>
#include <vector>

namespace tilewright::emulator {

/// Objects that nobody uses at the moment. Any thread may take one. What is taken comes
/// back to the pool, which must outlive it.
template <typename T> class Pool {
public:
  struct Return {
    Pool *pool = nullptr;
    void operator()(T *object) const { pool->give(object); }
  };
  using Pointer = std::unique_ptr<T, Return>;

  /// An object in the state that its last user left it in, or a new one.
  Pointer take() {
    std::unique_ptr<T> object;
    {
      std::lock_guard<std::mutex> guard(lock);
      if (!idle.empty()) {
        object = std::move(idle.back());
        idle.pop_back();
      }
    }
    if (!object)
      object = std::make_unique<T>();
    return Pointer(object.release(), Return{this});
  }

private:
  void give(T *object) {
    std::unique_ptr<T> owned(object);
    std::lock_guard<std::mutex> guard(lock);
    idle.push_back(std::move(owned));
  }

  std::mutex lock;
  std::vector<std::unique_ptr<T>> idle;
};

} // namespace tilewright::emulator

#endif // TILEWRIGHT_EMULATORS_COMMON_POOL_H
