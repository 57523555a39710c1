//===- Snippets.h - One instruction on many values ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_SNIPPETS_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_SNIPPETS_H

#include "Harness.h"

#include <functional>
#include <random>

namespace tilewright::ptx::test {

using Values = std::vector<uint64_t>;

/// Runs `body` in a thread for each element. Source k (0 to 2) is there as %hk, %rk, %dk,
/// %fk and %gk, its low bits. The result is the register `result` ("b32 %r9"),
/// zero-extended.
class Snippet {
public:
  explicit Snippet(unsigned architecture = 90) : harness(architecture) {}

  Values run(const std::string &body, const std::string &result, const Values &a,
             Values b = {}, Values c = {}, const std::string &globals = "") {
    size_t count = (a.size() + 127) / 128 * 128;
    b.resize(a.size());
    c.resize(a.size());
    Values in;
    for (const Values *list :
         {&a, static_cast<const Values *>(&b), static_cast<const Values *>(&c)}) {
      in.insert(in.end(), list->begin(), list->end());
      in.resize(in.size() + count - a.size());
    }
    std::string text = "ld.param.u64 %d40, [in]; ld.param.u64 %d41, [out];\n"
                       "mov.u32 %r40, %ctaid.x; mov.u32 %r41, %tid.x;\n"
                       "shl.b32 %r40, %r40, 7; add.u32 %r40, %r40, %r41;\n"
                       "mul.wide.u32 %d42, %r40, 8; add.u64 %d40, %d40, %d42;\n"
                       "add.u64 %d41, %d41, %d42;\n";
    for (unsigned k = 0; k < 3; ++k) {
      std::string at = "[%d40+" + std::to_string(k * count * 8) + "];\n";
      std::string n = std::to_string(k);
      text += "ld.global.b16 %h" + n + ", " + at + "ld.global.b32 %r" + n + ", " + at +
              "ld.global.b64 %d" + n + ", " + at + "ld.global.f32 %f" + n + ", " + at +
              "ld.global.f64 %g" + n + ", " + at;
    }
    text += body + "\n";
    size_t space = result.find(' ');
    text += "st.global." + result.substr(0, space) + " [%d41], " +
            result.substr(space + 1) + ";\n";
    error = harness.loadBody("u64 in, u64 out", text, globals);
    if (!error.empty()) {
      ADD_FAILURE() << error;
      return Values(a.size());
    }
    uint64_t out = harness.put(Values(count));
    uint64_t from = harness.put(in);
    harness.arg(from).arg(out);
    error = harness.launch({static_cast<uint32_t>(count / 128), 1, 1}, {128, 1, 1});
    if (!error.empty() || !harness.faults.empty())
      ADD_FAILURE() << error << harness.faultText();
    Values results = harness.get<uint64_t>(out, a.size());
    harness.device.memory.release(out);
    harness.device.memory.release(from);
    return results;
  }

  /// Why `body` is not decoded; empty where it is.
  std::string refuse(const std::string &body) { return harness.loadBody("u64 a", body); }

  Harness harness;
  std::string error;
};

/// Random values of all magnitudes among special ones.
inline Values someValues(unsigned seed, size_t count, const Values &special) {
  std::mt19937_64 random(seed);
  Values values;
  for (size_t i = 0; i < count; ++i) {
    uint64_t value = random();
    switch (random() % 4) {
    case 0:
      value = special.empty() ? value : special[random() % special.size()];
      break;
    case 1:
      value >>= random() % 64;
      break;
    case 2:
      value = static_cast<uint64_t>(static_cast<int64_t>(value) >> random() % 64);
      break;
    }
    values.push_back(value);
  }
  return values;
}

} // namespace tilewright::ptx::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_SNIPPETS_H
