//===- Arguments.h - Python objects as launch arguments ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_ARGUMENTS_H
#define TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_ARGUMENTS_H

#include "DLPack.h"
#include "PythonHelpers.h"

#include "tilewright/runtime.h"

namespace tilewright::python {

struct TensorType;

/// Reads a Python object into one argument of a launch and owns what that needs while
/// the kernel runs. The object itself is the caller's to keep.
class Argument {
  tw_argument_v1 value{};
  int64_t strides[TW_MAX_RANK];
  Ref keeper;    // a DLPack capsule
  Ref dtypeText; // what dtype_name points at
  Py_buffer buffer;
  bool hasBuffer = false;

  bool readNumpy(PyObject *object);
  bool readSubclass(PyObject *object);
  bool readExchange(PyObject *object, const TensorType &type);
  bool readRaw(PyObject *object);
  bool readCapsule(PyObject *object);
  bool readBuffer(PyObject *object);
  bool readFloat(PyObject *object);
  bool readInteger(PyObject *object);
  bool setTensor(const dlpack::Tensor &tensor);
  bool setByteStrides(const Py_ssize_t *byteStrides, Py_ssize_t itemSize);
  bool setForeignDtype(Ref name);
  void nameDtypeAs(PyObject *object);

public:
  /// Of a tensor that a library with a DLPack exchange table owns, that table.
  const dlpack::ExchangeApi *api = nullptr;

  Argument() = default;
  Argument(const Argument &) = delete;
  ~Argument() {
    if (hasBuffer)
      PyBuffer_Release(&buffer);
  }

  const tw_argument_v1 &get() const { return value; }
  /// What keeps the memory of the tensor `object`, which this was read from, as it is.
  Ref hold(PyObject *object) const;

  /// The argument for a tensor parameter: a view of a NumPy array, or of what has
  /// DLPack's C exchange table, `__dlpack__` or the buffer protocol. A number becomes
  /// a scalar argument, which the runtime refuses by name. False with an error set
  /// where the object cannot be viewed, without one where it is nothing of the kind.
  bool readTensor(PyObject *object);
  /// The argument for a scalar parameter: a number of Python, of NumPy, or a tensor of
  /// one element. False as above.
  bool readScalar(PyObject *object, bool isFloat);
  /// The argument for a tensor that the launch allocates.
  void setAllocated();
};

} // namespace tilewright::python

#endif // TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_ARGUMENTS_H
