# self-configure: light that a tree or a line brings to one output, and refusals.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
number='[0-9][0-9.e-]*'

numbers 28 1 3 > phases
numbers 56 2 0.1 > error
numbers 16 3 1 > values
netcdf tree.nc classic 'node=7 side=2 waveguide=8' 'architecture=tree' theta:node:<(head -7 phases) \
  phi:node:<(head -7 phases) gamma:waveguide:<(head -8 phases) coupler_error:node,side:<(head -14 error)
netcdf line.nc netCDF-4 'node=28 waveguide=8' 'architecture=triangular phase_style=bottom' theta:node:phases \
  phi:node:phases gamma:waveguide:<(head -8 phases)
netcdf beam.nc classic 'example=1 waveguide=8 complex=2' '' input:example,waveguide,complex:values

# json NAME: of the last command. power_at FILE W: share of the light at output W, as propagate finds it.
json() { jq ".$1" "$work/out"; }
power_at() {
  "$cuonn" propagate "$1" --input beam.nc --output out.nc > /dev/null && values out.nc output |
    awk -v w="$2" '{ all += $1 * $1 } int((NR - 1) / 2) == w { it += $1 * $1 } END { printf "%.17g\n", it / all }'
}
expect 0 '' "$cuonn" self-configure tree.nc --light beam.nc --output aligned.nc
output '^modes +8$'
output '^waveguide +0$'
output '^nodes +7$'
output '^readings +126$'
output '^power +(1|0\.99)'
output "^dropped +$number\$"
expect 0 '' "$cuonn" self-configure tree.nc --light beam.nc --output more/aligned.nc --turns 60 --json
json power > got
power_at more/aligned.nc 0 > want
check close_to 1e-12 got want
check awk '{ exit !($1 > 0.999999) }' got
check test "$(json 'powers | length')" = 421
check test "$(json 'powers[420] == .power')" = true
check same_values 0 more/aligned.nc coupler_error tree.nc coupler_error
check awk '{ exit !($1 < 0.9) }' <(power_at tree.nc 0)

# One turn is all that a chip without errors needs; nodes beside the line stay as they were.
expect 0 '' "$cuonn" self-configure line.nc --light beam.nc --output line-aligned.nc --turns 1 --json
check test "$(json waveguide)" = 7
check awk '{ exit !($1 > 1 - 1e-12) }' <(power_at line-aligned.nc 7)
check test "$(diff <(values line.nc theta) <(values line-aligned.nc theta) | grep -c '^>')" -le 7
check same_values 0 line-aligned.nc gamma line.nc gamma
check grep -q 'architecture = "triangular"' <(ncdump -h line-aligned.nc)

# A fabricated chip: its errors in place of the mesh's, its levels and its heat; what propagates through it is as told.
curves=(--drive-slope 0.3 --drive-slope-std 0.05 --drive-offset-std 0.3 --most-volts 6)
new=(chip new --set network.modes=8 --set network.layers=1 --set network.architecture=tree --set chip.coupler_std=0.03)
expect 0 '' "$cuonn" "${new[@]}" --output plain.nc
expect 0 '' "$cuonn" "${new[@]}" "${curves[@]}" --driver-bits 7 --output bits.nc
expect 0 '' "$cuonn" self-configure tree.nc --chip plain.nc --light beam.nc --output of-plain.nc --json
check same_values 0 of-plain.nc coupler_error plain.nc coupler_error
check awk -v d="$(json dropped)" 'BEGIN { exit !(d < 1e-6) }'
expect 0 '' "$cuonn" self-configure tree.nc --chip bits.nc --light beam.nc --output of-bits.nc --json
json power > got
check awk -v d="$(json dropped)" 'BEGIN { exit !(d > 1e-6) }'
expect 0 '' "$cuonn" propagate of-bits.nc --chip bits.nc --input beam.nc --output out.nc --json
values out.nc output | awk 'NR <= 2 { p += $1 * $1 } { all += $1 * $1 } END { printf "%.17g\n", p / all }' > want
check close_to 1e-12 got want
expect 0 '' "$cuonn" self-configure tree.nc --chip bits.nc --light beam.nc --output volts.nc --units volts
check test "$(ncdump -h volts.nc | grep -c 'units = "V"')" = 3
power_at volts.nc 0 > want
check close_to 1e-12 got want

