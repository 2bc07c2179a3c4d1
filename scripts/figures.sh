#!/usr/bin/env bash
# Makes the figures of docs/gallery.md anew: trains the two committed configurations on Fashion-MNIST, all 50 epochs,
# and the two committed sweeps on it, the study's noise with 20 epochs in place of its 100; and draws. The sweeps take
# some 25 minutes on two processors.
#   scripts/figures.sh        after cmake --preset release && cmake --build --preset release
# Runs that are finished are used again, runs that were stopped go on; remove runs/figures to begin anew.
set -euo pipefail
cd "$(dirname "$0")/.."
cuonn=build/release/src/cli/cuonn
runs=runs/figures
figures=docs/figures
[ -x "$cuonn" ] || { echo "$cuonn is missing: cmake --preset release && cmake --build --preset release" >&2; exit 1; }
mkdir -p "$runs" "$figures"

# train NAME CONFIG
train() {
  if [ -e "$runs/$1/last.nc" ]; then
    "$cuonn" train --resume "$runs/$1"
  else
    "$cuonn" train "$2" --output "$runs/$1"
  fi
}
# sweep NAME CONFIG ARGUMENT...
sweep() {
  if [ -e "$runs/$1/sweep.yaml" ]; then
    "$cuonn" sweep --resume "$runs/$1"
  else
    "$cuonn" sweep "$2" --output "$runs/$1" "${@:3}"
  fi
}
# draw FIGURE WHAT ARGUMENT...
draw() { "$cuonn" plot "${@:2}" --output "$figures/$1"; }

train 'study: bias correction restarted' configs/fashion-mnist.yaml
train 'usual Adam' configs/fashion-mnist-adam.yaml
best="$runs/usual Adam/best.nc"

draw power.png power "$best" --example 7
draw curves.svg curves "$runs/study: bias correction restarted/metrics.csv" "$runs/usual Adam/metrics.csv"
draw examples.svg examples "$best" --example 20
draw confusion.svg confusion "$best"
draw phases.png phases "$best"
"$cuonn" energy --grid energy.modes=4:512:2 --output "$runs/energy.nc"
draw energy.svg energy "$runs/energy.nc"
draw throughput.svg throughput bench/results/epyc-2-1.json
"$cuonn" gradient "$best" --images 512 --output "$runs/gradient.nc" --method analog \
  --set chip.tap_shot=0.02 --set chip.io_amplitude=0.025 --set chip.io_phase=0.025
draw gradients.png gradients "$runs/gradient.nc"

sweep tolerance configs/tolerance.yaml
draw tolerance.svg tolerance "$runs/tolerance"
sweep noise-sweep configs/noise-sweep.yaml --set training.epochs=20
draw sweep-map.svg sweep-map "$runs/noise-sweep"
draw sweep-bars.svg sweep-bars "$runs/noise-sweep"
sweep tradeoff configs/noise-sweep.yaml --set training.epochs=10 --set chip.loss_std=0 \
  --set "chip.tap_shot=[0.005, 0.01, 0.02]" --set "chip.io_amplitude=[0.025, 0.05]" --set "chip.io_phase=[0.025, 0.05]"
draw tradeoff.svg tradeoff "$runs/tradeoff"
sweep budget configs/budget.yaml
draw budget.svg budget "$runs/budget"
