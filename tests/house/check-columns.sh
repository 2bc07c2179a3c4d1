#!/usr/bin/env bash
# No line of a source, script or CMakeLists.txt is longer than 120 columns.
#   check-columns.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"
export LC_ALL=C.UTF-8 # characters, not bytes

folders=()
for folder in .ci bench bundle cmake include kernels scripts src tests; do
  [ ! -d "$folder" ] || folders+=("$folder")
done
mapfile -t files < <(find CMakeLists.txt "${folders[@]}" -type f \( -name '*.[ch]' -o -name '*.[ch].in' -o \
  -name '*.cu' -o -name '*.cuh' -o -name '*.cpp' -o -name '*.sh' -o -name '*.cmake' -o -name CMakeLists.txt -o \
  -path .ci/run \) | sort)
if grep -nHP '^.{121}' "${files[@]}"; then exit 1; fi
echo "${#files[@]} files: no line is longer than 120 columns"
