#!/usr/bin/env bash
# Configure (once) and build everything with CMake, Ninja and ccache.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# usage: build.sh [NINJA-TARGET...]
source "$(dirname "$0")/steps.sh"

# Ninja runs CMake again by itself when a CMakeLists.txt changes; what it cannot see
# is another Python, hence the stamp.
stamp=$build/.configured
configuration="$venv/bin/python $(sha256sum requirements.lock)"
if ! [ -f "$build/build.ninja" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$configuration" ]; then
  step configure "Configure" cmake -G Ninja -S . -B "$build" \
    -DPython_EXECUTABLE="$venv/bin/python" \
    -Dpybind11_DIR="$("$venv/bin/python" -m pybind11 --cmakedir)"
  echo "$configuration" >"$stamp"
fi
step build "Build" ninja -C "$build" -j "$(nproc)" "$@"
