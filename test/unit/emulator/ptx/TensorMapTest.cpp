//===- TensorMapTest.cpp - Tensor maps and what is wrong with them ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorCopyCase.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using namespace tilewright::emulator;

/// A tensor of 64 x 48 halves with boxes of 64 x 8, 128-byte swizzle.
static TensorCase makeCase() {
  TensorCase c;
  c.rank = 2;
  c.type = 6;
  c.width = 2;
  c.swizzle = 3;
  c.dims[0] = 64;
  c.dims[1] = 48;
  c.strides[0] = 128;
  c.box[0] = 64;
  c.box[1] = 8;
  c.memory.resize(48 * 128);
  std::mt19937 random(1);
  for (uint8_t &byte : c.memory)
    byte = static_cast<uint8_t>(random());
  return c;
}

//===----------------------------------------------------------------------===//
// Encoding
//===----------------------------------------------------------------------===//

TEST(TensorMapTest, RefusesWhatTheDriverRefuses) {
  auto rule = [](auto change, uint64_t address = 4096) -> int {
    TensorCase c = makeCase();
    c.rank = 3;
    c.dims[2] = 5;
    c.strides[1] = 128 * 48;
    change(c);
    uint8_t bytes[128];
    TensorMapProblem problem = c.encode(bytes, address);
    return problem ? static_cast<int>(problem.rule) : -1;
  };
  const int invalid = static_cast<int>(Rule::Descriptor);
  const int unsupported = static_cast<int>(Rule::Unsupported);
  auto nothing = [](TensorCase &) {};
  EXPECT_EQ(rule(nothing), -1);
  EXPECT_EQ(rule(nothing, 4104), invalid);
  EXPECT_EQ(rule(nothing, 0), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.rank = 0; }), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.rank = 6; }), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.type = 13; }), unsupported);
  EXPECT_EQ(rule([](TensorCase &c) { c.dims[1] = 0; }), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.dims[1] = uint64_t(1) << 32; }), -1);
  EXPECT_EQ(rule([](TensorCase &c) { c.dims[1] = (uint64_t(1) << 32) + 1; }), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.strides[0] = 136; }), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.strides[1] = uint64_t(1) << 40; }), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.box[1] = 0; }), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.box[1] = 257; }), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.box[1] = 256; }), -1);
  EXPECT_EQ(rule([](TensorCase &c) { c.elementStrides[2] = 9; }), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.elementStrides[2] = 0; }), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.swizzle = 0, c.box[0] = 12; }), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.box[0] = 128; }),
            invalid); // wider than its swizzle
  EXPECT_EQ(rule([](TensorCase &c) { c.box[0] = 32; }), unsupported);
  EXPECT_EQ(rule([](TensorCase &c) { c.swizzle = 4; }), unsupported);
  EXPECT_EQ(rule([](TensorCase &c) { c.fill = 2; }), invalid);
  EXPECT_EQ(rule([](TensorCase &c) { c.fill = 1; }), -1);
  EXPECT_EQ(rule([](TensorCase &c) { c.fill = 1, c.type = 1; }), invalid);
}

TEST(TensorMapTest, KeepsItsFields) {
  std::mt19937 random(5);
  for (unsigned rank = 1; rank <= 5; ++rank) {
    TensorCase c = TensorCase::make(rank, rank % 4, random);
    uint8_t bytes[128];
    ASSERT_EQ(c.encode(bytes, 0x20012340).message, "");
    std::optional<TensorMap> map = decode(bytes, false);
    ASSERT_TRUE(map);
    EXPECT_EQ(map->address, 0x20012340u);
    EXPECT_EQ(map->rank, rank);
    EXPECT_EQ(map->boxBytes(), c.boxBytes());
    for (unsigned i = 0; i < rank; ++i) {
      EXPECT_EQ(map->dims[i], c.dims[i]);
      EXPECT_EQ(map->box[i], c.box[i]);
    }
    // No byte may change.
    for (unsigned i = 0; i < 128; ++i) {
      bytes[i] ^= 1;
      EXPECT_FALSE(decode(bytes, true)) << i;
      bytes[i] ^= 1;
    }
  }
  uint8_t blank[128] = {};
  EXPECT_FALSE(decode(blank, false));
  EXPECT_TRUE(decode(blank, true));
}

//===----------------------------------------------------------------------===//
// Faults of copies
//===----------------------------------------------------------------------===//

namespace {
struct FaultyCopy {
  TensorCase c = makeCase();
  std::string kernel = loadKernel(2);
  unsigned shift = 0;
  int64_t mapShift = 0, allocated = -1;
  bool mapIsThere = true;
  int scribble = -1;

