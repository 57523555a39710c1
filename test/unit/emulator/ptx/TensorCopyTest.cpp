//===- TensorCopyTest.cpp - cp.async.bulk.tensor against index arithmetic -----===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorCopyCase.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using namespace tilewright::emulator;

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

/// Loads the case's box to a shared address `shift` bytes past a multiple of 1024 and
/// compares all its bytes.
static void checkLoad(const TensorCase &c, unsigned shift, const std::string &form = "") {
  SCOPED_TRACE(c.describe());
  Harness h(90);
  uint64_t tensor = h.put(c.memory, "tensor");
  std::vector<uint8_t> map(128);
  TensorMapProblem problem = c.encode(map.data(), tensor);
  ASSERT_EQ(problem.message, "");
  ASSERT_EQ(h.loadBody(TensorCase::params, loadKernel(c.rank, form), sharedMemory), "");
  uint64_t out = h.empty<uint8_t>(c.boxBytes());
  h.arg(h.put(map, "map")).arg(out).arg(shift).arg(c.boxBytes());
  for (int i = 0; i < 5; ++i)
    h.arg(c.at[i]);
  ASSERT_EQ(h.launch({1, 1, 1}, {64, 1, 1}, 40 << 10), "");
  ASSERT_EQ(h.faultText(), "");
  std::vector<uint8_t> got = h.get<uint8_t>(out, c.boxBytes());
  std::vector<uint8_t> expected(c.boxBytes());
  for (uint32_t n = 0; n < c.elements(); ++n)
    for (unsigned byte = 0; byte < c.width; ++byte) {
      int64_t from = c.globalOffset(n);
      uint8_t value = from < 0 ? c.fillByte(byte) : c.memory[from + byte];
      expected[swizzled(c.swizzle, shift + n * c.width + byte) - shift] = value;
    }
  ASSERT_EQ(got, expected);
}

TEST(TensorCopyTest, LoadsOfEveryRankAndSwizzle) {
  std::mt19937 random(17);
  for (unsigned rank = 1; rank <= 5; ++rank)
    for (unsigned swizzle = 0; swizzle <= 3; ++swizzle)
      for (unsigned repeat = 0; repeat < 12; ++repeat) {
        TensorCase c = TensorCase::make(rank, swizzle, random);
        checkLoad(c, random() % 8 * 128);
        if (HasFatalFailure())
          return;
      }
}

TEST(TensorCopyTest, LoadsOfEveryType) {
  std::mt19937 random(23);
  for (unsigned type = 0; type <= 9; ++type)
    for (unsigned fill = 0; fill <= (type >= 6 ? 1 : 0); ++fill) {
      TensorCase c = TensorCase::make(2, 0, random, type);
      c.fill = fill;
      c.at[0] = -static_cast<int32_t>(16 / c.width);
      checkLoad(c, 0);
    }
}

TEST(TensorCopyTest, LoadsWhollyOutside) {
  std::mt19937 random(29);
  TensorCase c = TensorCase::make(3, 3, random);
  for (int32_t far : {-256, 1 << 20, INT32_MIN, INT32_MAX})
    for (unsigned i = 0; i < 3; ++i) {
      TensorCase moved = c;
      moved.at[i] = far;
      moved.alignStart();
      checkLoad(moved, 0);
    }
}

TEST(TensorCopyTest, LoadsToSharedCta) {
  std::mt19937 random(31);
  checkLoad(TensorCase::make(2, 2, random), 256, "shared::cta");
}

