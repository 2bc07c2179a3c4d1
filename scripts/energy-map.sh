#!/usr/bin/env bash
# Draws the energy efficiency of the study's figure mode over batch size and number of modes.
#   scripts/energy-map.sh PROGRAM FIGURE.svg        such as build/release/src/cli/cuonn docs/energy-map.svg
# Needs gnuplot (Debian: gnuplot-nox) and ncdump (netcdf-bin).
set -euo pipefail
program=${1:?usage: scripts/energy-map.sh PROGRAM FIGURE.svg}
figure=${2:?usage: scripts/energy-map.sh PROGRAM FIGURE.svg}
plot=$(dirname "$0")/../plots/energy-map.gp
for tool in gnuplot ncdump; do
  command -v "$tool" > /dev/null || { echo "$tool is missing: install gnuplot-nox and netcdf-bin" >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$program" energy --set energy.preset=figure --grid energy.modes=4:256:2 --grid energy.batch=1:255:2 \
  --output "$work/map.nc"

# values VARIABLE: its numbers, one a line.
values() {
  ncdump -p 9,9 -v "$1" "$work/map.nc" | sed '1,/^data:/d' | awk -v name="$1" '
    $1 == name { on = 1; sub(/^[^=]*=/, "") }
    on { last = /;/; gsub(/[;,]/, " "); for (i = 1; i <= NF; i++) print $i; if (last) exit }'
}
values modes > "$work/modes"
values batch > "$work/batch"
paste <(values mvm_tops_per_watt) <(values gradient_tops_per_watt) | awk -v modes="$work/modes" -v batch="$work/batch" '
  BEGIN { while ((getline line < modes) > 0) n[++n_modes] = line;
    while ((getline line < batch) > 0) m[++n_batch] = line }
  { row = int((NR - 1) / n_batch) + 1; column = (NR - 1) % n_batch + 1; print m[column], n[row], $0;
    if (column == n_batch) print "" }
' > "$work/map.txt"
gnuplot -e "data='$work/map.txt'; figure='$figure'" "$plot"
