#!/usr/bin/env bash
# Looks for faults for hours (docs/reliability.md): every call of the system fails, allocations fail and runs are killed
# where chance says, and libFuzzer's targets get any bytes.
#   scripts/campaign.sh HOURS [SEED]
# Writes counts and logs to build/campaign; ends with 1 if anything was found.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ! ${1-} =~ ^[0-9]*\.?[0-9]+$ || ! ${2-1} =~ ^[0-9]+$ ]]; then
  echo "usage: scripts/campaign.sh HOURS [SEED]" >&2
  exit 2
fi
seconds=$(awk -v hours="$1" 'BEGIN { printf "%d", 3600 * hours }')
seed=${2:-$(date +%s)}

cmake --preset release -DCUONN_TESTS=ON
cmake --build --preset release --target cuonn cuonn_faults
cmake --preset fuzz
cmake --build --preset fuzz
logs=build/campaign
mkdir -p "$logs"
rm -f "$logs"/*.log "$logs"/finding-*
end=$(($(date +%s) + seconds))

# faults KIND ARGUMENT...: calls that fail, and kills.
faults() {
  PYTHONDONTWRITEBYTECODE=1 python3 tests/faults/campaign.py build/release/src/cli/cuonn \
    build/release/tests/faults/libcuonn_faults.so "$@" --seed "$seed" > "$logs/$1.log" 2>&1
}

# fuzz NAME: one target, begun again with another seed after each finding. What is new goes to build/campaign/corpus.
fuzz() {
  local left round=0
  local seeds=("tests/faults/fuzz/corpus/$1")
  if [[ $1 == config ]]; then seeds+=(configs); fi
  mkdir -p "$logs/corpus/$1"
  while left=$((end - $(date +%s))) && [[ $left -gt 0 ]]; do
    LSAN_OPTIONS=suppressions=tests/faults/fuzz/leaks:print_suppressions=0 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
      "build/fuzz/tests/faults/fuzz/fuzz_$1" -seed=$((seed + round)) -max_total_time="$left" -max_len=16384 \
      -timeout=100 \
      -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0 -artifact_prefix="$logs/finding-$1-" \
      "$logs/corpus/$1" "${seeds[@]}" >> "$logs/fuzz-$1.log" 2>&1 || true
    round=$((round + 1))
  done
}

targets=$(basename -s .c tests/faults/fuzz/*.c)
faults files &
faults memory --most 25 --seconds "$seconds" &
faults kills --seconds "$seconds" &
for name in $targets; do fuzz "$name" & done
wait || true

{
  echo "seed $seed, $seconds s, $(date -u +%F)"
  for kind in files memory kills; do tail -n 1 "$logs/$kind.log"; done
  for name in $targets; do
    awk -v name="$name" '
      /^stat::number_of_executed_units/ { executions += $2 }
      /^SUMMARY: / { findings++ }
      END { printf "fuzz %s: %d executions, %d findings\n", name, executions, findings }' "$logs/fuzz-$name.log"
  done
} | tee "$logs/counts.txt"
[[ $(grep -c ' 0 findings$' "$logs/counts.txt") == $(($(wc -l < "$logs/counts.txt") - 1)) ]]