/// What the types that convert make of each word.
TEST(TensorCopyTest, ConvertingTypes) {
  std::vector<uint32_t> words = {0x00000001, 0x807fffff, 0x00800000, 0x3f800fff,
                                 0x3f801000, 0x3f801001, 0x3f803000, 0xbf802fff,
                                 0x7f800000, 0x7fc01234, 0x7f7fffff, 0x80000000,
                                 0x00001000, 0x00001001, 0,          0x40490fdb};
  for (unsigned type : {10u, 11u, 12u}) {
    std::mt19937 random(1);
    TensorCase c = TensorCase::make(1, 0, random, type);
    c.dims[0] = c.box[0] = 16;
    c.at[0] = 0;
    c.memory.assign(64, 0);
    memcpy(c.memory.data(), words.data(), 64);
    Harness h(90);
    std::vector<uint8_t> map(128);
    ASSERT_EQ(c.encode(map.data(), h.put(c.memory, "tensor")).message, "");
    ASSERT_EQ(h.loadBody(TensorCase::params, loadKernel(1), sharedMemory), "");
    uint64_t out = h.empty<uint32_t>(16);
    h.arg(h.put(map, "map")).arg(out).arg(0u).arg(64u);
    for (int i = 0; i < 5; ++i)
      h.arg(0);
    ASSERT_EQ(h.launch({1, 1, 1}, {64, 1, 1}, 40 << 10), "");
    ASSERT_EQ(h.faultText(), "");
    std::vector<uint32_t> got = h.get<uint32_t>(out, 16);
    for (unsigned i = 0; i < 16; ++i) {
      float value, result;
      memcpy(&value, &words[i], 4);
      memcpy(&result, &got[i], 4);
      bool flushes = type != 11, rounds = type != 10;
      if (flushes && std::fpclassify(value) == FP_SUBNORMAL) {
        EXPECT_EQ(got[i], words[i] & 0x80000000);
      } else if (rounds && std::isfinite(value)) {
        EXPECT_EQ(got[i] & 0x1fff, 0u);
        // Half a unit of the tenth bit, and ties to even.
        double unit = std::ldexp(1.0, std::max(std::ilogb(value), -126) - 10);
        double distance = std::fabs(double(result) - double(value));
        if (!std::isinf(result)) {
          EXPECT_LE(distance, unit / 2);
          EXPECT_TRUE(distance < unit / 2 || !(got[i] & 0x2000)) << std::hex << words[i];
        }
      } else {
        EXPECT_EQ(got[i], words[i]);
      }
    }
  }
}

TEST(TensorCopyTest, MulticastAndParameterByValue) {
  // Rank 0 sends to both; the map is a parameter.
  std::string text = R"(
    .version 8.8
    .target sm_90a
    .address_size 64
    .visible .entry k(.param .align 64 .b8 map[128], .param .u64 out) {
      .shared .align 1024 .b8 s[1024];
      .shared .align 8 .b64 bar;
      .reg .pred %p<8>; .reg .b32 %r<16>; .reg .b64 %d<16>; .reg .b16 %h<2>;
      mov.b64 %d0, map;
      cvta.param.u64 %d1, %d0;
      ld.param.u64 %d2, [out];
      mov.u32 %r0, %tid.x;
      mov.u32 %r1, s;
      mov.u32 %r2, bar;
      mov.u32 %r3, %cluster_ctarank;
      setp.eq.u32 %p0, %r0, 0;
      @%p0 mbarrier.init.shared.b64 [%r2], 1;
      @%p0 fence.mbarrier_init.release.cluster;
      barrier.cluster.arrive.aligned;
      barrier.cluster.wait.aligned;
      @%p0 mbarrier.arrive.expect_tx.shared.b64 _, [%r2], 1024;
      setp.eq.and.u32 %p1, %r3, 0, %p0;
      mov.b32 %r4, 0;
      mov.b16 %h0, 3;
      @%p1 cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster [%r1], [%d1, {%r4, %r4}], [%r2], %h0;
    WAIT:
      mbarrier.try_wait.parity.shared.b64 %p2, [%r2], 0;
      @!%p2 bra WAIT;
      shl.b32 %r5, %r0, 2;
      add.u32 %r6, %r1, %r5;
      ld.shared.b32 %r7, [%r6];
      mad.lo.u32 %r8, %r3, 1024, %r5;
      cvt.u64.u32 %d3, %r8;
      add.s64 %d4, %d2, %d3;
      st.global.b32 [%d4], %r7;
      barrier.cluster.arrive.aligned;
      barrier.cluster.wait.aligned;
      ret;
    })";
  Harness h(90);
  ASSERT_EQ(h.load(text), "");
  std::mt19937 random(3);
  TensorCase c = TensorCase::make(2, 0, random, 0);
  c.dims[0] = c.box[0] = 32;
  c.dims[1] = c.box[1] = 32;
  c.strides[0] = 32;
  c.elementStrides[1] = 1;
  c.memory.resize(1024);
  for (uint8_t &byte : c.memory)
    byte = random();
  std::array<uint8_t, 128> map;
  ASSERT_EQ(c.encode(map.data(), h.put(c.memory, "tensor")).message, "");
  uint64_t out = h.empty<uint8_t>(2048);
  h.options.params.assign(map.begin(), map.end());
  ASSERT_EQ(h.arg(out).launch({2, 1, 1}, {256, 1, 1}, 0, {2, 1, 1}), "");
  EXPECT_EQ(h.faultText(), "");
  std::vector<uint8_t> got = h.get<uint8_t>(out, 2048);
  for (unsigned i = 0; i < 2048; ++i)
    ASSERT_EQ(got[i], c.memory[i % 1024]);
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

