//===- SyncHarness.h - Programs that synchronise, in every warp order ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_SYNCHARNESS_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_SYNCHARNESS_H

#include "Harness.h"

#include <chrono>

namespace tilewright::ptx::test {

using emulator::Rule;

/// A kernel that starts with %d0 the result (a u32 for each thread of the grid), %d1 the
/// thread's own element of it, %r0 = %tid.x, %r1 = the cluster's block rank, %r2 the warp
/// and %r3 the lane. `smem` is 1024 bytes of shared memory, `bars` room for mbarriers.
struct SyncProgram {
  std::string body;
  uint32_t threads = 128;
  uint32_t blocks = 1;
  uint32_t cluster = 1;
  std::string directives = "";

  uint32_t count() const { return threads * blocks; }
};

inline std::string run(Harness &harness, const SyncProgram &program, Order order,
                       std::vector<uint32_t> &result) {
  std::string text =
      ".version 8.8\n.target sm_90a\n.address_size 64\n"
      ".shared .align 16 .b8 smem[1024];\n.shared .align 8 .b64 bars[8];\n"
      ".visible .entry k(.param .u64 out)" +
      program.directives +
      "\n{\n.reg .pred %p<16>;\n.reg .b32 %r<64>;\n.reg .b64 %d<32>;\n"
      "ld.param.u64 %d0, [out];\nmov.u32 %r0, %tid.x;\nmov.u32 %r1, %cluster_ctarank;\n"
      "shr.u32 %r2, %r0, 5;\nand.b32 %r3, %r0, 31;\nmov.u32 %r4, %ctaid.x;\n"
      "mov.u32 %r5, %ntid.x;\nmad.lo.u32 %r4, %r4, %r5, %r0;\n"
      "mul.wide.u32 %d1, %r4, 4;\nadd.u64 %d1, %d0, %d1;\n" +
      program.body + "\nret;\n}\n";
  std::string error = harness.load(text);
  if (!error.empty())
    return error;
  uint64_t out = harness.put(std::vector<uint32_t>(program.count()));
  harness.options.order = order;
  harness.options.threads = 1;
  harness.arg(out);
  error = harness.launch({program.blocks}, {program.threads}, 0, {program.cluster});
  result = harness.get<uint32_t>(out, program.count());
  return error;
}

inline const std::vector<Order> &allOrders() {
  static const std::vector<Order> orders = {{Order::Forward, 0},
                                            {Order::Reverse, 0},
                                            {Order::Shuffled, 1},
                                            {Order::Shuffled, 2},
                                            {Order::Shuffled, 3}};
  return orders;
}

/// The result, which every warp order gives without a report.
inline std::vector<uint32_t> runSound(const SyncProgram &program) {
  std::vector<uint32_t> first, result;
  for (const Order &order : allOrders()) {
    Harness harness;
    EXPECT_EQ(run(harness, program, order, result), "");
    EXPECT_EQ(harness.faultText(), "");
    if (first.empty())
      first = result;
    EXPECT_EQ(result, first);
  }
  return first;
}

/// In every warp order `rule` is reported, with `text` in a message, in under a second.
inline void expectFault(const SyncProgram &program, Rule rule,
                        const std::string &text = "") {
  for (const Order &order : allOrders()) {
    Harness harness;
    std::vector<uint32_t> result;
    auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(run(harness, program, order, result), "");
    auto taken = std::chrono::steady_clock::now() - start;
    EXPECT_LT(std::chrono::duration<double>(taken).count(), 1.0);
    EXPECT_TRUE(harness.hasFault(rule)) << "not " << getName(rule) << ":\n"
                                        << harness.faultText();
    bool found = std::any_of(
        harness.faults.begin(), harness.faults.end(), [&](const emulator::Fault &fault) {
          return fault.rule == rule && fault.message.find(text) != std::string::npos;
        });
    EXPECT_TRUE(found) << "no \"" << text << "\" in\n" << harness.faultText();
  }
}

/// The error of a program that cannot be decoded.
inline std::string getError(const std::string &body) {
  Harness harness;
  std::vector<uint32_t> result;
  return run(harness, {body}, {}, result);
}

} // namespace tilewright::ptx::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_SYNCHARNESS_H
