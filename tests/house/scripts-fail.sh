#!/usr/bin/env bash
# Shows that scripts/test.sh fails when any tool that it calls fails: runs it with stand-ins for the tools, first all
# good, then with the first, second, ... call of each tool failing.
#   scripts-fail.sh FOLDER    a folder for the stand-ins
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1
tools="dpkg-query cmake ctest clang-format clang-tidy shellcheck gcovr nvcc python.sh"

rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/include" "$folder/tree/.ci" "$folder/tree/src" "$folder/tree/tests" \
  "$folder/tree/include" "$folder/tree/bench" "$folder/tree/bundle"
cp -r "$root/scripts" "$folder/tree/"
cp "$root/.ci/run" "$folder/tree/.ci/"
echo >"$folder/tree/src/a.c"
touch "$folder/include/cufft.h" "$folder/include/cublas_v2.h" # the folder is nvcc's toolkit
for tool in $tools; do
  cat >"$folder/bin/$tool" <<'STAND_IN'
#!/usr/bin/env bash
tool=$(basename "$0")
calls=$FOLDER/calls-$tool
echo "$*" >>"$calls"
[ "$tool" != dpkg-query ] || echo installed
[ "$tool" != nvcc ] || echo release 13.0
[ "$tool $(wc -l <"$calls")" != "$BROKEN" ]
STAND_IN
  chmod +x "$folder/bin/$tool"
done
mv "$folder/bin/python.sh" "$folder/tree/scripts/" # which would install gigabytes
export FOLDER=$folder

# Runs everything with one call broken ("tool number", or "none").
everything() {
  rm -f "$folder"/calls-*
  BROKEN=$1 PATH=$folder/bin:$PATH "$folder/tree/.ci/run" >"$folder/output" 2>&1 </dev/null
}

everything none || { cat "$folder/output" && exit 1; }
[ "$(wc -l <"$folder/calls-ctest")" -eq 5 ] || { echo "ctest was not called five times" && exit 1; }
cp "$folder"/calls-* "$folder/bin/"
for tool in cmake ctest clang-format clang-tidy shellcheck gcovr python.sh; do
  calls=$(wc -l <"$folder/bin/calls-$tool")
  for call in $(seq "$calls"); do
    if everything "$tool $call"; then
      echo "a failure of $tool, call $call of $calls, goes unnoticed"
      exit 1
    fi
  done
  echo "$tool: each of $calls failures is noticed"
done
