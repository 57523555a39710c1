//===- Staging.cpp - Launches on GPUs of arguments in host memory ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tensor's span is the bytes from its first element in memory to the end of its last
// one. Tensors whose spans share bytes get one copy on the device, in which they lie as
// they do on the host: what is the same element here is the same there, whatever the
// strides.
//
// The whole span is copied to the device, of tensors that are only written as well: a
// kernel may leave elements as they are. Reading bytes between a tensor's elements does
// no harm; they lie between elements of one allocation. What comes back is written
// element by element: bytes in between may be another thread's to write, and to write
// back what was read before would undo that. Where a tensor fills its span, as most do,
// both come to one copy.
//
//===----------------------------------------------------------------------===//

#include "Staging.h"

#include "Buffer.h"
#include "Error.h"
#include "GpuDevice.h"

#include <cinttypes>

using namespace tilewright;

namespace {

/// A tensor in host memory.
struct HostTensor {
  uint64_t *word; // its address, among the launch's words; extents and strides follow
  const ParameterEntry *parameter;
  uint64_t begin, end; // its span
  uint64_t bytes;      // of its elements
  size_t copy;         // the index of its copy on the device

  bool isWritten() const { return parameter->flags & TW_PARAM_WRITE; }
  bool fillsSpan() const { return bytes == end - begin; }
  int64_t extent(int64_t dim) const { return static_cast<int64_t>(word[1 + dim]); }
  int64_t stride(int64_t dim) const {
    return static_cast<int64_t>(word[1 + parameter->rank + dim]);
  }
};

/// Memory on the device that stands for host memory.
struct DeviceCopy {
  uint64_t begin, end; // of the host's memory
  uint64_t before;     // bytes in front, for the first tensor to be aligned
  uint64_t memory, start;
};

class Staging {
  GpuDevice &device;
  const char *name;
  void *stream;
  Array<HostTensor> tensors; // in the order of their spans
  Array<DeviceCopy> copies;

  int copy(uint64_t to, uint64_t from, uint64_t bytes) {
    return device.driver->vendor->copy(device.calls(), to, from, bytes, stream);
  }
  bool insert(HostTensor tensor);
  bool groupSpans();
  tw_status checkAlignment(const Signature &signature);
  tw_status failMemory() const {
    return fail(TW_ERROR_MEMORY, "%s: no memory to copy arguments", name);
  }

public:
  Staging(GpuDevice &device, const char *name, void *stream)
      : device(device), name(name), stream(stream) {}
  ~Staging();

  /// Notes the tensors in host memory among a launch's words.
  tw_status find(const Signature &signature, uint64_t *words, const int32_t *deviceTypes);
  bool isEmpty() const { return tensors.size() == 0; }
  /// Refuses to go into a graph, which could not wait for the copies.
  tw_status checkCapture(const Signature &signature) const;
  /// Copies to the device; the words then hold addresses there.
  tw_status upload();
  /// Waits for the stream and copies back what the kernel has written.
  tw_status download();
};

} // namespace

//===----------------------------------------------------------------------===//
// Spans
//===----------------------------------------------------------------------===//

/// Fills in a tensor's span; false where it has no element.
static bool measure(HostTensor &tensor) {
  const ParameterEntry &parameter = *tensor.parameter;
  int64_t item = itemSize(parameter.dtype), elements = 1;
  for (int64_t d = 0; d < parameter.rank; ++d)
    elements *= tensor.extent(d);
  if (elements == 0)
    return false;
  tensor.begin = *tensor.word;
  // Those whose elements share bytes are contiguous.
  if (int64_t perItem = elementsPerItem(parameter.dtype); perItem > 1) {
    tensor.bytes = static_cast<uint64_t>(elements / perItem * item);
    tensor.end = tensor.begin + tensor.bytes;
    return true;
  }
  tensor.bytes = static_cast<uint64_t>(elements * item);
  tensor.end = tensor.begin + static_cast<uint64_t>(item);
  for (int64_t d = 0; d < parameter.rank; ++d) {
    int64_t reach = (tensor.extent(d) - 1) * tensor.stride(d) * item;
    if (reach < 0)
      tensor.begin -= static_cast<uint64_t>(-reach);
    else
      tensor.end += static_cast<uint64_t>(reach);
  }
  return true;
}

