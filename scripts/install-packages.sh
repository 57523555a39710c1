#!/usr/bin/env bash
# Install the Debian packages of debian-packages.txt that are missing; with `dev` those of
# debian-packages-dev.txt too.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Where nothing is missing, this asks dpkg alone: no network, no root.
source "$(dirname "$0")/steps.sh"

command -v dpkg-query >/dev/null ||
  die "this set-up is for Debian 12 and finds no dpkg-query here." \
    "Install what scripts/debian-packages.txt lists by other means, then use CMake as CONTRIBUTING.md says."

lists=(scripts/debian-packages.txt)
[ "${1:-}" != dev ] || lists+=(scripts/debian-packages-dev.txt)
mapfile -t wanted < <(grep -hvE '^(#|$)' "${lists[@]}")
mapfile -t present < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" \
  2>/dev/null | sed -n 's/^installed //p' | sort -u)
mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
  <(printf '%s\n' "${present[@]}"))
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null ||
    die "these Debian packages are missing: ${missing[*]}" \
      "Installing them needs root or sudo. Run as root: apt-get install ${missing[*]}"
  as_root=(sudo)
  # sudo may ask for a password, which a logged step would hide.
  sudo -v
fi
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@"; }

step apt-update "Debian package lists" apt update
for package in "${missing[@]}"; do
  candidate=$(apt-cache policy "$package" | sed -n 's/^  Candidate: //p')
  [ -n "$candidate" ] && [ "$candidate" != "(none)" ] ||
    die "the apt sources of this machine do not offer the package $package." \
      "LLVM 22 is in the suite bookworm-security (component main) of Debian 12, all else in bookworm." \
      "Add the missing suite to /etc/apt/sources.list and run this again."
done
step apt-install "Debian packages (${#missing[@]})" \
  apt install --no-install-recommends "${missing[@]}"
