#!/usr/bin/env bash
# Style and static analysis: clang-format on all C files, clang-tidy on the sources, shellcheck on the scripts.
set -euo pipefail
cd "$(dirname "$0")/.."

find . -path ./build -prune -o \( -name '*.[ch]' -o -name '*.cpp' -o -name '*.cu' \) -print0 |
  xargs -0 clang-format --dry-run -Werror
find scripts tests bundle .ci -type f \( -name '*.sh' -o -path .ci/run \) -print0 |
  xargs -0 shellcheck --severity=warning

# clang-tidy reads the compile commands of a configured build: with the tests, because they compile the cuda backend
# without CUDA; and with MPI.
cmake --preset debug -DCUONN_TESTS=ON -DCUONN_MPI=ON
find src -name '*.c' -print0 | xargs -0 -n1 -P2 clang-tidy --quiet -p build/debug
echo "lint: passed"
