#!/usr/bin/env bash
# Makes the figures of docs/gallery.md anew: trains the two committed configurations on Fashion-MNIST, all 50 epochs, and draws.
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
