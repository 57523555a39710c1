// malloc and free, new and delete, objects with virtual functions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

struct Shape {
  __device__ virtual float area() const = 0;
  __device__ virtual ~Shape() {}
};
struct Square : Shape {
  float side;
  __device__ Square(float side) : side(side) {}
  __device__ float area() const override { return side * side; }
};
struct Bar : Shape {
  float width;
  __device__ Bar(float width) : width(width) {}
  __device__ float area() const override { return 3 * width; }
};

extern "C" __global__ void objects(float *out) {
  Shape *shape = threadIdx.x % 2 ? static_cast<Shape *>(new Square(threadIdx.x))
                                 : static_cast<Shape *>(new Bar(threadIdx.x));
  out[threadIdx.x] = shape->area();
  delete shape;
}

// A list of pieces that one thread makes and the others read.
struct Node {
  int value;
  Node *next;
};

extern "C" __global__ void list(int *out, int length) {
  __shared__ Node *head;
  if (threadIdx.x == 0) {
    head = nullptr;
    for (int i = 0; i < length; ++i) {
      Node *node = static_cast<Node *>(malloc(sizeof(Node)));
      node->value = i * i;
      node->next = head;
      head = node;
    }
  }
  __syncthreads();
  int sum = 0, at = 0;
  for (Node *node = head; node; node = node->next, ++at)
    sum += node->value * (at % (threadIdx.x + 1) == 0);
  out[threadIdx.x] = sum;
  __syncthreads();
  while (threadIdx.x == 0 && head) {
    Node *next = head->next;
    free(head);
    head = next;
  }
}

// The heap has 8 MiB.
extern "C" __global__ void too_much(int *out) {
  void *most = malloc(size_t(6) << 20), *more = malloc(size_t(6) << 20);
  out[0] = most != nullptr;
  out[1] = more != nullptr;
  free(more);
  free(most);
  void *again = malloc(size_t(6) << 20);
  out[2] = again != nullptr;
  free(again);
}
