#!/usr/bin/env bash
# Builds the release and measures a training step of the study's network with one thread and with all; the results go to
# bench/results/, one JSON file a machine and number of threads.
#   bench/run.sh MACHINE     MACHINE: a short name for the file, such as epyc-2-cores
set -euo pipefail
cd "$(dirname "$0")/.."
machine=${1:?usage: bench/run.sh MACHINE}

cmake --preset release -DCUONN_TESTS=OFF > /dev/null
cmake --build --preset release > /dev/null
mkdir -p bench/results
commit=$(git describe --always --dirty --exclude '*')
for threads in 1 "$(nproc)"; do
  build/release/bench/cuonn-bench-step --threads "$threads" --commit "$commit" \
    --json "bench/results/train-step-$machine-$threads.json"
done
