// Calls every kernel of libdsk from C++ and compares what it writes with stored
// references.
//
// usage: check_cpp REFERENCES [DEVICE]
//
// REFERENCES is a folder that references.py wrote. All tensors are in the memory of
// DEVICE
// ("cpu", "cuda", "hip-emulator:gfx942", ...), and the kernels run on a stream of its.
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dsk.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

using bf16 = dsk::bfloat16;
using f8 = dsk::float8_e4m3fn;
using std::int32_t, std::int64_t, std::string;

static double number(float value) { return value; }
static double number(int32_t value) { return value; }
static double number(bf16 value) {
  const std::uint32_t bits = std::uint32_t{value.bits} << 16;
  float number;
  std::memcpy(&number, &bits, sizeof(number));
  return number;
}

/// An array of a file.
template <typename T> struct array {
  std::vector<int64_t> shape;
  std::vector<T> elements;

  /// Raises runtime_error where the file has no elements of type T.
  explicit array(const string &path) {
    std::ifstream file(path, std::ios::binary);
    int64_t head[8];
    if (!file.read(reinterpret_cast<char *>(head), sizeof(head)))
      throw std::runtime_error("cannot read " + path);
    if (head[0] != dsk::element<T>::code || head[1] != dsk::element<T>::bits)
      throw std::runtime_error(path + " has elements of another type");
    shape.assign(head + 3, head + 3 + head[2]);
    elements.resize(
        std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>()));
    file.read(reinterpret_cast<char *>(elements.data()), elements.size() * sizeof(T));
    if (!file)
      throw std::runtime_error(path + " is too short");
  }
};

/// One call of a function with the arguments in a folder.
class call {
  string folder;
  const dsk::device &device;
  const dsk::stream &stream;
  std::vector<std::shared_ptr<void>> memory;
  // The errors of outputs as shares of their bounds, once they are written.
  std::vector<std::function<double()>> errors;

  template <typename T> const dsk::buffer<T> &allocate(std::size_t size) {
    auto made = std::make_shared<dsk::buffer<T>>(device, size);
    memory.push_back(made);
    return *made;
  }
  string path(const string &file) const { return folder + "/" + file + ".bin"; }

public:
  /// The build that was taken, and for what.
  string explained;

  call(string folder, const dsk::device &device, const dsk::stream &stream)
      : folder(std::move(folder)), device(device), stream(stream) {}

  float scalar(const string &name) const { return array<float>(path(name)).elements[0]; }

  template <typename T> dsk::tensor in(const string &name) {
    const array<T> given(path(name));
    const auto &buffer = allocate<T>(given.elements.size());
    buffer.upload(given.elements.data());
    return {buffer, given.shape};
  }

  /// An output of the reference's shape, all bits set: not a number until it is written.
  template <typename T> dsk::tensor out(const string &name) {
    auto value = std::make_shared<array<double>>(path(name + ".value"));
    auto bound = std::make_shared<array<double>>(path(name + ".bound"));
    const std::size_t size = value->elements.size();
    const auto &buffer = allocate<T>(size);
    std::vector<T> written(size);
    std::memset(static_cast<void *>(written.data()), 0xff, size * sizeof(T));
    buffer.upload(written.data());
    errors.push_back([&buffer, value, bound, written]() mutable {
      buffer.download(written.data());
      double worst = 0;
      for (std::size_t i = 0; i < written.size(); ++i) {
        const double got = number(written[i]), wanted = value->elements[i];
        const double share =
            got == wanted ? 0 : std::abs(got - wanted) / bound->elements[i];
        // Of a wrong infinity or a NaN the error is infinite.
        worst = std::isnan(share) ? std::numeric_limits<double>::infinity()
                                  : std::max(worst, share);
      }
      return worst;
    });
    return {buffer, value->shape};
  }

  /// Asks which build `function` takes for the arguments, and runs it.
  template <typename Explain, typename Function, typename... Arguments>
  void run(Explain explain, Function function, const Arguments &...arguments) {
    explained = explain(arguments..., stream);
    explained = explained.substr(0, explained.find(',')); // why comes after a comma
    function(arguments..., stream);
    stream.synchronize();
  }

  /// The largest error of an element as a share of its bound.
  double error() {
    double worst = 0;
    for (auto &one : errors)
      worst = std::max(worst, one());
    return worst;
  }
};