/// Stores random bytes by `operation` ("" copies); `combine(there, new)` says what
/// results.
template <typename T, typename F>
static void checkStore(TensorCase c, unsigned shift, const std::string &operation,
                       F combine) {
  for (int32_t &coordinate : c.at)
    coordinate = std::max(coordinate, 0); // stores start in the tensor
  SCOPED_TRACE(c.describe());
  Harness h(90);
  uint64_t tensor = h.put(c.memory, "tensor");
  std::vector<uint8_t> map(128);
  ASSERT_EQ(c.encode(map.data(), tensor).message, "");
  std::string kernel = storeKernel(c.rank, operation);
  ASSERT_EQ(h.loadBody(TensorCase::params, kernel, sharedMemory), "");
  std::vector<uint8_t> source(c.boxBytes());
  std::mt19937 random(shift + c.boxBytes());
  for (uint8_t &byte : source)
    byte = random();
  h.arg(h.put(map, "map")).arg(h.put(source, "source")).arg(shift).arg(c.boxBytes());
  for (int i = 0; i < 5; ++i)
    h.arg(c.at[i]);
  ASSERT_EQ(h.launch({1, 1, 1}, {64, 1, 1}, 40 << 10), "");
  ASSERT_EQ(h.faultText(), "");
  std::vector<uint8_t> expected = c.memory;
  for (uint32_t n = 0; n < c.elements(); ++n) {
    int64_t to = c.globalOffset(n);
    if (to < 0)
      continue;
    uint8_t element[8];
    for (unsigned byte = 0; byte < c.width; ++byte)
      element[byte] = source[swizzled(c.swizzle, shift + n * c.width + byte) - shift];
    T there, added;
    memcpy(&there, &expected[to], sizeof(T));
    memcpy(&added, element, sizeof(T));
    T result = combine(there, added);
    memcpy(&expected[to], &result, sizeof(T));
  }
  ASSERT_EQ(h.get<uint8_t>(tensor, expected.size()), expected);
}

// An H100 ends the program with an illegal instruction.
TEST(TensorCopyTest, PlacesWhereNoBoxStarts) {
  std::mt19937 random(47);
  auto start = [&](bool stores, int32_t inner, int32_t outer) {
    TensorCase c = TensorCase::make(2, 0, random, 2);
    c.at[0] = inner;
    c.at[1] = outer;
    Harness h(90);
    std::vector<uint8_t> map(128);
    EXPECT_EQ(c.encode(map.data(), h.put(c.memory, "tensor")).message, "");
    const std::string kernel = stores ? storeKernel(2, "") : loadKernel(2);
    EXPECT_EQ(h.loadBody(TensorCase::params, kernel, sharedMemory), "");
    uint64_t data = stores ? h.put(std::vector<uint8_t>(c.boxBytes()))
                           : h.empty<uint8_t>(c.boxBytes());
    h.arg(h.put(map, "map")).arg(data).arg(0u).arg(c.boxBytes());
    for (int i = 0; i < 5; ++i)
      h.arg(c.at[i]);
    EXPECT_EQ(h.launch({1, 1, 1}, {64, 1, 1}, 40 << 10), "");
    return h.faultText();
  };
  for (bool stores : {false, true}) {
    EXPECT_EQ(start(stores, 4, 0), "");
    EXPECT_EQ(start(stores, 2, 0).find("misaligned: the box starts 8 bytes"), 0u);
  }
  EXPECT_EQ(start(false, -4, -1), "");
  EXPECT_EQ(start(true, 0, -1).find("out-of-bounds: coordinate 1 is -1"), 0u);
  EXPECT_EQ(start(true, -4, 0).find("out-of-bounds: coordinate 0 is -4"), 0u);
}

