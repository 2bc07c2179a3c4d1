#!/usr/bin/env bash
# Installs the Debian packages that cuONN needs.
#   scripts/install-packages.sh         what building and running the program needs
#   scripts/install-packages.sh tests   also what the tests and checks need
# Works as root and through sudo; asks nothing; does nothing when all are there.
set -euo pipefail

program=(
  gcc libc6-dev cmake ninja-build pkg-config
  libyaml-dev libnetcdf-dev libopenblas-dev liblapacke-dev librandom123-dev
  zlib1g-dev libdeflate-dev libxxhash-dev libjansson-dev
  dataset-fashion-mnist
  gnuplot-nox # draws for plot, report and bench, as a program of its own
)
[[ $(uname -m) == x86_64 ]] && program+=(libxsmm-dev) # it makes machine code of no other processor
tests=(
  make # HDF5 (scripts/netcdf.sh)
  g++ libboost-context-dev libcmocka-dev netcdf-bin libxml2-utils
  libopenmpi-dev openmpi-bin # sweeps on processes of MPI
  jq zsh fish # what the tests of JSON and of completion run
  python3 python3-venv # python3: faults; python3-venv: CUDA's compiler from PyPI where the machine has none
  python3-xarray python3-netcdf4 python3-sklearn # the lines of docs/own-data.md
  # clang, libclang-rt-dev: fuzzing; libomp-dev: clang's omp.h
  clang clang-format clang-tidy libclang-rt-dev libomp-dev gcovr shellcheck
)

case "${1-}" in
  "") wanted=("${program[@]}") ;;
  tests) wanted=("${program[@]}" "${tests[@]}") ;;
  *)
    echo "usage: scripts/install-packages.sh [tests]" >&2
    exit 2
    ;;
esac

if ! command -v apt-get >/dev/null; then
  echo "This script knows Debian's apt only. Install what stands in docs/dependencies.md by other means." >&2
  exit 1
fi

missing=()
for package in "${wanted[@]}"; do
  # shellcheck disable=SC2016 # ${...} is dpkg-query's own notation
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "packages: all ${#wanted[@]} are there"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing: ${missing[*]}. Run this script as root, or install sudo." >&2
    exit 1
  fi
  as_root=(sudo)
fi

# apt-get, once more after a pause if a mirror or the network stumbles.
apt() {
  local command=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq -y "$@")
  "${command[@]}" </dev/null || { sleep 10 && "${command[@]}" </dev/null; }
}

echo "packages: installing ${missing[*]}"
apt update
apt install --no-install-recommends "${missing[@]}"
