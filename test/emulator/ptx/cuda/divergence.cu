// Lanes that part ways: loops of different length, early returns, switches, locks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

// Iterations until |z| > 2, each operation rounded by itself, so that any machine counts alike.
extern "C" __global__ void mandelbrot(int *out, int width, int height, int limit) {
  int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height)
    return;
  double cr = -2.0 + x * 0.0625, ci = -1.25 + y * 0.0625, zr = 0, zi = 0;
  int n = 0;
  while (n < limit) {
    double rr = __dmul_rn(zr, zr), ii = __dmul_rn(zi, zi);
    if (__dadd_rn(rr, ii) > 4.0)
      break;
    double ri = __dmul_rn(zr, zi);
    zr = __dadd_rn(__dsub_rn(rr, ii), cr);
    zi = __dadd_rn(__dadd_rn(ri, ri), ci);
    ++n;
  }
  out[y * width + x] = n;
}

// Collatz lengths: nested ifs, continue, and returns from the middle.
extern "C" __global__ void collatz(const int *start, int *length, int *peak, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  long long v = start[i];
  if (v <= 0) {
    length[i] = -1;
    return;
  }
  int steps = 0;
  long long top = v;
  while (v != 1) {
    ++steps;
    if (v % 2 == 0) {
      v /= 2;
      if (v > 5)
        continue;
      if (v == 4 && steps > 60) {
        length[i] = 1000 + steps;
        peak[i] = (int)top;
        return;
      }
    } else
      v = 3 * v + 1;
    if (v > top)
      top = v;
  }
  length[i] = steps;
  peak[i] = (int)top;
}

// A small machine: each lane runs its own program of 4-bit instructions.
extern "C" __global__ void machine(const unsigned long long *programs, int *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  unsigned long long program = programs[i];
  int a = i, b = 1;
  for (int pc = 0, done = 0; pc < 16 && done < 64; ++pc, ++done)
    switch ((program >> 4 * pc) & 15) {
    case 0: a += b; break;
    case 1: a -= b; break;
    case 2: b = a; break;
    case 3: a ^= b << 3; break;
    case 4: if (a & 1) ++pc; break;
    case 5: a = a * 5 + 1; break;
    case 6: b >>= 1; // falls through
    case 7: b += 3; break;
    case 8: if (a > 0) pc = -1; a -= 100; break;
    case 9: a = -a; break;
    case 10: a = __popc(a); break;
    case 11: if (b == 0) { out[i] = a; return; } break;
    case 12: a = min(a, b); break;
    case 13: b = max(a, b); break;
    case 14: a = a % 1000; break;
    default: done = 1000;
    }
  out[i] = a * 31 + b;
}

// Every lane takes one lock in turn: a lane that spins must not keep the holder from running.
extern "C" __global__ void locks(int *lock, int *counter, int *order) {
  bool done = false;
  while (!done) {
    if (atomicCAS(lock, 0, 1) == 0) {
      __threadfence();
      int at = *(volatile int *)counter;
      order[at] = 1; // once each, if the lock is one
      *(volatile int *)counter = at + 1;
      __threadfence();
      atomicExch(lock, 0);
      done = true;
    }
  }
}

// Lane 0 spins until lane 31 of its own warp, in the other branch, has written the flag.
extern "C" __global__ void handshake(volatile int *flags, int *out) {
  int lane = threadIdx.x % 32;
  volatile int *flag = flags + blockIdx.x * 32;
  if (lane == 0) {
    while (flag[31] == 0)
      ;
    out[blockIdx.x * 32] = flag[31] + 5;
  } else {
    if (lane == 31)
      flag[31] = 37;
    out[blockIdx.x * 32 + lane] = lane;
  }
}