  void replace(const std::string &from, const std::string &to) {
    size_t at = kernel.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    kernel.replace(at, from.size(), to);
  }
  /// The faults' texts.
  std::string operator()(Rule rule) {
    Harness h(90);
    if (allocated >= 0)
      c.memory.resize(allocated);
    uint64_t tensor = h.put(c.memory, "tensor");
    std::vector<uint8_t> map(256);
    EXPECT_EQ(c.encode(map.data(), tensor).message, "");
    if (scribble >= 0)
      map[scribble] ^= 4;
    EXPECT_EQ(h.loadBody(TensorCase::params, kernel, sharedMemory), "");
    uint64_t at = mapIsThere ? h.put(map, "map") : h.empty<uint8_t>(256, "map");
    uint64_t data = h.put(std::vector<uint8_t>(1 << 16), "data");
    h.arg(at + mapShift).arg(data).arg(shift).arg(c.boxBytes());
    for (int i = 0; i < 5; ++i)
      h.arg(c.at[i]);
    EXPECT_EQ(h.launch({1, 1, 1}, {64, 1, 1}, 40 << 10), "");
    return h.hasFault(rule) ? "" : "not reported: " + h.faultText();
  }
};
} // namespace

TEST(TensorMapTest, FaultsOfLoads) {
  auto check = [](Rule rule, auto change) {
    FaultyCopy run;
    change(run);
    EXPECT_EQ(run(rule), "");
  };
  check(Rule::Descriptor, [](auto &r) { r.scribble = 70; });
  check(Rule::Uninitialised, [](auto &r) { r.mapIsThere = false; });
  check(Rule::Misaligned, [](auto &r) { r.mapShift = 32; });
  check(Rule::Descriptor, [](auto &r) { r.mapShift = 64; });
  check(Rule::OutOfBounds, [](auto &r) { r.mapShift = 192; });
  check(Rule::Misaligned, [](auto &r) { r.shift = 64; });
  check(Rule::OutOfBounds, [](auto &r) { r.shift = 40 << 10; });
  // The tensor is larger than what was allocated for it.
  check(Rule::OutOfBounds, [](auto &r) { r.c.at[1] = 40, r.allocated = 48 * 128 - 1; });
  check(Rule::OutOfBounds, [](auto &r) { r.c.at[1] = 40, r.allocated = 40 * 128; });
  check(Rule::Descriptor, [](auto &r) { r.kernel = loadKernel(3); });
  check(Rule::Deadlock, [](auto &r) { r.replace("[%r2], %r3;", "[%r2], 1040;"); });
  check(Rule::Deadlock, [](auto &r) { r.replace("[%r2], %r3;", "[%r2], 1008;"); });
  // One test of the barrier lands the copy, for the warp that made it alone.
  check(Rule::Race, [](auto &r) { r.replace("@!%p1 bra WAIT;", ""); });
  check(Rule::InFlight, [](auto &r) {
    r.replace("mbarrier.try_wait", "// ");
    r.replace("@!%p1 bra WAIT;", "");
  });
  check(Rule::Descriptor, [](auto &r) {
    r.replace("@%p0 mbarrier.arrive",
              "mov.u32 %r30, s; cvt.u64.u32 %d20, %r30; cvta.shared.u64 %d0, %d20;"
              "@%p0 mbarrier.arrive");
  });
}

TEST(TensorMapTest, FaultsOfStores) {
  auto check = [](Rule rule, auto change) {
    FaultyCopy run;
    run.kernel = storeKernel(2, "");
    change(run);
    EXPECT_EQ(run(rule), "");
  };
  check(Rule::ProxyFence,
        [](auto &r) { r.replace("fence.proxy.async.shared::cta;", ""); });
  check(Rule::Race, [](auto &r) { r.replace("bar.sync 0;\n    @%p0 cp", "@%p0 cp"); });
  check(Rule::InFlight, [](auto &r) { r.replace("cp.async.bulk.commit_group;", ""); });
  check(Rule::InFlight, [](auto &r) { r.replace("cp.async.bulk.wait_group 0;", ""); });
  check(Rule::InFlight, [](auto &r) {
    r.replace("cp.async.bulk.wait_group 0;", "cp.async.bulk.wait_group 1;");
  });
  check(Rule::OutOfBounds, [](auto &r) { r.c.at[1] = 40, r.allocated = 48 * 128 - 1; });
  check(Rule::Misaligned, [](auto &r) { r.shift = 16; });
}