TEST(TensorCopyTest, StoresOfEveryRankAndSwizzle) {
  std::mt19937 random(41);
  for (unsigned rank = 1; rank <= 5; ++rank)
    for (unsigned swizzle = 0; swizzle <= 3; ++swizzle)
      for (unsigned repeat = 0; repeat < 8; ++repeat) {
        TensorCase c = TensorCase::make(rank, swizzle, random, 1);
        checkStore<uint16_t>(c, random() % 8 * 128, "",
                             [](uint16_t, uint16_t added) { return added; });
        if (HasFatalFailure())
          return;
      }
}

TEST(TensorCopyTest, Reductions) {
  std::mt19937 random(43);
  auto make = [&](unsigned type) { return TensorCase::make(2, 3, random, type); };
  checkStore<uint32_t>(make(2), 128, "add", [](uint32_t a, uint32_t b) { return a + b; });
  checkStore<int32_t>(make(3), 0, "min",
                      [](int32_t a, int32_t b) { return std::min(a, b); });
  checkStore<uint64_t>(make(4), 0, "max",
                       [](uint64_t a, uint64_t b) { return std::max(a, b); });
  checkStore<int64_t>(make(5), 0, "min",
                      [](int64_t a, int64_t b) { return std::min(a, b); });
  checkStore<uint32_t>(make(2), 0, "inc",
                       [](uint32_t a, uint32_t b) { return a >= b ? 0 : a + 1; });
  checkStore<uint32_t>(make(2), 0, "dec", [](uint32_t a, uint32_t b) {
    return a == 0 || a > b ? b : a - 1;
  });
  checkStore<uint32_t>(make(2), 0, "and", [](uint32_t a, uint32_t b) { return a & b; });
  checkStore<uint32_t>(make(3), 0, "or", [](uint32_t a, uint32_t b) { return a | b; });
  checkStore<uint64_t>(make(4), 0, "xor", [](uint64_t a, uint64_t b) { return a ^ b; });
}

//===----------------------------------------------------------------------===//
// im2col
//===----------------------------------------------------------------------===//

/// Pixels of a tensor of `rank` dimensions of bytes, counted out one by one.
static void checkPixels(unsigned rank, std::mt19937 &random) {
  const unsigned pixelRank = rank - 2;
  uint64_t dims[5], strides[4];
  uint32_t channels = 16 * (1 + random() % 2), pixels = 1 + random() % 60, steps[5];
  int32_t lower[3], upper[3], at[5];
  uint16_t offsets[3];
  uint64_t bytes = 1;
  for (unsigned i = 0; i < rank; ++i) {
    dims[i] = i == 0 ? 48 : 2 + random() % 6;
    steps[i] = i == 0 || i == rank - 1 ? 1 : 1 + random() % 2;
    bytes *= dims[i];
    if (i < rank - 1)
      strides[i] = bytes;
  }
  for (unsigned i = 0; i < pixelRank; ++i) {
    lower[i] = int(random() % 3) - 1;
    upper[i] = lower[i] - int(random() % 2);
    offsets[i] = random() % 3;
  }
  at[0] = int(random() % 5) * 16 - 16;
  at[rank - 1] = random() % 2;
  for (unsigned i = 1; i <= pixelRank; ++i)
    at[i] = lower[i - 1];
  std::vector<uint8_t> memory(bytes);
  for (uint8_t &byte : memory)
    byte = static_cast<uint8_t>(random());

  Harness h(90);
  TiledTensor tensor;
  tensor.rank = rank;
  tensor.address = h.put(memory, "tensor");
  tensor.dims = dims;
  tensor.strides = strides;
  tensor.box = &channels;
  tensor.elementStrides = steps;
  std::vector<uint8_t> map(128);
  ASSERT_EQ(encodeIm2col(map.data(), tensor, {lower, upper, pixels}).message, "");
  std::string text = loadKernel(rank), given = ", {";
  for (unsigned i = 0; i < pixelRank; ++i)
    given += (i ? ", " : "") + std::to_string(offsets[i]);
  text.replace(text.find(".mbarrier::complete"), 0, ".im2col");
  text.insert(text.find(";", text.find("cp.async.bulk")), given + "}");
  ASSERT_EQ(h.loadBody(TensorCase::params, text, sharedMemory), "");
  const uint32_t count = channels * pixels;
  uint64_t out = h.empty<uint8_t>(count);
  h.arg(h.put(map, "map")).arg(out).arg(0u).arg(count);
  for (unsigned i = 0; i < 5; ++i)
    h.arg(i < rank ? at[i] : 0);
  ASSERT_EQ(h.launch({1, 1, 1}, {64, 1, 1}, 40 << 10), "");
  ASSERT_EQ(h.faultText(), "");

  std::vector<uint8_t> expected;
  int32_t place[5];
  std::copy_n(at, rank, place);
  for (uint32_t pixel = 0; pixel < pixels; ++pixel) {
    for (uint32_t channel = 0; channel < channels; ++channel) {
      int64_t index = at[0] + channel, from = index;
      bool inside = index >= 0 && index < int64_t(dims[0]);
      for (unsigned i = 1; i < rank; ++i) {
        int64_t x = place[i] + (i <= pixelRank ? offsets[i - 1] : 0);
        inside = inside && x >= 0 && x < int64_t(dims[i]);
        from += x * int64_t(strides[i - 1]);
      }
      expected.push_back(inside ? memory[from] : 0);
    }
    unsigned i = 1;
    for (; i <= pixelRank; ++i) {
      place[i] += steps[i];
      if (place[i] <= int64_t(dims[i]) - 1 + upper[i - 1])
        break;
      place[i] = lower[i - 1];
    }
    place[rank - 1] += i > pixelRank;
  }
  ASSERT_EQ(h.get<uint8_t>(out, count), expected);
}