# Without a mesh all phases are 0 at first, which matters to nodes beside the tree alone.
expect 0 '' "$cuonn" self-configure --chip bits.nc --light beam.nc --output alone.nc
for v in theta phi; do check same_values 0 alone.nc $v of-bits.nc $v; done
check test "$(values alone.nc gamma | sort -u)" = 0

# Noise comes again with its seed.
for seed in 1 1 2; do
  expect 0 '' "$cuonn" self-configure tree.nc --light beam.nc --output noisy.nc --tap-shot 0.01 --seed $seed
  output "^dropped +$number\$"
  grep dropped "$work/out" >> dropped
done
check test "$(sort -u dropped | wc -l)" = 2

# Refusals: one line that names the file, and nothing written.
refuses() { expect "$@" --output never.nc; check_not test -e never.nc; }
yes 0 | head -16 > none
netcdf dark.nc classic 'example=1 waveguide=8 complex=2' '' input:example,waveguide,complex:none
netcdf two.nc classic 'example=2 waveguide=4 complex=2' '' input:example,waveguide,complex:values
netcdf rectangle.nc classic 'node=28' '' theta:node:phases phi:node:phases
netcdf symmetric.nc classic 'node=7 waveguide=8' 'architecture=tree phase_style=symmetric' \
  theta:node:<(head -7 phases) phi:node:<(head -7 phases) gamma:waveguide:<(head -8 phases)
refuses 3 '^cuonn self-configure: dark.nc: the light has no power' "$cuonn" self-configure tree.nc --light dark.nc
refuses 3 '^cuonn self-configure: two.nc: input has 2 examples of 4 waveguides; it must be 1 of 8' \
  "$cuonn" self-configure tree.nc --light two.nc
refuses 3 '^cuonn self-configure: rectangle.nc: no output of this mesh is reached' \
  "$cuonn" self-configure rectangle.nc --light beam.nc
refuses 2 '^cuonn self-configure: symmetric.nc: phi of the style symmetric' \
  "$cuonn" self-configure symmetric.nc --light beam.nc
refuses 2 '^cuonn self-configure: --turns: found "0"' "$cuonn" self-configure tree.nc --light beam.nc --turns 0
refuses 2 '^cuonn self-configure: --turns: .* up to 1000' "$cuonn" self-configure tree.nc --light beam.nc --turns 1001
refuses 2 '^cuonn self-configure: --tap-shot: found "-1"' "$cuonn" self-configure tree.nc --light beam.nc --tap-shot=-1
refuses 3 '^cuonn self-configure: bits.nc: the chip has 1 tree mesh .*, the network 1 triangular' \
  "$cuonn" self-configure line.nc --light beam.nc --chip bits.nc
refuses 2 '^cuonn self-configure: the file with the mesh, or --chip CHIP.nc, is missing' "$cuonn" self-configure \
  --light beam.nc
expect 0 '' "$cuonn" "${new[@]}" --set network.layers=2 --output two-chips.nc
refuses 3 '^cuonn self-configure: two-chips.nc: the chip has 2 tree meshes' "$cuonn" self-configure \
  --light beam.nc --chip two-chips.nc
refuses 2 '^cuonn self-configure: --units volts needs --chip' "$cuonn" self-configure tree.nc --light beam.nc \
  --units volts
refuses 3 '^cuonn self-configure: plain.nc: has no drive curves' "$cuonn" self-configure tree.nc --light beam.nc \
  --units volts --chip plain.nc
expect 2 'would overwrite|is the same file' "$cuonn" self-configure tree.nc --light beam.nc --output tree.nc

finish
