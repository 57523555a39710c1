// @NAME@.hpp - @NAME@.h for C++17: typed tensors, handles that close themselves, exceptions
//
// Version @RELEASE@. Written by `tilewright build`; changes belong in what it reads.
#ifndef @UPPER@_HPP
#define @UPPER@_HPP

#include "@NAME@.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>

#ifdef __cpp_exceptions
#include <stdexcept>
#endif

namespace @NAME@ {

using status = @NAME@_status;

#ifdef __cpp_exceptions
/// What a call that fails throws; its code() is the status.
class error : public std::runtime_error {
  status code_;

public:
  error(status code, const char *message) : std::runtime_error(message), code_(code) {}
  status code() const noexcept { return code_; }
};
/// What calls return: nothing, since they throw.
using result = void;
#else
/// What calls return where there are no exceptions.
using result = status;
#endif

namespace detail {
inline result check(status code) {
#ifdef __cpp_exceptions
  if (code != @UPPER@_OK)
    throw error(code, @NAME@_last_error());
#else
  return code;
#endif
}
} // namespace detail

// ---- elements ------------------------------------------------------------------------

/// Elements that C++ has no type for, as their bits.
struct float16 { std::uint16_t bits; };
struct bfloat16 { std::uint16_t bits; };
struct float8_e4m3fn { std::uint8_t bits; };
struct float8_e5m2 { std::uint8_t bits; };
struct float8_e4m3fnuz { std::uint8_t bits; };
struct float8_e5m2fnuz { std::uint8_t bits; };
struct float8_e8m0fnu { std::uint8_t bits; };
/// Two elements, the even one in the low half.
struct float4_e2m1fn_pair { std::uint8_t bits; };

/// How elements of type T are described. Specialise it for types of your own, such as
/// another library's half: `template <> struct element<half> : element<float16> {};`
template <typename T> struct element;
#define @UPPER@_ELEMENT(TYPE, CODE, BITS, LANES)                                               \
  template <> struct element<TYPE> {                                                           \
    static constexpr std::uint8_t code = @UPPER@_DL_##CODE, bits = BITS;                       \
    static constexpr std::uint16_t lanes = LANES;                                              \
  };
@UPPER@_ELEMENT(bool, BOOL, 8, 1)
@UPPER@_ELEMENT(std::int8_t, INT, 8, 1)
@UPPER@_ELEMENT(std::int16_t, INT, 16, 1)
@UPPER@_ELEMENT(std::int32_t, INT, 32, 1)
@UPPER@_ELEMENT(std::int64_t, INT, 64, 1)
@UPPER@_ELEMENT(std::uint8_t, UINT, 8, 1)
@UPPER@_ELEMENT(std::uint16_t, UINT, 16, 1)
@UPPER@_ELEMENT(std::uint32_t, UINT, 32, 1)
@UPPER@_ELEMENT(std::uint64_t, UINT, 64, 1)
@UPPER@_ELEMENT(float, FLOAT, 32, 1)
@UPPER@_ELEMENT(double, FLOAT, 64, 1)
@UPPER@_ELEMENT(float16, FLOAT, 16, 1)
@UPPER@_ELEMENT(bfloat16, BFLOAT, 16, 1)
@UPPER@_ELEMENT(float8_e4m3fn, FLOAT8_E4M3FN, 8, 1)
@UPPER@_ELEMENT(float8_e5m2, FLOAT8_E5M2, 8, 1)
@UPPER@_ELEMENT(float8_e4m3fnuz, FLOAT8_E4M3FNUZ, 8, 1)
@UPPER@_ELEMENT(float8_e5m2fnuz, FLOAT8_E5M2FNUZ, 8, 1)
@UPPER@_ELEMENT(float8_e8m0fnu, FLOAT8_E8M0FNU, 8, 1)
@UPPER@_ELEMENT(float4_e2m1fn_pair, FLOAT4_E2M1FN, 4, 2)
#undef @UPPER@_ELEMENT

// ---- devices -------------------------------------------------------------------------

/// A device that is open: "cpu", "cuda", "hip", or with an architecture.
class device {
  @NAME@_device *handle_ = nullptr;

public:
  explicit device(const char *name) { detail::check(@NAME@_device_open(name, &handle_)); }
  explicit device(const std::string &name) : device(name.c_str()) {}
  device(device &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  device &operator=(device &&other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~device() { @NAME@_device_close(handle_); }

  /// Waits for all of its work.
  result synchronize() const { return detail::check(@NAME@_device_synchronize(handle_)); }
  @NAME@_device_info_v1 info() const {
    @NAME@_device_info_v1 known{};
    known.size = sizeof(known);
    detail::check(@NAME@_device_info(handle_, &known));
    return known;
  }
  @NAME@_device *get() const noexcept { return handle_; }
};

/// Where work is done in order. Without an argument: the default stream of the device that has
/// the tensors.
class stream {
  @NAME@_stream *handle_ = nullptr;

public:
  stream() = default;
  explicit stream(const device &of) { detail::check(@NAME@_stream_create(of.get(), &handle_)); }
  /// A cudaStream_t or hipStream_t, which stays its owner's.
  stream(const device &of, void *native) {
    detail::check(@NAME@_stream_wrap(of.get(), native, &handle_));
  }
  stream(stream &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  stream &operator=(stream &&other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~stream() { @NAME@_stream_destroy(handle_); }

  result synchronize() const { return detail::check(@NAME@_stream_synchronize(handle_)); }
  @NAME@_stream *get() const noexcept { return handle_; }
};

/// Memory of a device for `size` elements.
template <typename T> class buffer {
  const device *device_;
  void *memory_ = nullptr;
  std::size_t size_;

public:
  buffer(const device &of, std::size_t size) : device_(&of), size_(size) {
    detail::check(@NAME@_memory_allocate(of.get(), size * sizeof(T), &memory_));
  }
  buffer(buffer &&other) noexcept
      : device_(other.device_), memory_(std::exchange(other.memory_, nullptr)),
        size_(other.size_) {}
  buffer &operator=(buffer &&) = delete;
  ~buffer() {
    if (memory_)
      @NAME@_memory_free(device_->get(), memory_);
  }

  T *data() const noexcept { return static_cast<T *>(memory_); }
  std::size_t size() const noexcept { return size_; }
  /// From and to memory of the host; done when the call returns, but for one on a stream.
  result upload(const T *from, const stream &on = {}) const {
    return detail::check(
        @NAME@_memory_copy(device_->get(), on.get(), memory_, from, size_ * sizeof(T)));
  }
  result download(T *to, const stream &on = {}) const {
    return detail::check(
        @NAME@_memory_copy(device_->get(), on.get(), to, memory_, size_ * sizeof(T)));
  }
  const device &owner() const noexcept { return *device_; }
};

// ---- tensors -------------------------------------------------------------------------

/// A view of a tensor: it owns its shape, not its elements.
class tensor {
  static constexpr int most = 16;
  @NAME@_tensor view_{};
  std::int64_t shape_[most] = {}, strides_[most] = {};

  using list = std::initializer_list<std::int64_t>;

  /// Copies sizes or strides; how many there are, which may be more than are copied.
  template <typename S> static std::int32_t copy(std::int64_t *to, const S &from) {
    std::int32_t count = 0;
    for (std::int64_t value : from) {
      if (count < most)
        to[count] = value;
      ++count;
    }
    return count;
  }
  /// A rank that the call refuses, where nothing can be thrown.
  static std::int32_t refuse() {
#ifdef __cpp_exceptions
    throw error(@UPPER@_ERROR_INVALID, "a tensor has as many strides as sizes, or none");
#else
    return -1;
#endif
  }

public:
  /// Elements in the host's memory. Sizes, and strides in elements, are lists or containers of
  /// integers; contiguous where strides are left out.
  template <typename T, typename S = list, typename R = list,
            typename = std::enable_if_t<!std::is_same_v<R, device>>>
  tensor(T *data, const S &shape, const R &strides = {}) {
    using E = element<std::remove_const_t<T>>;
    view_.data = const_cast<std::remove_const_t<T> *>(data);
    view_.device_type = 1;
    view_.type_code = E::code, view_.type_bits = E::bits, view_.type_lanes = E::lanes;
    view_.rank = copy(shape_, shape); // too many are refused by the call
    view_.shape = shape_;
    if (std::int32_t count = copy(strides_, strides)) {
      view_.strides = strides_;
      view_.rank = count == view_.rank ? count : refuse();
    }
  }
  /// Elements in a device's memory.
  template <typename T, typename S = list, typename R = list>
  tensor(T *data, const S &shape, const device &of, const R &strides = {})
      : tensor(data, shape, strides) {
    const auto info = of.info();
    view_.device_type = info.device_type, view_.device_id = info.device_id;
  }
  template <typename T, typename S = list>
  tensor(const buffer<T> &memory, const S &shape)
      : tensor(memory.data(), shape, memory.owner()) {}
  /// A DLTensor of DLPack, whose layout this is; its shape must live as long.
  static tensor from_dlpack(const void *dl_tensor) {
    tensor made;
    made.view_ = *static_cast<const @NAME@_tensor *>(dl_tensor);
    return made;
  }
  tensor(const tensor &other) { *this = other; }
  tensor &operator=(const tensor &other) {
    view_ = other.view_;
    for (int i = 0; i < most; ++i)
      shape_[i] = other.shape_[i], strides_[i] = other.strides_[i];
    if (other.view_.shape == other.shape_)
      view_.shape = shape_;
    if (other.view_.strides == other.strides_)
      view_.strides = strides_;
    return *this;
  }

  const @NAME@_tensor *get() const noexcept { return &view_; }

private:
  tensor() = default;
};

// ---- kernels -------------------------------------------------------------------------
//
// @NAME@.h says what streams and builds are. Beside each function, _explain says which build
// a call would take and why, and _workspace how many bytes it would allocate, which
// _with_workspace takes from the caller: where the kernel runs, from a multiple of 64 on.

/// From here on the function has this build alone; all where it is null.
inline result choose(const char *function, const char *build) {
  return detail::check(@NAME@_choose(function, build));
}

@FUNCTIONS@

} // namespace @NAME@

#endif // @UPPER@_HPP
