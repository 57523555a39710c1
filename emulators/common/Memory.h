//===- Memory.h - Emulated memory that knows what it holds --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every byte has a shadow byte beside it. Programs never see host addresses: an emulated
// address is looked up among the allocations, so nothing outside them can be touched.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_MEMORY_H
#define TILEWRIGHT_EMULATORS_COMMON_MEMORY_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <shared_mutex>
#include <string>
#include <vector>

namespace tilewright::emulator {

/// Starts arrays at cache lines, so that vectors of them cross none.
template <typename T> struct LineAllocator {
  using value_type = T;
  static constexpr std::align_val_t line{64};

  LineAllocator() = default;
  template <typename U> LineAllocator(const LineAllocator<U> &) {}
  T *allocate(size_t count) {
    return static_cast<T *>(::operator new(count * sizeof(T), line));
  }
  void deallocate(T *array, size_t) { ::operator delete(array, line); }
  bool operator==(const LineAllocator &) const { return true; }
  bool operator!=(const LineAllocator &) const { return false; }
};
template <typename T> using LineVector = std::vector<T, LineAllocator<T>>;

/// What a shadow byte says of its byte. Zero is the common case, so that eight bytes are
/// known to be sound by one comparison.
enum Shadow : uint8_t {
  Sound = 0,        ///< holds data that the program defined
  NeverWritten = 1, ///< nothing was written since the allocation
  Undefined = 2,    ///< data that came from undefined data was written
  Pending = 4,      ///< an asynchronous operation will write it
  Opaque = 8,       ///< of an object that only its own instructions may touch
};

/// Bytes with their shadow.
class Bytes {
public:
  Bytes() = default;
  /// All NeverWritten, filled with a pattern that makes a use of them visible.
  explicit Bytes(size_t size);

  size_t size() const { return length; }
  uint8_t *data() { return bytes.get(); }
  uint8_t *shadow() { return bytes.get() + length; }
  const uint8_t *data() const { return bytes.get(); }
  const uint8_t *shadow() const { return bytes.get() + length; }
  /// Makes all bytes as new.
  void poison();

private:
  size_t length = 0;
  std::unique_ptr<uint8_t[]> bytes; // data, then shadow
};

/// A run of device memory.
struct Allocation {
  uint64_t base = 0;
  uint64_t size = 0;
  std::string name;           ///< for messages: "argument 2", "global x"
  uint64_t readOnlyBytes = 0; ///< so many at its start may not be written
  std::atomic<bool> freed{false};
  Bytes memory;
  /// A number that no other allocation ever had.
  uint64_t serial = 0;
};

/// The global memory of a device. Allocations are apart from each other by unmapped
/// space, and a freed one stays known, so that a late access is named as such. Any thread
/// may call it; `find` is fast where a thread asks for the same allocation again.
class GlobalMemory {
public:
  /// `limit` is how many bytes may be allocated at once.
  explicit GlobalMemory(uint64_t limit);
  ~GlobalMemory();
  GlobalMemory(const GlobalMemory &) = delete;

  /// A new allocation, its base a multiple of `align` (at least 256) and its bytes never
  /// written; null where the limit is reached.
  Allocation *allocate(uint64_t size, std::string name, uint64_t align = 256);
  /// False where `base` is not the start of a live allocation.
  bool release(uint64_t base);
  /// The same while programs run, which may be at the bytes just now: they stay until
  /// `dropRetired`.
  bool retire(uint64_t base);
  void dropRetired();
  /// The allocation, alive or freed, that holds `address`; null where none does. The one
  /// past whose end an address lies, at most a page, is found by `findNear` for messages.
  Allocation *find(uint64_t address);
  Allocation *findNear(uint64_t address);
  uint64_t getUsed() const { return used; }

  /// The lock of the memory word at `address`, for read-modify-write operations.
  std::atomic_flag &lockOf(uint64_t address);

private:
  uint64_t limit, used = 0, next, serials = 0;
  const uint64_t identity; // tells stale per-thread caches of another memory apart
  mutable std::shared_mutex mutex;
  std::map<uint64_t, std::unique_ptr<Allocation>> allocations; // by base
  std::vector<Allocation *> retired;
  std::unique_ptr<std::atomic_flag[]> locks;
};

} // namespace tilewright::emulator

#endif // TILEWRIGHT_EMULATORS_COMMON_MEMORY_H
