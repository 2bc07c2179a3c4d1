#!/usr/bin/env bash
# Runs every check of the project: installs packages, lints, tests under sanitizers, measures line coverage, builds with
# nvcc, and at last builds the release and tests it. Ends with a status other than 0 if any of them fails.
set -euo pipefail
cd "$(dirname "$0")/.."

stage() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }

# Configures, builds and tests one preset of CMakePresets.json; further arguments go to the configuration.
check() {
  local preset=$1
  shift
  cmake --preset "$preset" -DCUONN_TESTS=ON "$@"
  cmake --build --preset "$preset" -- -j2
  ctest --preset "$preset" --output-on-failure -j2
}

# The kernels and the cuda backend as nvcc builds them, warnings and register spills being errors. There need be no GPU:
# what runs is what the program does without one, and the installed library in somebody else's program.
check_cuda() {
  local toolkit
  toolkit=$(scripts/cuda-toolkit.sh)
  cmake --fresh --preset cuda-ci -DCUONN_TESTS=ON -DCMAKE_CUDA_COMPILER="$toolkit/bin/nvcc" \
    -DCUDAToolkit_ROOT="$toolkit"
  cmake --build --preset cuda-ci --target cuonn cuonn_shared -- -j2
  CUDAToolkit_ROOT=$toolkit ctest --preset cuda-ci --output-on-failure -R '^(cli.device|consumer.installed)$'
}

stage packages
scripts/install-packages.sh tests

stage lint
scripts/lint.sh

stage sanitizers
check sanitize

# Without tests that take long and reach next to no line that the others leave out (CMakePresets.json): the stages
# before and after this one run them.
stage coverage
find build -path 'build/coverage/*.gcda' -delete 2>/dev/null || true # counts of an earlier run
check coverage
gcovr --root . --filter src/ --object-directory build/coverage --exclude-unreachable-branches --print-summary \
  build/coverage/src

stage cuda
check_cuda

stage fuzz
cmake --preset fuzz
cmake --build --preset fuzz -- -j2
ctest --preset fuzz --output-on-failure -j2

stage python
scripts/python.sh

stage release
check release -DCUONN_MPI=ON -DCUONN_PYTHON="$PWD/build/python"
