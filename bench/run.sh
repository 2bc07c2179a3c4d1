#!/usr/bin/env bash
# Builds the release and measures all cases with one thread and with all; the results go to bench/results/, one JSON
# file a number of threads. bench/peers/run.py measures the peers.
#   bench/run.sh MACHINE     MACHINE: a short name for the files, such as epyc-2
set -euo pipefail
cd "$(dirname "$0")/.."
machine=${1:?usage: bench/run.sh MACHINE}

cmake --preset release -DCUONN_TESTS=OFF > /dev/null
cmake --build --preset release > /dev/null
mkdir -p bench/results
commit=$(git describe --always --dirty --exclude '*')
for threads in 1 "$(nproc)"; do
  build/release/src/cli/cuonn bench --threads "$threads" --commit "$commit" \
    --json "bench/results/$machine-$threads.json"
done
