//===- LimitLoops.cpp - What limits are measured with -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LimitLoops.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace tilewright::python;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

#if defined(__x86_64__)

// In assembly: a compiler may spill what it should keep. Sixteen accumulators are two
// units times a latency of four, twice over. AVX2 has no more registers than those, so
// there they are their own factors: f32 starts at -1/2, from where x * x + x goes to 0 so
// slowly that it never becomes a denormal.

#define FIFTEEN(STEP)                                                                    \
  STEP("0")                                                                              \
  STEP("1")                                                                              \
  STEP("2") STEP("3") STEP("4") STEP("5") STEP("6") STEP("7") STEP("8") STEP("9")        \
      STEP("10") STEP("11") STEP("12") STEP("13") STEP("14")
#define SIXTEEN(STEP) FIFTEEN(STEP) STEP("15")

/// Fills the registers that `START` names with `WORD`, then runs `STEPS`, `iterations`
/// times.
#define LOOP(START, WORD, STEPS)                                                         \
  static const int word = int(WORD);                                                     \
  asm volatile(START ".balign 32\n1:\n" STEPS "dec %0\njnz 1b"                           \
               : "+r"(iterations)                                                        \
               : "m"(word)                                                               \
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",   \
                 "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");

#define FILL_YMM(I) "vpbroadcastd %1, %%ymm" I "\n"
#define FILL_ZMM(I) "vpbroadcastd %1, %%zmm" I "\n"
static constexpr unsigned minusHalf = 0xBF000000; // f32
static constexpr unsigned ones = 0x01010101;      // i8

#define FMA_YMM(I) "vfmadd213ps %%ymm" I ", %%ymm" I ", %%ymm" I "\n"
#define FMA_ZMM(I) "vfmadd213ps %%zmm" I ", %%zmm" I ", %%zmm" I "\n"
#define DOT_BF16(I) "vdpbf16ps %%zmm16, %%zmm16, %%zmm" I "\n"
#define DOT_I8_ZMM(I) "vpdpbusd %%zmm16, %%zmm16, %%zmm" I "\n"
#define DOT_I8_YMM(I) "%{vex%} vpdpbusd %%ymm" I ", %%ymm" I ", %%ymm" I "\n"
// Without dot products of bytes: pairs of 16-bit products, then their addition. One
// register is the products', which leaves fifteen.
#define PAIRS_YMM(I)                                                                     \
  "vpmaddwd %%ymm" I ", %%ymm" I ", %%ymm15\nvpaddd %%ymm15, %%ymm" I ", %%ymm" I "\n"

[[gnu::target("avx512f")]] static void fmaAvx512(int64_t iterations) {
  LOOP(SIXTEEN(FILL_ZMM), minusHalf, SIXTEEN(FMA_ZMM))
}

[[gnu::target("avx2,fma")]] static void fmaAvx2(int64_t iterations) {
  LOOP(SIXTEEN(FILL_YMM), minusHalf, SIXTEEN(FMA_YMM))
}

[[gnu::target("avx512f,avx512bf16")]] static void dotBf16(int64_t iterations) {
  LOOP(SIXTEEN(FILL_ZMM) FILL_ZMM("16"), minusHalf, SIXTEEN(DOT_BF16))
}

[[gnu::target("avx512f,avx512vnni")]] static void dotI8Avx512(int64_t iterations) {
  LOOP(SIXTEEN(FILL_ZMM) FILL_ZMM("16"), ones, SIXTEEN(DOT_I8_ZMM))
}

[[gnu::target("avx2,avxvnni")]] static void dotI8Avx2(int64_t iterations) {
  LOOP(SIXTEEN(FILL_YMM), ones, SIXTEEN(DOT_I8_YMM))
}

[[gnu::target("avx2")]] static void pairsAvx2(int64_t iterations){
    LOOP(FIFTEEN(FILL_YMM), ones, FIFTEEN(PAIRS_YMM))}

// Products of whole tiles of AMX, six at a time: one takes 16 cycles, and its sums are there
// after 52. What is multiplied are zeros, which take as long as others.
#define TILES(INSTRUCTION, I) INSTRUCTION " %%tmm7, %%tmm6, %%tmm" I "\n"
#define TILE_LOOP(NAME, INSTRUCTION)                                                     \
  static void NAME(int64_t iterations) {                                                 \
    alignas(64) static const unsigned char shapes[64] = {                                \
        1,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, /* the palette */ \
        64, 0,  64, 0,  64, 0,  64, 0,  64, 0,  64, 0,  64, 0,  64, 0, /* bytes */       \
        0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,                   \
        16, 16, 16, 16, 16, 16, 16, 16, 0,  0,  0,  0,  0,  0,  0,  0}; /* rows */       \
    asm volatile("ldtilecfg %1\n.balign 32\n1:\n" TILES(INSTRUCTION, "0")               \
                     TILES(INSTRUCTION, "1") TILES(INSTRUCTION, "2")                     \
                         TILES(INSTRUCTION, "3") TILES(INSTRUCTION, "4")                 \
                             TILES(INSTRUCTION, "5") "dec %0\njnz 1b\ntilerelease"       \
                 : "+r"(iterations)                                                      \
                 : "m"(shapes)                                                           \
                 : "cc");                                                                \
  }
TILE_LOOP(tilesBf16, "tdpbf16ps")
TILE_LOOP(tilesI8, "tdpbssd")

/// Whether the CPU has AMX with the products of bit `product` of EDX of CPUID leaf 7, and
/// Linux lets this process use its tiles.
template <int product> static bool hasTiles() {
  constexpr unsigned tile = 24;
  constexpr long requestPermission = 0x1023, tileData = 18; // ARCH_REQ_XCOMP_PERM
  unsigned eax = 7, ebx, ecx = 0, edx;
  asm("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return (edx >> tile & edx >> product & 1) &&
         syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
}

#define SUPPORTED(FEATURE) [] { return __builtin_cpu_supports(FEATURE) != 0; }

/// AVX-VNNI is bit 4 of EAX of CPUID leaf 7.1, which g++ 12 has no name for.
static bool hasAvxVnni() {
  unsigned eax = 7, ebx, ecx = 1, edx;
  asm("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return __builtin_cpu_supports("avx2") && (eax >> 4 & 1);
}

static const struct {
  const char *dtype;
  bool (*supported)();
  ComputeLoop loop;
} computeLoops[] = {
    {"f32", SUPPORTED("avx512f"), {fmaAvx512, 16 * 16 * 2.0}},
    {"f32", SUPPORTED("fma"), {fmaAvx2, 16 * 8 * 2.0}},
    {"bf16", hasTiles<22>, {tilesBf16, 6 * 16 * 16 * 32 * 2.0}},
    {"bf16", SUPPORTED("avx512bf16"), {dotBf16, 16 * 32 * 2.0}},
    {"i8", hasTiles<25>, {tilesI8, 6 * 16 * 16 * 64 * 2.0}},
    {"i8", SUPPORTED("avx512vnni"), {dotI8Avx512, 16 * 64 * 2.0}},
    {"i8", hasAvxVnni, {dotI8Avx2, 16 * 32 * 2.0}},
    {"i8", SUPPORTED("avx2"), {pairsAvx2, 15 * 16 * 2.0}},
};

#else

/// Keeps a vector in a register and its computation from being dropped.
#define KEEP(VECTOR) asm volatile("" : "+w"(VECTOR))

static void multiplyAdd(int64_t iterations) {
  typedef float Vector __attribute__((vector_size(16)));
  constexpr int chains = 16;
  Vector x = {0.5f, 0.5f, 0.5f, 0.5f}, sum[chains] = {};
  KEEP(x);
  for (int k = 0; k < chains; ++k)
    KEEP(sum[k]); // or equal chains would become one
  for (int64_t i = 0; i < iterations; ++i)
    for (int k = 0; k < chains; ++k)
      sum[k] = x * x + sum[k];
  for (int k = 0; k < chains; ++k)
    KEEP(sum[k]);
}

static const struct {
  const char *dtype;
  bool (*supported)();
  ComputeLoop loop;
} computeLoops[] = {
    {"f32", [] { return true; }, {multiplyAdd, 16 * 4 * 2.0}},
};

#endif

ComputeLoop tilewright::python::findComputeLoop(const char *dtype) {
  for (const auto &entry : computeLoops)
    if (strcmp(entry.dtype, dtype) == 0 && entry.supported())
      return entry.loop;
  return {nullptr, 0};
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// Reads `streams` parts of the bytes side by side, a cache line of each in turn.
template <int streams> static void read(char *, const char *from, size_t bytes) {
  typedef uint64_t Vector __attribute__((vector_size(16)));
  Vector sum[4] = {};
  size_t part = bytes / streams;
  for (size_t i = 0; i < part; i += 64)
    for (int s = 0; s < streams; ++s)
      for (int k = 0; k < 4; ++k)
        sum[k] |= *reinterpret_cast<const Vector *>(from + s * part + i + k * 16);
  for (int k = 0; k < 4; ++k)
    asm volatile("" : : "m"(sum[k]));
}

static void copy(char *to, const char *from, size_t bytes) { memcpy(to, from, bytes); }

/// Writes past the caches, whose lines are then not read before they are written.
static void stream(char *to, const char *from, size_t bytes) {
#if defined(__x86_64__)
  for (size_t i = 0; i < bytes; i += 16)
    _mm_stream_si128(reinterpret_cast<__m128i *>(to + i),
                     _mm_load_si128(reinterpret_cast<const __m128i *>(from + i)));
  _mm_sfence();
#else
  copy(to, from, bytes);
#endif
}

const MemoryLoop tilewright::python::readLoops[2] = {{read<1>}, {read<8>}};
const MemoryLoop tilewright::python::copyLoops[2] = {{copy}, {stream}};
