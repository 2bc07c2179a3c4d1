#!/usr/bin/env bash
# How far gradients that a chip measures are from exact ones for lost light alone: 1 - cosine over all theta and phi, of
# both schemes, for a small network (N = 16, 3 layers) that was trained without losses. Prints the table of
# docs/in-situ.md.
#   scripts/lossy-gradients.sh        after cmake --preset release && cmake --build --preset release
set -euo pipefail
cd "$(dirname "$0")/.."
cuonn=build/release/src/cli/cuonn
[ -x "$cuonn" ] || { echo "$cuonn is missing: cmake --preset release && cmake --build --preset release" >&2; exit 1; }
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT

"$cuonn" train configs/fashion-mnist-adam.yaml --set data.radius=2 --set network.modes=16 \
  --set network.loss_per_class=false \
  --set training.epochs=5 --output "$runs/small" > /dev/null

# error METHOD SETTING...: of the first 64 training images
error() {
  "$cuonn" gradient "$runs/small/last.nc" --images 64 --output "$runs/gradient.nc" --method "$1" "${@:2}" |
    awk '$1 == "all" {print $2}'
}
# row LAW LOSS CHIPS SETTING...: means over chips with seeds 0 .. CHIPS - 1
row() {
  local values=() kind seed
  for kind in "analog example" "digital example" "digital study"; do
    values+=("$(for ((seed = 0; seed < $3; seed++)); do
      error "${kind% *}" --set "chip.scale=${kind#* }" --set "chip.seed=$seed" "${@:4}"
    done | awk '{sum += $1} END {printf "%.2g", sum / NR}')")
  done
  printf '| %s | %s | %s | %s | %s |\n' "$1" "$2" "${values[@]}"
}

echo "| Loss of a shifter | dB per column | analog | digital, scale \`example\` | digital, scale \`study\` |"
echo "| --- | --- | --- | --- | --- |"
for loss in 0.01 0.03 0.1 0.3 1; do row "the same in all" "$loss" 1 --set "chip.loss_mean=$loss"; done
# the mean of a half-normal number is its deviation times sqrt(2 / pi)
for std in 0.01 0.03 0.1 0.3 1; do
  row "half-normal, \`loss_std\` $std" \
    "$(awk -v std="$std" 'BEGIN {printf "%.2g", std * sqrt(2 / 3.141592653589793)}')" 10 \
    --set "chip.loss_std=$std"
done
for std in 0.05 0.3; do
  row "normal, \`loss_std\` $std, law \`study\`" 0 10 --set "chip.loss_std=$std" --set chip.loss_law=study
done