TEST(TensorCopyTest, PixelsOfIm2colMaps) {
  std::mt19937 random(41);
  for (unsigned rank = 3; rank <= 5; ++rank)
    for (unsigned repeat = 0; repeat < 20; ++repeat) {
      checkPixels(rank, random);
      if (HasFatalFailure())
        return;
    }
}

// Worked out by hand: a row of four pixels between a lower corner of -1 and the last
// index less one, with offset 1.
TEST(TensorCopyTest, OneRowOfPixels) {
  Harness h(90);
  std::vector<uint8_t> memory(4 * 16);
  for (unsigned i = 0; i < 64; ++i)
    memory[i] = static_cast<uint8_t>(10 * (i / 16));
  const uint64_t dims[] = {16, 4, 1}, strides[] = {16, 64};
  const uint32_t channels = 16, steps[] = {1, 1, 1};
  const int32_t lower[] = {-1}, upper[] = {-1};
  TiledTensor tensor;
  tensor.rank = 3;
  tensor.address = h.put(memory, "tensor");
  tensor.dims = dims;
  tensor.strides = strides;
  tensor.box = &channels;
  tensor.elementStrides = steps;
  std::vector<uint8_t> map(128);
  ASSERT_EQ(encodeIm2col(map.data(), tensor, {lower, upper, 6}).message, "");
  std::string text = loadKernel(3);
  text.replace(text.find(".mbarrier::complete"), 0, ".im2col");
  text.insert(text.find(";", text.find("cp.async.bulk")), ", {0}");
  ASSERT_EQ(h.loadBody(TensorCase::params, text, sharedMemory), "");
  uint64_t out = h.empty<uint8_t>(96);
  h.arg(h.put(map, "map")).arg(out).arg(0u).arg(96u).arg(0).arg(-1).arg(0).arg(0).arg(0);
  ASSERT_EQ(h.launch({1, 1, 1}, {64, 1, 1}, 40 << 10), "");
  ASSERT_EQ(h.faultText(), "");
  // -1, 0, 1, 2, and on to the next image, which there is not.
  std::vector<uint8_t> got = h.get<uint8_t>(out, 96);
  for (unsigned pixel = 0; pixel < 6; ++pixel)
    EXPECT_EQ(got[pixel * 16], (std::vector<uint8_t>{0, 0, 10, 20, 0, 0})[pixel]);

  // A tiled copy by an im2col map.
  ASSERT_EQ(h.loadBody(TensorCase::params, loadKernel(3), sharedMemory), "");
  h.arg(h.put(map, "map")).arg(out).arg(0u).arg(96u).arg(0).arg(-1).arg(0).arg(0).arg(0);
  ASSERT_EQ(h.launch({1, 1, 1}, {64, 1, 1}, 40 << 10), "");
  EXPECT_TRUE(h.hasFault(Rule::Descriptor));
}
