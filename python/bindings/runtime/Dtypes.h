//===- Dtypes.h - Element types of NumPy, DLPack and buffers -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_DTYPES_H
#define TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_DTYPES_H

#include "DLPack.h"
#include "PythonHelpers.h"

struct _PyArray_Descr;

namespace tilewright::python {

/// The tw_dtype of an array's element type, ml_dtypes' among them; -1 for others and
/// for foreign byte order. Sets no error.
int32_t dtypeOfNumpy(_PyArray_Descr *descr);
int32_t dtypeOfDLPack(dlpack::DataType type);
/// `format` is that of the buffer protocol; null means bytes.
int32_t dtypeOfBuffer(const char *format);

/// How many elements share an item of memory: 2 for those of 4 bits, else 1.
int64_t elementsPerItem(int32_t dtype);

/// The tw_dtype that a Python object means: a name ("bfloat16"), a dtype of the language,
/// of NumPy or of PyTorch. -1 with an error set for anything else.
int32_t dtypeOfObject(PyObject *object);

dlpack::DataType dlpackTypeOf(int32_t dtype);
/// A new reference to NumPy's dtype; null with an error set where ml_dtypes, which has
/// the narrow floats, cannot be imported.
_PyArray_Descr *numpyTypeOf(int32_t dtype);

} // namespace tilewright::python

#endif // TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_DTYPES_H
