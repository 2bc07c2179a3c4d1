#!/usr/bin/env bash
# Prints the folder of a CUDA toolkit, 13.0 or later, with nvcc, cuFFT and cuBLAS: of the nvcc on the PATH, else
# /usr/local/cuda, else one made of NVIDIA's packages on PyPI in build/cuda-toolkit. Says on stderr which it is.
#   root=$(scripts/cuda-toolkit.sh)
#   cmake --preset cuda -DCMAKE_CUDA_COMPILER="$root/bin/nvcc" -DCUDAToolkit_ROOT="$root"
# It needs python3 with venv where it installs.
set -euo pipefail
cd "$(dirname "$0")/.."

# Versions that belong together: CUDA 13.0, update 2.
packages=(
  nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-runtime==13.0.96
  nvidia-cuda-cccl==13.0.85 nvidia-nvtx==13.0.85 nvidia-cufft==12.0.0.61 nvidia-cublas==13.1.0.3
)

say() { echo "cuda: $*" >&2; }

# take ROOT NAME: ends the script if that is a toolkit that will do.
take() {
  local root=$1 release
  [ -x "$root/bin/nvcc" ] || return 0
  release=$("$root/bin/nvcc" --version | sed -n 's/.*release \([0-9]*\).*/\1/p')
  if [ "${release:-0}" -lt 13 ] || [ ! -e "$root/include/cufft.h" ] || [ ! -e "$root/include/cublas_v2.h" ]; then
    say "$2 is older than CUDA 13.0, or without cuFFT or cuBLAS: not used"
    return 0
  fi
  say "using $2"
  echo "$root"
  exit
}

nvcc=$(command -v nvcc || true)
if [ "$nvcc" ]; then take "$(dirname "$(dirname "$(realpath "$nvcc")")")" "the toolkit of $nvcc"; fi
take /usr/local/cuda "/usr/local/cuda"

# The packages share one tree, which lacks the names that a linker and CMake look for.
venv=$PWD/build/cuda-toolkit
if [ "$(cat "$venv/packages" 2>/dev/null)" != "${packages[*]}" ]; then
  say "installing ${packages[*]}"
  rm -rf "$venv"
  python3 -m venv "$venv" >&2
  "$venv/bin/pip" install --quiet --no-deps --no-compile --disable-pip-version-check "${packages[@]}" >&2
  tree=$(echo "$venv"/lib/python3*/site-packages/nvidia/cu13)
  for library in "$tree"/lib/*.so.*; do ln -s "${library##*/}" "${library%.so.*}.so"; done
  ln -s lib "$tree/lib64"
  ln -s "$tree" "$venv/toolkit"
  echo "${packages[*]}" >"$venv/packages"
fi
take "$venv/toolkit" "the packages of PyPI in build/cuda-toolkit"
say "the installed packages do not make a toolkit"
exit 1
