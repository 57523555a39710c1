// CUB in a block: reductions, scans, sorts and exchanges, as its headers make them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cub/block/block_histogram.cuh>
#include <cub/block/block_load.cuh>
#include <cub/block/block_merge_sort.cuh>
#include <cub/block/block_radix_sort.cuh>
#include <cub/block/block_reduce.cuh>
#include <cub/block/block_scan.cuh>
#include <cub/block/block_store.cuh>
#include <cub/warp/warp_merge_sort.cuh>
#include <cub/warp/warp_scan.cuh>

struct Best {
  float value;
  int index;
};
struct Later {
  __device__ Best operator()(Best a, Best b) const {
    return b.value > a.value || (b.value == a.value && b.index < a.index) ? b : a;
  }
};
struct Less {
  template <typename T> __device__ bool operator()(T a, T b) const { return a < b; }
};

constexpr int threads = 128;

extern "C" __global__ void block_sum(const float *x, float *out, int n) {
  using Reduce = cub::BlockReduce<float, threads>;
  __shared__ typename Reduce::TempStorage storage;
  int i = blockIdx.x * threads + threadIdx.x;
  float sum = Reduce(storage).Sum(i < n ? x[i] : 0.0f);
  if (threadIdx.x == 0)
    out[blockIdx.x] = sum;
}

extern "C" __global__ void block_best(const float *x, float *value, int *index, int n) {
  using Reduce = cub::BlockReduce<Best, threads, cub::BLOCK_REDUCE_RAKING>;
  __shared__ typename Reduce::TempStorage storage;
  int i = blockIdx.x * threads + threadIdx.x;
  Best best = Reduce(storage).Reduce({i < n ? x[i] : -1e30f, i}, Later{});
  if (threadIdx.x == 0) {
    value[blockIdx.x] = best.value;
    index[blockIdx.x] = best.index;
  }
}

extern "C" __global__ void block_scan(const int *x, int *out) {
  using Load = cub::BlockLoad<int, threads, 4, cub::BLOCK_LOAD_TRANSPOSE>;
  using Store = cub::BlockStore<int, threads, 4, cub::BLOCK_STORE_WARP_TRANSPOSE>;
  using Scan = cub::BlockScan<int, threads, cub::BLOCK_SCAN_WARP_SCANS>;
  __shared__ union {
    typename Load::TempStorage load;
    typename Store::TempStorage store;
    typename Scan::TempStorage scan;
  } storage;
  int v[4];
  Load(storage.load).Load(x + blockIdx.x * 4 * threads, v);
  __syncthreads();
  Scan(storage.scan).ExclusiveSum(v, v);
  __syncthreads();
  Store(storage.store).Store(out + blockIdx.x * 4 * threads, v);
}

extern "C" __global__ void radix_sort(unsigned *keys, int *values) {
  using Sort = cub::BlockRadixSort<unsigned, threads, 4, int>;
  __shared__ typename Sort::TempStorage storage;
  unsigned k[4];
  int v[4], at = (blockIdx.x * threads + threadIdx.x) * 4;
  for (int i = 0; i < 4; ++i) {
    k[i] = keys[at + i];
    v[i] = threadIdx.x * 4 + i;
  }
  Sort(storage).Sort(k, v);
  for (int i = 0; i < 4; ++i) {
    keys[at + i] = k[i];
    values[at + i] = v[i];
  }
}

extern "C" __global__ void merge_sort(float *keys) {
  using Sort = cub::BlockMergeSort<float, threads, 4>;
  __shared__ typename Sort::TempStorage storage;
  float k[4];
  int at = (blockIdx.x * threads + threadIdx.x) * 4;
  for (int i = 0; i < 4; ++i)
    k[i] = keys[at + i];
  Sort(storage).Sort(k, Less{});
  for (int i = 0; i < 4; ++i)
    keys[at + i] = k[i];
}

extern "C" __global__ void warps(const int *x, int *scans, int *sorted) {
  using Scan = cub::WarpScan<int>;
  using Sort = cub::WarpMergeSort<int, 2, 32>;
  __shared__ typename Scan::TempStorage scan[threads / 32];
  __shared__ typename Sort::TempStorage sort[threads / 32];
  int warp = threadIdx.x / 32, sum, total;
  Scan(scan[warp]).InclusiveSum(x[threadIdx.x], sum, total);
  scans[threadIdx.x] = sum + 1000 * total;
  int k[2] = {x[threadIdx.x], x[(threadIdx.x + 17) % threads]};
  Sort(sort[warp]).Sort(k, Less{});
  sorted[threadIdx.x * 2] = k[0];
  sorted[threadIdx.x * 2 + 1] = k[1];
}

extern "C" __global__ void block_histogram(const unsigned char *x, unsigned *bins) {
  using Histogram = cub::BlockHistogram<unsigned char, threads, 4, 256, cub::BLOCK_HISTO_SORT>;
  __shared__ typename Histogram::TempStorage storage;
  __shared__ unsigned own[256];
  unsigned char v[4];
  for (int i = 0; i < 4; ++i)
    v[i] = x[(blockIdx.x * threads + threadIdx.x) * 4 + i];
  Histogram(storage).Histogram(v, own);
  __syncthreads();
  for (int i = threadIdx.x; i < 256; i += threads)
    atomicAdd(&bins[i], own[i]);
}