static void mla_decode(call &c) {
  c.run(dsk::mla_decode_explain, dsk::mla_decode, c.in<bf16>("Q"), c.in<bf16>("Cache"),
        c.in<int32_t>("Lengths"), c.in<int32_t>("Table"), c.scalar("scale_log2"),
        c.out<bf16>("Out"), c.out<float>("Lse"));
}

static void sparse_mla(call &c) {
  c.run(dsk::sparse_mla_explain, dsk::sparse_mla, c.in<bf16>("Q"), c.in<bf16>("KV"),
        c.in<int32_t>("Indices"), c.in<int32_t>("Length"), c.in<float>("Sink"),
        c.scalar("scale_log2"), c.out<bf16>("Out"), c.out<float>("MaxLogits"),
        c.out<float>("Lse"));
}

template <typename T> static void indexer(call &c) {
  c.run(dsk::indexer_explain, dsk::indexer, c.in<T>("Q"), c.in<T>("Cache"),
        c.in<float>("Scale"), c.in<float>("Weights"), c.in<int32_t>("Starts"),
        c.in<int32_t>("Ends"), c.in<int32_t>("Table"), c.out<float>("Logits"));
}

static void topk(call &c) {
  c.run(dsk::topk_explain, dsk::topk, c.in<float>("X"), c.in<int32_t>("Starts"),
        c.in<int32_t>("Ends"), c.out<int32_t>("Indices"));
}

static void moe_gate(call &c) {
  c.run(dsk::moe_gate_explain, dsk::moe_gate, c.in<float>("Logits"), c.in<float>("Bias"),
        c.out<float>("Weights"), c.out<int32_t>("Ids"));
}

static void grouped_gemm(call &c) {
  c.run(dsk::grouped_gemm_explain, dsk::grouped_gemm, c.in<bf16>("A"), c.in<bf16>("B"),
        c.in<int32_t>("Offsets"), c.out<bf16>("C"));
}

static void swiglu(call &c) {
  c.run(dsk::swiglu_explain, dsk::swiglu, c.in<bf16>("X"), c.out<bf16>("Out"));
}

static void moe_combine(call &c) {
  c.run(dsk::moe_combine_explain, dsk::moe_combine, c.in<bf16>("Rows"),
        c.in<float>("Weights"), c.in<int32_t>("Positions"), c.in<bf16>("Addend"),
        c.out<bf16>("Out"));
}

struct kernel {
  const char *name; // FUNCTION-BUILD
  void (*run)(call &);
};

static constexpr kernel kernels[] = {
    {"mla_decode-h16", mla_decode},
    {"mla_decode-h128", mla_decode},
    {"sparse_mla-h16", sparse_mla},
    {"sparse_mla-h128", sparse_mla},
    {"indexer-f8", indexer<f8>},
    {"indexer-bf16", indexer<bf16>},
    {"topk-default", topk},
    {"moe_gate-v2lite", moe_gate},
    {"moe_gate-v3", moe_gate},
    {"grouped_gemm-gate_up", grouped_gemm},
    {"grouped_gemm-down", grouped_gemm},
    {"swiglu-v2lite", swiglu},
    {"swiglu-v3", swiglu},
    {"moe_combine-v2lite", moe_combine},
    {"moe_combine-v3", moe_combine},
};

static int check(const string &references, const char *name) {
  const dsk::device device(name);
  const dsk::stream stream(device);
  std::size_t right = 0;
  double worst = 0;
  for (const kernel &one : kernels) {
    call c(references + "/" + one.name, device, stream);
    one.run(c);
    const double error = c.error();
    std::printf("%-60s error / bound %.3f\n", c.explained.c_str(), error);
    right += error <= 1;
    worst = std::max(worst, error);
  }
  std::printf("C++ on %s: %zu of %zu calls of libdsk are within their bounds, the worst "
              "at %.3f\n",
              name, right, std::size(kernels), worst);
  return right == std::size(kernels) ? 0 : 1;
}

int main(int argc, char **argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: %s REFERENCES [DEVICE]\n", argv[0]);
    return 2;
  }
  try {
    return check(argv[1], argc == 3 ? argv[2] : "cpu");
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