TEST(TensorMapTest, RefusedForms) {
  const char *load = "cp.async.bulk.tensor.2d.shared::cta.global.";
  std::string complete = "mbarrier::complete_tx::bytes",
              replace = "tensormap.replace.tile.";
  for (const std::string &text :
       {load + ("im2col." + complete) + " [%r1], [%d0, {%r2, %r3}], [%r4], {%h0};",
        "cp.async.bulk.tensor.3d.shared::cta.global.im2col." + complete +
            " [%r1], [%d0, {%r2, %r3, %r3}], [%r4];",
        "cp.async.bulk.tensor.3d.shared::cta.global.im2col_no_offs." + complete +
            " [%r1], [%d0, {%r2, %r3, %r3}], [%r4];",
        load + ("tile::gather4." + complete) + " [%r1], [%d0, {%r2, %r3}], [%r4];",
        load + complete + ".cta_group::1 [%r1], [%d0, {%r2, %r3}], [%r4];",
        load + complete + " [%r1], [%d0, {%r2}], [%r4];",
        load + complete + ".multicast::cluster [%r1], [%d0, {%r2, %r3}], [%r4], %h0;",
        std::string(
            "cp.async.bulk.tensor.2d.global.shared::cta [%d0, {%r2, %r3}], [%r1];"),
        replace + "swizzle_atomicity.shared::cta.b1024.b32 [%r1], 1;",
        replace + "box_dim.shared::cta.b1024.b32 [%r1], 5, %r2;",
        replace + "rank.shared::cta.b1024.b64 [%r1], 1;"}) {
    Harness h(90);
    EXPECT_NE(h.loadBody("u64 a", text), "") << text;
  }
}

//===----------------------------------------------------------------------===//
// Maps that kernels make
//===----------------------------------------------------------------------===//

/// As Triton does it: zeros, fields, a copy to global memory, an acquiring fence. Then
/// the box at (0, 8) is loaded to s + 1024.
static const char *makeMap = R"(
    ld.param.u64 %d0, [map];
    ld.param.u64 %d1, [tensor];
    ld.param.u64 %d2, [out];
    mov.u32 %r0, %tid.x;
    mov.u32 %r1, s;
    mov.u32 %r2, bar;
    setp.eq.u32 %p0, %r0, 0;
    setp.lt.u32 %p3, %r0, 32;
    @%p0 mbarrier.init.shared.b64 [%r2], 1;
    shl.b32 %r3, %r0, 2;
    add.u32 %r4, %r1, %r3;
    mov.b32 %r5, 0;
    @%p3 st.shared.b32 [%r4], %r5;
    bar.warp.sync -1;
    cvt.u64.u32 %d3, %r1;
    mov.b32 %r6, 64;
    mov.b32 %r7, 8;
    mov.b32 %r8, 48;
    mov.b32 %r9, 1;
    mov.b32 %r10, 0;
    mov.b64 %d4, 128;
    @%p0 tensormap.replace.tile.global_address.shared::cta.b1024.b64 [ %d3 + 0 ], %d1;
    @%p0 tensormap.replace.tile.rank.shared::cta.b1024.b32 [ %d3 + 0 ], 0x1;
    @%p0 tensormap.replace.tile.box_dim.shared::cta.b1024.b32 [ %d3 + 0 ], 0x0, %r6;
    @%p0 tensormap.replace.tile.box_dim.shared::cta.b1024.b32 [ %d3 + 0 ], 0x1, %r7;
    @%p0 tensormap.replace.tile.global_dim.shared::cta.b1024.b32 [ %d3 + 0 ], 0x0, %r6;
    @%p0 tensormap.replace.tile.global_dim.shared::cta.b1024.b32 [ %d3 + 0 ], 0x1, %r8;
    @%p0 tensormap.replace.tile.global_stride.shared::cta.b1024.b64 [ %d3 + 0 ], 0x0, %d4;
    @%p0 tensormap.replace.tile.element_stride.shared::cta.b1024.b32 [ %d3 + 0 ], 0x0, %r9;
    @%p0 tensormap.replace.tile.element_stride.shared::cta.b1024.b32 [ %d3 + 0 ], 0x1, %r9;
    @%p0 tensormap.replace.tile.elemtype.shared::cta.b1024.b32 [ %d3 + 0 ], 0x6;
    @%p0 tensormap.replace.tile.interleave_layout.shared::cta.b1024.b32 [ %d3 + 0 ], 0x0;
    @%p0 tensormap.replace.tile.swizzle_mode.shared::cta.b1024.b32 [ %d3 + 0 ], 0x3;
    @%p0 tensormap.replace.tile.fill_mode.shared::cta.b1024.b32 [ %d3 + 0 ], 0x0;
    bar.warp.sync -1;
    @%p3 tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.gpu.sync.aligned [ %d0 + 0 ], [ %d3 + 0 ], 0x80;
    @%p3 fence.proxy.tensormap::generic.acquire.gpu [ %d0 + 0 ], 0x80;
    bar.sync 0;
    mov.b32 %r10, 0;
    add.u32 %r11, %r1, 1024;
    @%p0 mbarrier.arrive.expect_tx.shared.b64 _, [%r2], 1024;
    @%p0 cp.async.bulk.tensor.2d.shared::cta.global.mbarrier::complete_tx::bytes [%r11], [%d0, {%r10, %r7}], [%r2];
  WAIT:
    mbarrier.try_wait.parity.shared.b64 %p1, [%r2], 0;
    @!%p1 bra WAIT;
    add.u32 %r12, %r11, %r3;
    ld.shared.b32 %r13, [%r12];
    cvt.u64.u32 %d5, %r3;
    add.s64 %d6, %d2, %d5;
    st.global.b32 [%d6], %r13;
)";

