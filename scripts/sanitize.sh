#!/usr/bin/env bash
# Build everything with a sanitizer and run what it can say something about: the unit tests,
# and the parts of the Python suite that compile, cache, launch and use threads.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# usage: sanitize.sh [address|thread]...     (both where none is named)
#
# LLVM, MLIR and Python are used as installed: what they do inside is not checked, and what
# they do between threads with atomics is not seen, hence scripts/sanitize-thread.supp.
set -euo pipefail
[ $# -gt 0 ] || set -- address thread
if [ $# -gt 1 ]; then
  for kind in "$@"; do "$0" "$kind"; done
  exit
fi
kind=$1
case $kind in address | thread) ;; *)
  echo "usage: sanitize.sh [address|thread]..." >&2
  exit 2
  ;;
esac
export TILEWRIGHT_BUILD_DIR=build-$kind
source "$(dirname "$0")/steps.sh"

[ -f "$build/CMakeCache.txt" ] || step configure-sanitize "Configure ($kind)" \
  cmake -G Ninja -S . -B "$build" -DTILEWRIGHT_SANITIZE="$kind" \
  -DPython_EXECUTABLE="$venv/bin/python"
scripts/build.sh all unit-tests

# The sanitizer's library has to come first, and Python does not bring it. libstdc++ comes
# along: without it the sanitizer finds no __cxa_throw to watch.
library=$([ "$kind" = address ] && echo libasan.so || echo libtsan.so)
preload="$(gcc -print-file-name=$library) $(gcc -print-file-name=libstdc++.so.6)"
# Tests ask for impossible amounts of memory, and fork where there are threads.
common=allocator_may_return_null=1:halt_on_error=1
address=$common:detect_container_overflow=0:abort_on_error=1
export ASAN_OPTIONS=$address:detect_leaks=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=$common:die_after_fork=0:suppressions=$root/scripts/sanitize-thread.supp
# PyTorch's own threads are no business of ours, and slow under TSan.
tests=(test/python/runtime test/python/language/test_semantics_copies.py
  test/python/language/test_semantics_memory.py test/python/language/test_semantics_tiles.py
  test/python/language/test_errors.py test/python/kernels/test_machinery.py)
timed="little_time and not quick and not light and not gil_is_released"

printf '%s: unit tests\n' "$kind"
ASAN_OPTIONS=$address "$venv/bin/python" scripts/run_tests.py unit || failed=1
printf '%s: compiling, caching, launching\n' "$kind"
LD_PRELOAD=$preload PYTHONMALLOC=malloc "$venv/bin/python" scripts/run_tests.py python -- \
  -p no:cacheprovider -k "not $timed" "${tests[@]}" || failed=1
exit ${failed:-0}
