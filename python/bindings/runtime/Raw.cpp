//===- Raw.cpp - Integers that stand for another element type ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raw.h"

#include "Dtypes.h"

using namespace tilewright;
using namespace tilewright::python;

static PyTypeObject *rawType;

static RawObject &self(PyObject *object) {
  return *reinterpret_cast<RawObject *>(object);
}

bool python::isRaw(PyObject *object) { return Py_TYPE(object) == rawType; }

PyObject *python::asDtype(PyObject *, PyObject *const *args, Py_ssize_t count) {
  if (count != 2)
    return PyErr_Format(PyExc_TypeError, "as_dtype takes an array and a dtype");
  int32_t dtype = dtypeOfObject(args[1]);
  if (dtype < 0)
    return nullptr;
  PyObject *object = PyType_GenericAlloc(rawType, 0);
  if (!object)
    return nullptr;
  Py_INCREF(args[0]);
  Py_INCREF(args[1]);
  self(object).array = args[0];
  self(object).name = args[1];
  self(object).dtype = dtype;
  return object;
}

static int traverse(PyObject *object, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self(object).array);
  Py_VISIT(self(object).name);
  return 0;
}

static int clear(PyObject *object) {
  Py_CLEAR(self(object).array);
  Py_CLEAR(self(object).name);
  return 0;
}

static void deallocate(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  clear(object);
  type->tp_free(object);
  Py_DECREF(type);
}

static PyObject *represent(PyObject *object) {
  return PyUnicode_FromFormat("as_dtype(%R, %R)", self(object).array, self(object).name);
}

static PyObject *getShape(PyObject *object, void *) {
  return PyObject_GetAttrString(self(object).array, "shape");
}

static PyObject *getDtype(PyObject *object, void *) {
  return borrow(self(object).name).release();
}

static PyGetSetDef properties[] = {
    {"shape", getShape, nullptr, "The array's shape.", nullptr},
    {"dtype", getDtype, nullptr, "The declared dtype, as it was given.", nullptr},
    {},
};

PyObject *python::makeRawType() {
  static PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void *>(deallocate)},
      {Py_tp_traverse, reinterpret_cast<void *>(traverse)},
      {Py_tp_clear, reinterpret_cast<void *>(clear)},
      {Py_tp_repr, reinterpret_cast<void *>(represent)},
      {Py_tp_getset, properties},
      {Py_tp_doc, const_cast<char *>("What as_dtype gives.")},
      {0, nullptr},
  };
  static PyType_Spec spec = {
      "tilewright._runtime.Raw", sizeof(RawObject), 0,
      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  PyObject *type = PyType_FromSpec(&spec);
  Py_XINCREF(type);
  rawType = reinterpret_cast<PyTypeObject *>(type);
  return type;
}