static void runMake(Harness &h, const std::string &kernel, const TensorCase &c,
                    std::vector<uint8_t> &got) {
  ASSERT_EQ(h.loadBody("u64 map, u64 tensor, u64 out", kernel, sharedMemory), "");
  uint64_t tensor = h.put(c.memory, "tensor");
  uint64_t map = h.empty<uint8_t>(128, "map"), out = h.empty<uint8_t>(1024);
  h.arg(map).arg(tensor).arg(out);
  ASSERT_EQ(h.launch({1, 1, 1}, {256, 1, 1}, 4096), "");
  got = h.get<uint8_t>(out, 1024);
}

TEST(TensorMapTest, MadeByTheKernel) {
  TensorCase c = makeCase();
  Harness h(90);
  std::vector<uint8_t> got;
  runMake(h, makeMap, c, got);
  EXPECT_EQ(h.faultText(), "");
  for (unsigned i = 0; i < 1024; ++i)
    ASSERT_EQ(got[swizzled(3, i)], c.memory[8 * 128 + i]);
}

TEST(TensorMapTest, MadeWithAFault) {
  struct Row {
    Rule rule;
    const char *from, *to;
  };
  const Row rows[] = {
      {Rule::ProxyFence, "@%p3 fence.proxy.tensormap", "// "},
      {Rule::Uninitialised, "@%p3 tensormap.cp_fence", "// "},
      {Rule::Uninitialised, "@%p3 st.shared.b32", "// "},
      {Rule::Race, "bar.sync 0;\n    mov.b32 %r10", "mov.b32 %r10"},
      {Rule::Descriptor, "@%p0 tensormap.replace.tile.global_address", "// "},
      {Rule::Descriptor, "@%p0 tensormap.replace.tile.rank", "// "},
      {Rule::Descriptor, "global_dim.shared::cta.b1024.b32 [ %d3 + 0 ], 0x1, %r8",
       "global_dim.shared::cta.b1024.b32 [ %d3 + 0 ], 0x1, %r10"},
      {Rule::Descriptor, "@%p0 tensormap.replace.tile.box_dim", "// "},
      {Rule::Descriptor, "@%p0 tensormap.replace.tile.element_stride", "// "},
      {Rule::Descriptor, "mov.b32 %r6, 64;", "mov.b32 %r6, 300;"},
      {Rule::Descriptor, "mov.b64 %d4, 128;", "mov.b64 %d4, 8;"},
      {Rule::Unsupported, "swizzle_mode.shared::cta.b1024.b32 [ %d3 + 0 ], 0x3",
       "swizzle_mode.shared::cta.b1024.b32 [ %d3 + 0 ], 0x4"},
      {Rule::Convergence, "@%p3 tensormap.cp_fence", "@%p0 tensormap.cp_fence"},
  };
  for (const Row &row : rows) {
    std::string kernel = makeMap;
    size_t at = kernel.find(row.from);
    ASSERT_NE(at, std::string::npos) << row.from;
    kernel.replace(at, strlen(row.from), row.to);
    Harness h(90);
    std::vector<uint8_t> got;
    runMake(h, kernel, makeCase(), got);
    EXPECT_TRUE(h.hasFault(row.rule)) << row.from << "\n" << h.faultText();
  }
}
