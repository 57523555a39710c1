#!/usr/bin/env bash
# Make .venv and install the pinned packages of one lock file into it.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# usage: make-venv.sh runtime|dev
#
# A stamp in .venv holds the hash of what was installed, so that an unchanged lock
# file costs nothing. The packages of `dev` contain those of `runtime`.
source "$(dirname "$0")/steps.sh"

hash=$(cat requirements*.lock | sha256sum)

# Whether the packages of a group are in, at the versions the lock files name now.
installed() { [ "$(cat "$venv/.installed-$1" 2>/dev/null)" = "$hash" ]; }

# install GROUP LABEL LOCK: the packages of a lock file, unless they are in.
install() {
  if ! installed "$1"; then
    step "pip-$1" "$2" "$venv/bin/python" -m pip install --disable-pip-version-check -r "$3"
    echo "$hash" >"$venv/.installed-$1"
  fi
}

# Whether the machine has a program of the CUDA toolkit.
in_toolkit() {
  command -v "$1" >/dev/null || [ -x "${CUDA_HOME:-/usr/local/cuda}/bin/$1" ]
}

# A .venv that was moved or whose interpreter went away is made anew.
if ! "$venv/bin/python" -c '' 2>/dev/null || ! grep -qF "$venv" "$venv/bin/activate"; then
  step venv "Python environment" /usr/bin/python3 -m venv --clear "$venv"
fi

case ${1:?runtime or dev} in
runtime) installed dev || install runtime "Python packages" requirements.lock ;;
dev)
  install dev "Python packages (dev)" requirements-dev.lock
  install compilers "Python packages (compilers)" requirements-compilers.lock
  # Every PTX of the tests is assembled, and CUDA programs are compiled for the emulator, by
  # the CUDA toolkit where there is one.
  if ! in_toolkit ptxas || ! in_toolkit nvcc; then
    install ptxas "Python packages (ptxas)" requirements-ptxas.lock
  fi
  ;;
*) die "usage: make-venv.sh runtime|dev" ;;
esac

# The package is used from the source tree, where the build's extensions find it.
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$root/python" >"$site/tilewright.pth"
cat >"$venv/bin/tilewright" <<SCRIPT
#!$venv/bin/python
import sys
from tilewright.cli import main
sys.exit(main())
SCRIPT
chmod +x "$venv/bin/tilewright"
