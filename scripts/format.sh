#!/usr/bin/env bash
# Format the sources (fix) or say what is not formatted (check).
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# usage: format.sh fix|check [FILE...]     (all tracked sources when no file is named)
source "$(dirname "$0")/steps.sh"

[ -x "$venv/bin/ruff" ] || die "ruff is not installed; run \`make setup-dev\` first."
mode=${1:?fix or check}
shift
files=("$@")
[ ${#files[@]} -gt 0 ] || mapfile -t files < <(git ls-files)
mapfile -t cxx < <(printf '%s\n' "${files[@]}" | grep -E '\.(cpp|h)$')
mapfile -t py < <(printf '%s\n' "${files[@]}" | grep -E '\.py$')

case $mode in
fix) cxx_mode=(-i) py_mode=() ruff_fix=(--fix) ;;
check) cxx_mode=(--dry-run -Werror) py_mode=(--check) ruff_fix=() ;;
*) die "usage: format.sh fix|check [FILE...]" ;;
esac

status=0
if [ ${#cxx[@]} -gt 0 ]; then
  "$venv/bin/clang-format" "${cxx_mode[@]}" "${cxx[@]}" || status=1
fi
if [ ${#py[@]} -gt 0 ]; then
  "$venv/bin/ruff" check --quiet "${ruff_fix[@]}" "${py[@]}" || status=1
  "$venv/bin/ruff" format --quiet "${py_mode[@]}" "${py[@]}" || status=1
fi
exit $status
