// Operand lists of wgmma: inline assembly numbers its operands, so each count has its own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "hopper.cuh"

// R accumulator registers; a and b are shared memory descriptors, or a four registers.
// `tail` are the scales and transpositions that follow the predicate scale-d.

#define LIST_4 \
  "%0, %1, %2, %3"

#define REGISTERS_4(c, d) \
  "+" c(d[0]), "+" c(d[1]), "+" c(d[2]), "+" c(d[3])

#define WGMMA_SHARED_4(op, tail, c, d, a, b, add) \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %6, 0; wgmma.mma_async.sync.aligned." op \
               " {" LIST_4 "}, %4, %5, p" tail "; }" \
               : REGISTERS_4(c, d) : "l"(a), "l"(b), "r"(add))
#define WGMMA_REGISTERS_4(op, tail, c, d, a, b, add) \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %9, 0; wgmma.mma_async.sync.aligned." op \
               " {" LIST_4 "}, {%4, %5, %6, %7}, %8, p" tail "; }" \
               : REGISTERS_4(c, d) \
               : "r"((a)[0]), "r"((a)[1]), "r"((a)[2]), "r"((a)[3]), "l"(b), "r"(add))

#define LIST_16 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"

#define REGISTERS_16(c, d) \
  "+" c(d[0]), "+" c(d[1]), "+" c(d[2]), "+" c(d[3]), \
  "+" c(d[4]), "+" c(d[5]), "+" c(d[6]), "+" c(d[7]), \
  "+" c(d[8]), "+" c(d[9]), "+" c(d[10]), "+" c(d[11]), \
  "+" c(d[12]), "+" c(d[13]), "+" c(d[14]), "+" c(d[15])

#define WGMMA_SHARED_16(op, tail, c, d, a, b, add) \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %18, 0; wgmma.mma_async.sync.aligned." op \
               " {" LIST_16 "}, %16, %17, p" tail "; }" \
               : REGISTERS_16(c, d) : "l"(a), "l"(b), "r"(add))

#define LIST_32 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"

#define REGISTERS_32(c, d) \
  "+" c(d[0]), "+" c(d[1]), "+" c(d[2]), "+" c(d[3]), \
  "+" c(d[4]), "+" c(d[5]), "+" c(d[6]), "+" c(d[7]), \
  "+" c(d[8]), "+" c(d[9]), "+" c(d[10]), "+" c(d[11]), \
  "+" c(d[12]), "+" c(d[13]), "+" c(d[14]), "+" c(d[15]), \
  "+" c(d[16]), "+" c(d[17]), "+" c(d[18]), "+" c(d[19]), \
  "+" c(d[20]), "+" c(d[21]), "+" c(d[22]), "+" c(d[23]), \
  "+" c(d[24]), "+" c(d[25]), "+" c(d[26]), "+" c(d[27]), \
  "+" c(d[28]), "+" c(d[29]), "+" c(d[30]), "+" c(d[31])

#define WGMMA_SHARED_32(op, tail, c, d, a, b, add) \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %34, 0; wgmma.mma_async.sync.aligned." op \
               " {" LIST_32 "}, %32, %33, p" tail "; }" \
               : REGISTERS_32(c, d) : "l"(a), "l"(b), "r"(add))
#define WGMMA_REGISTERS_32(op, tail, c, d, a, b, add) \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %37, 0; wgmma.mma_async.sync.aligned." op \
               " {" LIST_32 "}, {%32, %33, %34, %35}, %36, p" tail "; }" \
               : REGISTERS_32(c, d) \
               : "r"((a)[0]), "r"((a)[1]), "r"((a)[2]), "r"((a)[3]), "l"(b), "r"(add))

#define LIST_64 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"

#define REGISTERS_64(c, d) \
  "+" c(d[0]), "+" c(d[1]), "+" c(d[2]), "+" c(d[3]), \
  "+" c(d[4]), "+" c(d[5]), "+" c(d[6]), "+" c(d[7]), \
  "+" c(d[8]), "+" c(d[9]), "+" c(d[10]), "+" c(d[11]), \
  "+" c(d[12]), "+" c(d[13]), "+" c(d[14]), "+" c(d[15]), \
  "+" c(d[16]), "+" c(d[17]), "+" c(d[18]), "+" c(d[19]), \
  "+" c(d[20]), "+" c(d[21]), "+" c(d[22]), "+" c(d[23]), \
  "+" c(d[24]), "+" c(d[25]), "+" c(d[26]), "+" c(d[27]), \
  "+" c(d[28]), "+" c(d[29]), "+" c(d[30]), "+" c(d[31]), \
  "+" c(d[32]), "+" c(d[33]), "+" c(d[34]), "+" c(d[35]), \
  "+" c(d[36]), "+" c(d[37]), "+" c(d[38]), "+" c(d[39]), \
  "+" c(d[40]), "+" c(d[41]), "+" c(d[42]), "+" c(d[43]), \
  "+" c(d[44]), "+" c(d[45]), "+" c(d[46]), "+" c(d[47]), \
  "+" c(d[48]), "+" c(d[49]), "+" c(d[50]), "+" c(d[51]), \
  "+" c(d[52]), "+" c(d[53]), "+" c(d[54]), "+" c(d[55]), \
  "+" c(d[56]), "+" c(d[57]), "+" c(d[58]), "+" c(d[59]), \
  "+" c(d[60]), "+" c(d[61]), "+" c(d[62]), "+" c(d[63])

