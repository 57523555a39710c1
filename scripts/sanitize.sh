#!/usr/bin/env bash
# Build everything with a sanitizer and run what it can say something about: the unit tests,
# and the parts of the Python suite that compile, cache, launch and use threads. The last line
# of each is `KIND: N passed, N failed, N skipped`. A report counts as a failure, also where
# the process that wrote it was expected to fail.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# usage: sanitize.sh [address|thread]...     (both where none is named)
#
# LLVM, MLIR and Python are used as installed: what they do inside is not checked, and what
# they do between threads with atomics is not seen, hence scripts/sanitize-thread.supp. The
# machine code of CPU kernels is checked by AddressSanitizer (backends/Machine.cpp), not by
# ThreadSanitizer, for which docs/checking.md has the reasons.
set -euo pipefail
[ $# -gt 0 ] || set -- address thread
cd "$(dirname "$0")/.."
if [ $# -gt 1 ]; then
  for kind in "$@"; do scripts/sanitize.sh "$kind" || failed=1; done
  for kind in "$@"; do cat "build-$kind/logs/sanitize.txt"; done
  exit ${failed:-0}
fi
kind=$1
case $kind in address | thread) ;; *)
  echo "usage: sanitize.sh [address|thread]..." >&2
  exit 2
  ;;
esac
export TILEWRIGHT_BUILD_DIR=build-$kind
source scripts/steps.sh
echo "$kind: not built" >"$logs/sanitize.txt"

[ -f "$build/CMakeCache.txt" ] || step configure-sanitize "Configure ($kind)" \
  cmake -G Ninja -S . -B "$build" -DTILEWRIGHT_SANITIZE="$kind" \
  -DPython_EXECUTABLE="$venv/bin/python"
scripts/build.sh all unit-tests

# The sanitizer's library has to come first, and Python does not bring it. libstdc++ comes
# along: without it the sanitizer finds no __cxa_throw to watch.
library=$([ "$kind" = address ] && echo libasan.so || echo libtsan.so)
preload="$(gcc -print-file-name=$library) $(gcc -print-file-name=libstdc++.so.6)"
# Tests ask for impossible amounts of memory, and fork where there are threads.
common=allocator_may_return_null=1:halt_on_error=1:log_path=$logs/report
# LLVM's allocators poison what is free in the code that we instantiate, and its own half,
# which is not instrumented, writes there.
address=$common:detect_container_overflow=0:allow_user_poisoning=0:abort_on_error=1
export ASAN_OPTIONS=$address:detect_leaks=0
export LSAN_OPTIONS=suppressions=$root/scripts/sanitize-leak.supp
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:log_path=$logs/report
# LLVM locks a mutex inside, where it is not seen, and unlocks it in code of its headers; and
# after a crash it jumps out of the signal's handler, on purpose.
threads=$common:die_after_fork=0:report_mutex_bugs=0:report_signal_unsafe=0
export TSAN_OPTIONS=$threads:suppressions=$root/scripts/sanitize-thread.supp
# PyTorch's own threads are no business of ours, and slow under TSan.
tests=(test/python/runtime test/python/language/test_semantics_copies.py
  test/python/language/test_semantics_memory.py test/python/language/test_semantics_tiles.py
  test/python/language/test_errors.py test/python/kernels/test_machinery.py
  test/python/kernels/test_streaming.py test/python/kernels/test_small_grids.py
  test/python/kernels/test_split_loops.py test/python/kernels/test_woven.py)
# A program of the test's own, without a sanitizer, cannot hold the library's objects.
tests+=("--deselect=test/python/runtime/test_abi_doc.py::test_the_example[static]")
# Ours needs libc alone, and the sanitizer's; what it exports says nothing of either.
tests+=("--deselect=test/python/runtime/test_symbols.py")
# What JAX's own threads do is no business of ours either, and TSan stops at it.
[ "$kind" = address ] ||
  tests+=("--deselect=test/python/runtime/test_launch_libraries.py::test_jax")
timed="little_time and not quick and not light and not gil_is_released"

rm -f "$logs"/report.* "$logs"/test-*.count
printf '%s: unit tests\n' "$kind"
ASAN_OPTIONS=$address "$venv/bin/python" scripts/run_tests.py unit || true
printf '%s: compiling, caching, launching\n' "$kind"
LD_PRELOAD=$preload PYTHONMALLOC=malloc "$venv/bin/python" scripts/run_tests.py python -- \
  -vv -p no:cacheprovider -k "not $timed" "${tests[@]}" || true

# What is only said in passing, such as that an allocation was refused, is no report.
error="ERROR: |WARNING: ThreadSanitizer|runtime error: "
reports=0
for report in "$logs"/report.*; do
  grep -qsE "$error" "$report" || continue
  reports=$((reports + 1))
  [ $reports -gt 5 ] || printf '\n%s\n%s\n' "$report" "$(head -n 40 "$report")"
done
awk -v kind="$kind" -v reports=$reports '
  { passed += $1; failed += $3; skipped += $5 }
  END {
    printf "%s: %d passed, %d failed, %d skipped\n", kind, passed, failed + reports, skipped
    exit passed == 0 || failed + reports > 0
  }' "$logs/test-unit.count" "$logs/test-python.count" | tee "$logs/sanitize.txt"
