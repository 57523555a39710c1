//===- Buffer.h - Memory and text that grow ----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_BUFFER_H
#define TILEWRIGHT_RUNTIME_SRC_BUFFER_H

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tilewright {

/// Elements that can be copied as bytes; zero at first. Owns its memory.
template <typename T> class Array {
  T *elements = nullptr;
  size_t count = 0, capacity = 0;

public:
  Array() = default;
  Array(const Array &) = delete;
  Array &operator=(const Array &) = delete;
  ~Array() { free(elements); }

  /// Makes it `size` elements, all zero; false, and none, where there is no memory.
  bool reset(size_t size) {
    free(elements);
    elements = static_cast<T *>(calloc(size ? size : 1, sizeof(T)));
    count = capacity = elements ? size : 0;
    return elements;
  }
  bool push(const T &element) {
    if (count == capacity) {
      size_t more = capacity ? 2 * capacity : 16;
      void *grown = realloc(static_cast<void *>(elements), more * sizeof(T));
      if (!grown)
        return false;
      elements = static_cast<T *>(grown), capacity = more;
    }
    elements[count++] = element;
    return true;
  }
  void pop() { --count; }
  void clear() { count = 0; }
  size_t size() const { return count; }
  T *data() { return elements; }
  const T *data() const { return elements; }
  T &operator[](size_t index) { return elements[index]; }
  const T &operator[](size_t index) const { return elements[index]; }
};

/// A text that grows. Where there is no memory it ends early.
class Buffer {
  Array<char> bytes;

public:
  [[gnu::format(printf, 2, 3)]] Buffer &add(const char *format, ...) {
    va_list list;
    va_start(list, format);
    char *text = nullptr;
    int length = vasprintf(&text, format, list);
    va_end(list);
    for (int i = 0; i < length; ++i)
      bytes.push(text[i]);
    if (length >= 0)
      free(text);
    return *this;
  }
  /// `text` as a JSON string.
  Buffer &addQuoted(const char *text) {
    bytes.push('"');
    for (; *text; ++text) {
      auto byte = static_cast<unsigned char>(*text);
      if (byte < 32)
        add("\\u%04x", byte);
      else {
        if (byte == '"' || byte == '\\')
          bytes.push('\\');
        bytes.push(*text);
      }
    }
    bytes.push('"');
    return *this;
  }
  /// The text, until more is added.
  const char *text() {
    if (!bytes.push(0))
      return "";
    bytes.pop();
    return bytes.data();
  }
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_BUFFER_H
