#!/usr/bin/env bash
# Style and static analysis: clang-format on all C files, clang-tidy on the sources, shellcheck on the scripts.
set -euo pipefail
cd "$(dirname "$0")/.."

find src include tests bench \( -name '*.[ch]' -o -name '*.inc' \) -print0 | xargs -0 clang-format --dry-run -Werror
find scripts tests .ci -type f \( -name '*.sh' -o -path .ci/run \) -print0 | xargs -0 shellcheck --severity=warning

# clang-tidy reads the compile commands of a configured build. Clang has no omp.h of its own: it is shown that of gcc.
cmake --preset debug -DCUONN_TESTS=OFF
mkdir -p build/lint
ln -sf "$(gcc -print-file-name=include)/omp.h" build/lint/omp.h
find src -name '*.c' -print0 | xargs -0 -n1 -P2 clang-tidy --quiet -p build/debug --extra-arg=-isystem"$PWD/build/lint"
echo "lint: passed"
