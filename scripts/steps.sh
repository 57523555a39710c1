# Sourced by the set-up scripts: where things are, and how a step is shown.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
build=${TILEWRIGHT_BUILD_DIR:-$root/build}
venv=$root/.venv
logs=$build/logs
mkdir -p "$logs"

# die MESSAGE [LINE...]
die() {
  printf 'error: %s\n' "$1" >&2
  [ $# -eq 1 ] || printf '  %s\n' "${@:2}" >&2
  exit 1
}

# step NAME LABEL COMMAND...
#
# Runs the command with its output in build/logs/NAME.log. A terminal shows the
# command's last line as it goes, anything else one line every 30 seconds, so that
# neither a person nor a CI log is left wondering. A failure prints the log's end.
step() {
  local name=$1 label=$2 log=$logs/$1.log start=$SECONDS next=$((SECONDS + 30)) line
  shift 2
  printf '%-26s ' "$label"
  if "$@" 2>&1 </dev/null | tee "$log" | while IFS= read -r line; do
    if [ -t 1 ]; then
      printf '\r%-26s %.50s\033[K' "$label" "$line"
    elif [ $SECONDS -ge $next ]; then
      printf '\n    %.90s' "$line"
      next=$((SECONDS + 30))
    fi
  done; then
    [ -t 1 ] && printf '\r%-26s ' "$label" || true
    printf 'done, %d s%s\n' $((SECONDS - start)) "$([ -t 1 ] && printf '\033[K')"
  else
    printf '\n'
    tail -n 40 "$log" >&2
    die "\"$label\" failed; the whole output is in $log"
  fi
}
