// The WMMA interface of CUDA C++: fragments whose layout only the hardware knows.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_bf16.h>
#include <mma.h>
#include <type_traits>

using namespace nvcuda;

// One warp per tile of the grid (n / N, m / M); c is added and the result scaled.
template <int M, int N, int K, typename T, typename Storage, typename D, typename LayoutA,
          typename LayoutB>
__device__ void multiply(const Storage *a, const Storage *b, const D *c, D *d, int m, int n,
                         int k, wmma::layout_t out) {
  wmma::fragment<wmma::matrix_a, M, N, K, T, LayoutA> x;
  wmma::fragment<wmma::matrix_b, M, N, K, T, LayoutB> y;
  wmma::fragment<wmma::accumulator, M, N, K, D> sum;
  int row = blockIdx.y * M, column = blockIdx.x * N;
  bool by_row = out == wmma::mem_row_major;
  int at = by_row ? row * n + column : column * m + row, pitch = by_row ? n : m;
  wmma::load_matrix_sync(sum, c + at, pitch, out);
  constexpr bool a_rows = std::is_same<LayoutA, wmma::row_major>::value;
  constexpr bool b_rows = std::is_same<LayoutB, wmma::row_major>::value;
  for (int step = 0; step < k; step += K) {
    wmma::load_matrix_sync(x, a + (a_rows ? row * k + step : step * m + row), a_rows ? k : m);
    wmma::load_matrix_sync(y, b + (b_rows ? step * n + column : column * k + step),
                           b_rows ? n : k);
    wmma::mma_sync(sum, x, y, sum);
  }
  for (int i = 0; i < sum.num_elements; ++i)
    sum.x[i] = sum.x[i] * D(2);
  wmma::store_matrix_sync(d + at, sum, pitch, out);
}

#define KERNEL(name, M, N, K, T, Storage, D, A, B, out)                                        \
  extern "C" __global__ void name(const Storage *a, const Storage *b, const D *c, D *d, int m, \
                                  int n, int k) {                                              \
    multiply<M, N, K, T, Storage, D, wmma::A, wmma::B>(a, b, c, d, m, n, k, wmma::out);        \
  }
KERNEL(f16_rows, 16, 16, 16, half, half, float, row_major, row_major, mem_row_major)
KERNEL(f16_columns, 32, 8, 16, half, half, float, col_major, col_major, mem_col_major)
KERNEL(f16_wide, 8, 32, 16, half, half, float, row_major, col_major, mem_row_major)
KERNEL(bf16, 16, 16, 16, __nv_bfloat16, __nv_bfloat16, float, row_major, col_major,
       mem_row_major)
KERNEL(s8, 16, 16, 16, signed char, signed char, int, row_major, col_major, mem_row_major)
KERNEL(tf32, 16, 16, 8, wmma::precision::tf32, float, float, row_major, row_major,
       mem_row_major)
KERNEL(f64, 8, 8, 4, double, double, double, row_major, col_major, mem_row_major)
