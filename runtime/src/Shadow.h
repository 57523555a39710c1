//===- Shadow.h - Who wrote and read each element ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A checked launch runs its blocks one after the other, and each iteration of a
// T.Parallel after the one before. Whoever has no order with others, a block or such an
// iteration, is an agent with a number; numbers ascend. So the agents of other blocks of
// a kernel are one range of numbers, those of other iterations of a loop are another, and
// whether two accesses race is seen from numbers alone, though they ran in order.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_SHADOW_H
#define TILEWRIGHT_RUNTIME_SRC_SHADOW_H

#include "Buffer.h"

namespace tilewright {

/// An agent, and the site of its access; zero is nobody.
class Stamp {
  static constexpr int siteBits = 24;
  uint64_t bits;

public:
  static constexpr uint64_t maximumAgent = (uint64_t(1) << (64 - siteBits)) - 1;
  static constexpr int64_t maximumSites = int64_t(1) << siteBits;

  Stamp() = default;
  Stamp(uint64_t agent, int64_t site)
      : bits(agent << siteBits | static_cast<uint64_t>(site)) {}
  uint64_t agent() const { return bits >> siteBits; }
  int64_t site() const {
    return static_cast<int64_t>(bits & ((uint64_t(1) << siteBits) - 1));
  }
};

/// The agents that an access may race with.
struct Rivals {
  uint64_t kernelBegin = 0, blockBegin = 0; // other blocks of the kernel
  uint64_t loopBegin = 0; // other iterations of the loop; 0 where the access is in none
  uint64_t self = 0;

  bool hasBlock(uint64_t agent) const {
    return agent >= kernelBegin && agent < blockBegin;
  }
  bool hasIteration(uint64_t agent) const {
    return loopBegin && agent >= loopBegin && agent != self;
  }
  /// Of a tile outside of parallel loops.
  bool areNone() const { return !loopBegin && !blockBegin; }
  bool has(Stamp stamp) const {
    return stamp.agent() && (hasBlock(stamp.agent()) || hasIteration(stamp.agent()));
  }
};

/// Accesses that do not race with each other, as far as a later one can race with them:
/// the last two agents, since one of them may be the later access's own, and the last one
/// of an earlier block.
struct Recent {
  Stamp last, other, earlier;

  void add(Stamp stamp, const Rivals &rivals) {
    if (last.agent() != stamp.agent()) {
      if (rivals.hasBlock(last.agent()))
        earlier = last;
      other = last;
    }
    last = stamp;
  }
  /// A rival among them, or nullptr.
  const Stamp *find(const Rivals &rivals) const {
    return rivals.has(last)      ? &last
           : rivals.has(other)   ? &other
           : rivals.has(earlier) ? &earlier
                                 : nullptr;
  }
};

/// What happened to an element.
struct History {
  Stamp writer;
  Recent readers;
};

/// The histories of a range of elements. Those of atomic accesses come when there is one.
class Shadow {
  Array<History> histories;
  Array<Recent> atomics;

public:
  bool reset(size_t count) { return histories.reset(count); }
  void forget() {
    memset(static_cast<void *>(histories.data()), 0, histories.size() * sizeof(History));
  }
  bool isEmpty() const { return !histories.data(); }
  History &operator[](size_t at) { return histories[at]; }

  bool addAtomics() { return atomics.data() || atomics.reset(histories.size()); }
  /// The atomic accesses of an element; nullptr where there were none anywhere.
  Recent *atomicsOf(size_t at) { return atomics.data() ? &atomics[at] : nullptr; }
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_SHADOW_H