#define WGMMA_SHARED_64(op, tail, c, d, a, b, add) \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %66, 0; wgmma.mma_async.sync.aligned." op \
               " {" LIST_64 "}, %64, %65, p" tail "; }" \
               : REGISTERS_64(c, d) : "l"(a), "l"(b), "r"(add))
#define WGMMA_REGISTERS_64(op, tail, c, d, a, b, add) \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %69, 0; wgmma.mma_async.sync.aligned." op \
               " {" LIST_64 "}, {%64, %65, %66, %67}, %68, p" tail "; }" \
               : REGISTERS_64(c, d) \
               : "r"((a)[0]), "r"((a)[1]), "r"((a)[2]), "r"((a)[3]), "l"(b), "r"(add))

#define LIST_128 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, " \
  "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, " \
  "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, " \
  "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"

#define REGISTERS_128(c, d) \
  "+" c(d[0]), "+" c(d[1]), "+" c(d[2]), "+" c(d[3]), \
  "+" c(d[4]), "+" c(d[5]), "+" c(d[6]), "+" c(d[7]), \
  "+" c(d[8]), "+" c(d[9]), "+" c(d[10]), "+" c(d[11]), \
  "+" c(d[12]), "+" c(d[13]), "+" c(d[14]), "+" c(d[15]), \
  "+" c(d[16]), "+" c(d[17]), "+" c(d[18]), "+" c(d[19]), \
  "+" c(d[20]), "+" c(d[21]), "+" c(d[22]), "+" c(d[23]), \
  "+" c(d[24]), "+" c(d[25]), "+" c(d[26]), "+" c(d[27]), \
  "+" c(d[28]), "+" c(d[29]), "+" c(d[30]), "+" c(d[31]), \
  "+" c(d[32]), "+" c(d[33]), "+" c(d[34]), "+" c(d[35]), \
  "+" c(d[36]), "+" c(d[37]), "+" c(d[38]), "+" c(d[39]), \
  "+" c(d[40]), "+" c(d[41]), "+" c(d[42]), "+" c(d[43]), \
  "+" c(d[44]), "+" c(d[45]), "+" c(d[46]), "+" c(d[47]), \
  "+" c(d[48]), "+" c(d[49]), "+" c(d[50]), "+" c(d[51]), \
  "+" c(d[52]), "+" c(d[53]), "+" c(d[54]), "+" c(d[55]), \
  "+" c(d[56]), "+" c(d[57]), "+" c(d[58]), "+" c(d[59]), \
  "+" c(d[60]), "+" c(d[61]), "+" c(d[62]), "+" c(d[63]), \
  "+" c(d[64]), "+" c(d[65]), "+" c(d[66]), "+" c(d[67]), \
  "+" c(d[68]), "+" c(d[69]), "+" c(d[70]), "+" c(d[71]), \
  "+" c(d[72]), "+" c(d[73]), "+" c(d[74]), "+" c(d[75]), \
  "+" c(d[76]), "+" c(d[77]), "+" c(d[78]), "+" c(d[79]), \
  "+" c(d[80]), "+" c(d[81]), "+" c(d[82]), "+" c(d[83]), \
  "+" c(d[84]), "+" c(d[85]), "+" c(d[86]), "+" c(d[87]), \
  "+" c(d[88]), "+" c(d[89]), "+" c(d[90]), "+" c(d[91]), \
  "+" c(d[92]), "+" c(d[93]), "+" c(d[94]), "+" c(d[95]), \
  "+" c(d[96]), "+" c(d[97]), "+" c(d[98]), "+" c(d[99]), \
  "+" c(d[100]), "+" c(d[101]), "+" c(d[102]), "+" c(d[103]), \
  "+" c(d[104]), "+" c(d[105]), "+" c(d[106]), "+" c(d[107]), \
  "+" c(d[108]), "+" c(d[109]), "+" c(d[110]), "+" c(d[111]), \
  "+" c(d[112]), "+" c(d[113]), "+" c(d[114]), "+" c(d[115]), \
  "+" c(d[116]), "+" c(d[117]), "+" c(d[118]), "+" c(d[119]), \
  "+" c(d[120]), "+" c(d[121]), "+" c(d[122]), "+" c(d[123]), \
  "+" c(d[124]), "+" c(d[125]), "+" c(d[126]), "+" c(d[127])

#define WGMMA_SHARED_128(op, tail, c, d, a, b, add) \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %130, 0; wgmma.mma_async.sync.aligned." op \
               " {" LIST_128 "}, %128, %129, p" tail "; }" \
               : REGISTERS_128(c, d) : "l"(a), "l"(b), "r"(add))
#define WGMMA_REGISTERS_128(op, tail, c, d, a, b, add) \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %133, 0; wgmma.mma_async.sync.aligned." op \
               " {" LIST_128 "}, {%128, %129, %130, %131}, %132, p" tail "; }" \
               : REGISTERS_128(c, d) \
               : "r"((a)[0]), "r"((a)[1]), "r"((a)[2]), "r"((a)[3]), "l"(b), "r"(add))

__device__ __forceinline__ void wgmma_fence() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void wgmma_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int N> __device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}

// The descriptor of a matrix in shared memory: offsets in bytes; swizzle 0, 32, 64 or 128.
__device__ __forceinline__ uint64_t descriptor(uint32_t address, uint32_t leading,
                                               uint32_t stride, int swizzle) {
  uint64_t mode = swizzle == 128 ? 1 : swizzle == 64 ? 2 : swizzle == 32 ? 3 : 0;
  return (uint64_t)(address >> 4 & 0x3fff) | (uint64_t)(leading >> 4 & 0x3fff) << 16 |
         (uint64_t)(stride >> 4 & 0x3fff) << 32 | mode << 62;
}
