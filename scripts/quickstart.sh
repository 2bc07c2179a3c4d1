#!/usr/bin/env bash
# From a fresh checkout to the study's accuracy: installs packages, builds the release, trains the three-layer network
# on Fashion-MNIST (five seeds with the study's Adam, two with the usual one) and prints test accuracies beside the
# study's. Runs that are finished are used again, runs that were stopped go on; remove runs/quickstart to begin anew.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-packages.sh
cmake --preset release -DCUONN_TESTS=OFF
cmake --build --preset release -- -j"$(nproc)"
cuonn=build/release/src/cli/cuonn
runs=runs/quickstart
mkdir -p "$runs"

# Trains one run: new, or from where it was stopped.
train() {
  local directory=$runs/$1 config=$2 seed=$3
  printf '\n== %s\n' "$directory"
  if [ -e "$directory/last.nc" ]; then
    "$cuonn" train "$config" --set training.seed="$seed" --resume "$directory"
  else
    "$cuonn" train "$config" --set training.seed="$seed" --output "$directory"
  fi
}

for seed in 0 1 2 3 4; do train "seed-$seed" configs/fashion-mnist.yaml "$seed"; done
for seed in 0 1; do train "adam-seed-$seed" configs/fashion-mnist-adam.yaml "$seed"; done
scripts/accuracy-table.sh "$runs"
echo "All of this took $SECONDS s."
echo
echo "Next: $cuonn eval $runs/seed-0/best.nc   loss, accuracy and confusion matrix of one network"
echo "      $cuonn train --help                settings and how to change them; docs/configuration.md lists all"
echo "      scripts/test.sh                    every test and check"