/// Adds a tensor behind those whose spans begin before its own.
bool Staging::insert(HostTensor tensor) {
  if (!tensors.push(tensor))
    return false;
  size_t i = tensors.size() - 1;
  for (; i > 0 && tensors[i - 1].begin > tensor.begin; --i)
    tensors[i] = tensors[i - 1];
  tensors[i] = tensor;
  return true;
}

/// How far an address that is `past` bytes beyond one of the device's allocations, which
/// are aligned to more than any tensor, is from what a parameter asks for.
static uint64_t misalignment(const ParameterEntry &parameter, uint64_t past) {
  return past & static_cast<uint64_t>(parameter.alignment - 1);
}

/// Decides what is copied together, and where in the copy it is: where the tensor that
/// asks for the most is aligned.
bool Staging::groupSpans() {
  for (size_t i = 0, first = 0; i < tensors.size(); ++i) {
    HostTensor &tensor = tensors[i];
    size_t last = copies.size() - 1;
    if (copies.size() == 0 || tensor.begin >= copies[last].end) {
      if (!copies.push({tensor.begin, tensor.end, 0, 0, 0}))
        return false;
      last = copies.size() - 1;
      first = i;
    } else if (tensor.end > copies[last].end) {
      copies[last].end = tensor.end;
    }
    tensor.copy = last;
    if (i > first && tensor.parameter->alignment <= tensors[first].parameter->alignment)
      continue;
    first = i;
    uint64_t past = *tensor.word - copies[last].begin;
    copies[last].before = misalignment(*tensor.parameter, 0 - past);
  }
  return true;
}

/// Tensors that share memory keep their distances, so that not all need be aligned.
tw_status Staging::checkAlignment(const Signature &signature) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const HostTensor &tensor = tensors[i];
    const DeviceCopy &made = copies[tensor.copy];
    uint64_t past = made.before + (*tensor.word - made.begin);
    if (misalignment(*tensor.parameter, past))
      return fail(
          TW_ERROR_ARGUMENT,
          "%s: argument '%s' shares memory with another one, and in a copy of both "
          "only one can be aligned to %" PRId64 " bytes; pass a copy of it",
          name, signature.name(*tensor.parameter), tensor.parameter->alignment);
  }
  return TW_OK;
}

tw_status Staging::find(const Signature &signature, uint64_t *words,
                        const int32_t *deviceTypes) {
  uint64_t *word = words;
  for (int64_t i = 0; i < signature.parameterCount(); ++i) {
    const ParameterEntry &parameter = signature.parameter(i);
    bool isTensor = parameter.kind == TW_PARAM_TENSOR;
    HostTensor tensor = {word, &parameter, 0, 0, 0, 0};
    word += isTensor ? 1 + 2 * parameter.rank : 1;
    if (isTensor && deviceTypes[i] == cpuDevice.type && measure(tensor) &&
        !insert(tensor))
      return failMemory();
  }
  return groupSpans() ? checkAlignment(signature) : failMemory();
}

