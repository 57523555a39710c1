// Calls through pointers: a table of functions in constant memory, and virtual functions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

typedef int (*Operation)(int, int);
__device__ __noinline__ int add(int a, int b) { return a + b; }
__device__ __noinline__ int subtract(int a, int b) { return a - b; }
__device__ __noinline__ int multiply(int a, int b) { return a * b; }
__device__ Operation operations[3] = {add, subtract, multiply};

struct Shape {
  __device__ virtual float area() const = 0;
};
struct Square : Shape {
  float side;
  __device__ Square(float s) : side(s) {}
  __device__ __noinline__ float area() const override { return side * side; }
};
struct Triangle : Shape {
  float base, height;
  __device__ Triangle(float b, float h) : base(b), height(h) {}
  __device__ __noinline__ float area() const override { return base * height * 0.5f; }
};

// Lanes of one warp call different functions.
extern "C" __global__ void by_table(const int *which, const int *a, const int *b, int *out,
                                    int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    out[i] = operations[which[i]](a[i], b[i]);
}

extern "C" __global__ void by_class(const int *which, const float *x, float *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  Square square(x[i]);
  Triangle triangle(x[i], 3.0f);
  const Shape *shape = which[i] % 2 ? (const Shape *)&square : &triangle;
  out[i] = shape->area();
}