tw_status Staging::checkCapture(const Signature &signature) const {
  bool isCaptured;
  if (tw_status status = findCapture(device, stream, name, &isCaptured))
    return status;
  if (!isCaptured)
    return TW_OK;
  return fail(
      TW_ERROR_ARGUMENT,
      "%s: argument '%s' is in the host's memory, and a launch that is captured in "
      "a graph cannot wait for copies; pass a tensor on %s, or launch outside of "
      "the capture",
      name, signature.name(*tensors[0].parameter), device.name);
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

tw_status Staging::upload() {
  for (size_t i = 0; i < copies.size(); ++i) {
    DeviceCopy &made = copies[i];
    uint64_t bytes = made.end - made.begin;
    uint64_t before = made.before;
    if (int result =
            device.calls().allocateOn(&made.memory, wholeWords(before + bytes), stream)) {
      made.memory = 0;
      return failCall(device, result, "%s: no memory for a copy of %llu bytes", name,
                      static_cast<unsigned long long>(bytes));
    }
    made.start = made.memory + before;
    int result = copy(made.start, made.begin, bytes);
    // The rest of the last word is read by atomics on narrow elements.
    uint64_t rest = wholeWords(before + bytes) - (before + bytes);
    if (!result && rest)
      result = device.calls().fill(made.start + bytes, 0, rest, stream);
    if (result)
      return failCall(device, result, "%s: arguments are copied to the device", name);
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    const DeviceCopy &made = copies[tensors[i].copy];
    *tensors[i].word += made.start - made.begin; // may wrap
  }
  return TW_OK;
}

/// Copies a tensor's elements from `from`, where its span begins, to the host. `to` is
/// where its first element is.
static void scatter(const HostTensor &tensor, const char *from, char *to) {
  int64_t rank = tensor.parameter->rank, item = itemSize(tensor.parameter->dtype);
  // The dimension whose elements follow each other, if there is one, is copied at once.
  int64_t inner = -1;
  for (int64_t d = 0; d < rank; ++d)
    if (tensor.stride(d) == 1 && tensor.extent(d) > 1)
      inner = d;
  auto run = static_cast<size_t>(inner < 0 ? item : item * tensor.extent(inner));
  int64_t index[TW_MAX_RANK] = {};
  auto *span = reinterpret_cast<const char *>(tensor.begin);
  for (char *element = to;;) {
    memcpy(element, from + (element - span), run);
    int64_t d = rank - 1;
    for (; d >= 0; --d) {
      if (d == inner)
        continue;
      if (++index[d] < tensor.extent(d)) {
        element += tensor.stride(d) * item;
        break;
      }
      element -= tensor.stride(d) * item * (tensor.extent(d) - 1);
      index[d] = 0;
    }
    if (d < 0)
      return;
  }
}

tw_status Staging::download() {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const HostTensor &tensor = tensors[i];
    if (!tensor.isWritten())
      continue;
    const DeviceCopy &made = copies[tensor.copy];
    uint64_t bytes = tensor.end - tensor.begin;
    char *span = nullptr;
    if (!tensor.fillsSpan() && !(span = static_cast<char *>(malloc(bytes))))
      return failMemory();
    uint64_t to = span ? reinterpret_cast<uint64_t>(span) : tensor.begin;
    int result = copy(to, made.start + (tensor.begin - made.begin), bytes);
    if (!result)
      result = device.calls().synchronizeStream(stream);
    if (!result && span) {
      uint64_t first = *tensor.word - (made.start - made.begin); // as upload found it
      scatter(tensor, span, reinterpret_cast<char *>(first));
    }
    free(span);
    if (result)
      return failCall(device, result, "%s: results are copied back", name);
  }
  // Where nothing is written, the caller's memory is his again all the same.
  if (int result = device.calls().synchronizeStream(stream))
    return failCall(device, result, "%s", name);
  return TW_OK;
}

/// Says nothing where memory is not freed: there may be an error to be kept.
Staging::~Staging() {
  for (size_t i = 0; i < copies.size(); ++i)
    if (copies[i].memory)
      device.calls().freeOn(copies[i].memory, stream);
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

tw_status tilewright::launchStaged(const tw_kernel *kernel, tw_stream *stream,
                                   const uint64_t *words, const int32_t *deviceTypes,
                                   GivenMemory given) {
  const Signature &signature = kernel->signature;
  uint64_t staged[maximumParameters * (1 + 2 * TW_MAX_RANK)];
  memcpy(staged, words, static_cast<size_t>(signature.launchWords()) * sizeof(*words));
  GpuDevice &device = gpu(kernel->device);
  CurrentGpu current(device);
  Staging staging(device, kernel->artifact->name, handleOf(stream));
  if (tw_status status = staging.find(signature, staged, deviceTypes))
    return status;
  if (staging.isEmpty())
    return launchOnGpu(kernel, stream, words, given);
  if (tw_status status = staging.checkCapture(signature))
    return status;
  if (tw_status status = staging.upload())
    return status;
  if (tw_status status = launchOnGpu(kernel, stream, staged, given))
    return status;
  return staging.download();
}
