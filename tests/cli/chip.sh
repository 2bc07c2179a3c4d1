# chip: chip files drawn and told; training, sweeps, evaluation, gradients and programming on them; refusals.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 128 32
small_config "$work/data" > config.yaml
errors='--set chip.coupler_std=0.03 --set chip.loss_mean=0.1 --set chip.loss_std=0.05'
curves='--drive-slope 0.3 --drive-slope-std 0.05 --drive-offset-std 0.3 --most-volts 6'
json() { jq -r ".$1" "$work/out"; }

# -------------------------------------------------------------------------------------------------------- new and show
expect 0 '' "$cuonn" chip new config.yaml $errors --set chip.crosstalk=0.05 $curves --driver-bits 12 --output chip.nc
output '^chip +chip.nc$'
output '^meshes +2, rectangular, 16 waveguides, 16 columns, 120 nodes mzi$'
output '^phase style +top$'
output '^wavelength +1550 nm$'
output '^coupler error +-?0\.00[0-9]* mean, 0\.0[23][0-9]* standard deviation, '
output '^driver +0 to 6 V, 12 bits; 0 of 512 shifters do not reach a whole period$'
output '^crosstalk +[0-9]+ shares, the largest 0\.03'
cp out new
expect 0 '' "$cuonn" chip show chip.nc
check diff new out
expect 0 '' "$cuonn" chip show chip.nc --json
check test "$(json driver_bits) $(json phase_style) $(json layers) $(json shifters)" = '12 top 2 512'
expect 0 '' "$cuonn" chip new config.yaml $errors --output plain.nc
output '^drive curves +none$'
output '^crosstalk +none$'
# The same seed gives the same chip, and it is what a run draws.
expect 0 '' "$cuonn" chip new config.yaml $errors --output again.nc
check cmp plain.nc again.nc
expect 0 '' "$cuonn" train config.yaml $errors --output drawn
for v in coupler_error loss_db; do check same_values 0 plain.nc $v drawn/last.nc $v; done
# Another seed is another chip, of other meshes and nodes.
expect 0 '' "$cuonn" chip new --set network.modes=8 --set network.layers=1 --set network.architecture=triangular \
  --set network.node=mzi3 --set network.phase_style=differential --set chip.coupler_std=0.02 --set chip.seed=5 \
  --wavelength 1310 --output third.nc --json
check test "$(json node) $(json architecture) $(json columns) $(json wavelength_nm)" = 'mzi3 triangular 13 1310'
check test "$(values third.nc coupler_error | wc -l)" = 84

# ------------------------------------------------------------------------------------------------- computing on a chip
# Errors alone: bit for bit what the same drawn errors give, on every backend.
same_network() {
  local v
  for v in theta phi gamma; do same_values 0 "$1" $v "$2" $v || return 1; done
}
for b in $(backends); do
  expect 0 '' "$cuonn" train config.yaml $errors --backend "$b" --output "drawn-$b"
  expect 0 '' "$cuonn" train config.yaml --chip plain.nc --backend "$b" --output "plain-$b"
  check same_network "plain-$b/last.nc" "drawn-$b/last.nc"
done
# Everything: reference and cpu; auto passes over a backend that does not.
for b in reference cpu auto; do
  "$cuonn" train config.yaml --chip chip.nc --backend $b --output run-$b > out 2> err || failed "train on $b"
done
check test "$(grep -c '^  file: "chip.nc"' run-reference/config.yaml)" = 1
values run-cpu/last.nc theta > got
values run-reference/last.nc theta > want
check close_to 0.05 got want
check_not same_network run-reference/last.nc plain-reference/last.nc # levels and crosstalk do something
expect 0 '' "$cuonn" eval run-reference/last.nc --json
accuracy=$(json accuracy)
check awk -v a="$accuracy" -F, 'END { exit !(a - $4 < 1e-9 && $4 - a < 1e-9) }' run-reference/metrics.csv
expect 0 '' "$cuonn" eval run-reference/last.nc --chip chip.nc --json
check test "$(json accuracy)" = "$accuracy"
loss=$(json loss)
expect 0 '' "$cuonn" eval run-reference/last.nc --chip plain.nc --json
check_not test "$(json loss)" = "$loss"
expect 0 '' "$cuonn" gradient run-reference/last.nc --images 16 --output gradient.nc
expect 0 '' "$cuonn" gradient run-reference/last.nc --images 16 --output other.nc --chip plain.nc
check_not same_values 1e-6 gradient.nc d_theta other.nc d_theta
# In situ, too.
expect 0 '' "$cuonn" train config.yaml --chip chip.nc --output situ --set training.gradient=analog --backend cpu \
  --set training.epochs=1
# A sweep has the chip in all of its runs.
expect 0 '' "$cuonn" sweep config.yaml --chip chip.nc --set 'training.seed=[3, 4]' --output sweep --backend cpu
expect 0 '' "$cuonn" train config.yaml --chip chip.nc --set training.seed=3 --output alone --backend cpu
check same_network sweep/networks/000000.nc alone/last.nc

# Going on needs the chip that it was started with, wherever it is now.
expect 0 '' "$cuonn" train --resume run-cpu --set training.epochs=3
expect 0 '' "$cuonn" train config.yaml --chip chip.nc --backend cpu --set training.epochs=3 --output whole
check same_network run-cpu/last.nc whole/last.nc
mv chip.nc moved.nc
kept=$work/run-cpu
expect 3 '^cuonn train: chip.nc: ' "$cuonn" train --resume run-cpu --set training.epochs=4
cp plain.nc chip.nc
expect 3 '^cuonn train: .*meshes of the chip differ' "$cuonn" train --resume run-cpu --set training.epochs=4
expect 3 '^cuonn sweep: .*' "$cuonn" sweep --resume sweep
kept=
rm chip.nc
expect 0 '' "$cuonn" train --resume run-cpu --set training.epochs=4 --chip moved.nc
expect 3 '^cuonn report: chip.nc: ' "$cuonn" report whole
expect 0 '' "$cuonn" report whole --chip moved.nc
expect 3 '^cuonn plot: chip.nc: ' "$cuonn" plot confusion whole --output confusion.svg
expect 0 '' "$cuonn" plot confusion whole --chip moved.nc --output confusion.svg
expect 2 '^cuonn plot: --chip is not for curves' "$cuonn" plot curves whole --chip moved.nc --output curves.svg
mv moved.nc chip.nc
expect 0 '' "$cuonn" sweep --resume sweep

# A chip of one mesh is programmed.
expect 0 '' "$cuonn" chip new --set network.modes=8 --set network.layers=1 --set chip.coupler_std=0.03 \
  $curves --output one.nc
numbers 28 1 3 > phases
netcdf mesh.nc classic 'node=28' '' theta:node:phases phi:node:phases
expect 0 '' "$cuonn" matrix mesh.nc --output target.nc
expect 0 '' "$cuonn" program target.nc --chip one.nc --output programmed.nc --json
after=$(json error_after)
check awk -v before="$(json error_before)" -v after="$after" 'BEGIN { exit !(after < before / 3) }'
check same_values 0 programmed.nc coupler_error one.nc coupler_error

# ------------------------------------------------------------------------------------------------------------- voltages
expect 0 '' "$cuonn" program target.nc --chip one.nc --output volts.nc --units volts --json
# its driver has any voltage
check awk -v a="$after" -v b="$(json error_after)" 'BEGIN { exit !(a - b < 1e-12 && b - a < 1e-12) }'
check test "$(ncdump -h volts.nc | grep -c 'units = "V"')" = 3
values volts.nc theta > got
check awk '$1 < 0 || $1 > 6 { exit 1 }' got
expect 0 '' "$cuonn" matrix volts.nc --output of-volts.nc
expect 0 '' "$cuonn" matrix programmed.nc --output of-phases.nc
check same_values 1e-12 of-volts.nc unitary of-phases.nc unitary
expect 0 '' "$cuonn" wrap programmed.nc --chip one.nc --units volts --output wrapped.nc
for v in theta phi gamma; do check same_values 1e-9 wrapped.nc $v volts.nc $v; done
# Straight from a matrix, or from another program's phases; the levels of a driver are in the error that is printed.
expect 0 '' "$cuonn" decompose target.nc --chip one.nc --units volts --output decomposed.nc --json
check awk -v e="$(json reconstruction_error)" 'BEGIN { exit !(e < 1e-13) }'
expect 0 '' "$cuonn" matrix decomposed.nc --output of-volts.nc
check same_values 1e-12 of-volts.nc unitary target.nc unitary
expect 0 '' "$cuonn" decompose target.nc --output ours.nc
expect 0 '' "$cuonn" convert ours.nc --to perceval-last --output theirs.nc
expect 0 '' "$cuonn" convert theirs.nc --to cuonn --chip one.nc --units volts --output converted.nc --json
check awk -v e="$(json matrix_error)" 'BEGIN { exit !(e < 1e-13) }'
for v in theta phi gamma; do check same_values 1e-7 converted.nc $v decomposed.nc $v; done
expect 0 '' "$cuonn" chip new --set network.modes=8 --set network.layers=2 $curves --driver-bits 9 --output pair.nc
expect 0 '' "$cuonn" decompose target.nc --svd --chip pair.nc --units volts --output layer.nc --json
error=$(json reconstruction_error)
check awk -v e="$error" 'BEGIN { exit !(e > 1e-4 && e < 0.1) }'
check test "$(ncdump -h layer.nc | grep -c 'units = "V"\|:scale = ')" = 4
expect 0 '' "$cuonn" matrix layer.nc --output of-volts.nc
check same_values "$(awk -v e="$error" 'BEGIN { print 3 * e }')" of-volts.nc unitary target.nc unitary
check_not same_values "$(awk -v e="$error" 'BEGIN { print e / 3 }')" of-volts.nc unitary target.nc unitary

# A trained network, by the 12 bits of its chip's driver; and back.
expect 0 '' "$cuonn" wrap run-reference/last.nc --chip chip.nc --units volts --output trained.nc --json
check awk -v e="$(json matrix_error)" 'BEGIN { exit !(e > 1e-5 && e < 0.01) }'
values trained.nc theta > got
check awk '{ level = $1 / 6 * 4095; d = level - int(level + 0.5); if (d > 1e-9 || d < -1e-9) exit 1 }' got
expect 0 '' "$cuonn" wrap trained.nc --output phases.nc --units radians
check_not grep -q 'units = "V"' <(ncdump -h phases.nc)
expect 0 '' "$cuonn" wrap phases.nc --chip chip.nc --units volts --output again.nc
for v in theta phi gamma; do check same_values 1e-12 again.nc $v trained.nc $v; done
expect 0 '' "$cuonn" chip new --set network.modes=8 --set network.layers=1 --drive-slope 0.3 --most-volts 3 \
  --output weak.nc
# The matrix of a chip is that of its voltages; with crosstalk it is another, and fields pass as it says.
expect 0 '' "$cuonn" chip new --set network.modes=8 --set network.layers=1 --set chip.coupler_std=0.03 \
  --set chip.loss_mean=0.1 $curves --driver-bits 8 --output bits.nc
expect 0 '' "$cuonn" program target.nc --chip bits.nc --output phases.nc
expect 0 '' "$cuonn" program target.nc --chip bits.nc --output volts.nc --units volts
expect 0 '' "$cuonn" matrix volts.nc --output of-volts.nc
expect 0 '' "$cuonn" matrix phases.nc --chip bits.nc --output on-chip.nc
check same_values 1e-14 on-chip.nc unitary of-volts.nc unitary
expect 0 '' "$cuonn" matrix phases.nc --output without.nc
check_not same_values 1e-3 on-chip.nc unitary without.nc unitary
expect 0 '' "$cuonn" chip new --set network.modes=8 --set network.layers=1 --set chip.coupler_std=0.03 \
  --set chip.loss_mean=0.1 --set chip.crosstalk=0.02 $curves --driver-bits 8 --output hot.nc
expect 0 '' "$cuonn" matrix phases.nc --chip hot.nc --output hot-matrix.nc
check_not same_values 1e-3 on-chip.nc unitary hot-matrix.nc unitary
{ echo 1; yes 0 | head -15; } > first
netcdf fields.nc classic 'example=1 waveguide=8 complex=2' '' input:example,waveguide,complex:first
expect 0 '' "$cuonn" propagate phases.nc --chip hot.nc --input fields.nc --output out.nc
values hot-matrix.nc unitary | awk 'NR % 16 == 1 || NR % 16 == 2' > want
values out.nc output > got
check close_to 1e-14 got want

# ------------------------------------------------------------------------------------------------------------- refusals
mkdir keep
cp config.yaml chip.nc keep
kept=$work/keep
refuse() { local code=$1 regex=$2; shift 2; expect "$code" "$regex" "$cuonn" "$@"; }
refuse 2 '^cuonn chip: WHAT is missing; it is one of new, show$' chip
refuse 2 "^cuonn chip: 'draw' is unknown; it is one of new, show$" chip draw
refuse 2 "^cuonn chip: one argument is too many: 'c'" chip show a c
refuse 2 '^cuonn chip: --output CHIP.nc is missing' chip new
refuse 2 '^cuonn chip: show takes a chip file' chip show chip.nc --most-volts 5
refuse 2 '^cuonn chip: --most-volts is missing' chip new --drive-slope 0.3 --output keep/new.nc
refuse 2 '^cuonn chip: curves and drivers need --drive-slope' chip new --most-volts 5 --output keep/new.nc
refuse 2 '^cuonn chip: --drive-slope: found "x", which is no number' chip new --drive-slope x --most-volts 5 \
  --output keep/new.nc
refuse 2 '^cuonn chip: .*drive slope is 0' chip new --drive-slope 0 --most-volts 5 --output keep/new.nc
refuse 3 "^cuonn chip: the driver's range is 5 to 5 V" chip new --drive-slope 1 --least-volts 5 --most-volts 5 \
  --output keep/new.nc
refuse 2 '^cuonn chip: chip.phase_error is no number of a chip file' chip new --set chip.phase_error=0.1 \
  --output keep/new.nc
refuse 2 '^cuonn chip: chip.file names a chip that there is already' chip new --set chip.file=chip.nc \
  --output keep/new.nc
refuse 2 '^cuonn chip: .*config.yaml' chip new keep/config.yaml --output keep/config.yaml
refuse 3 '^cuonn chip: nowhere.nc: ' chip show nowhere.nc
refuse 3 '^cuonn chip: target.nc: has neither coupler_error nor loss_db' chip show target.nc
head -c 3000 chip.nc > cut.nc
refuse 3 '^cuonn chip: cut.nc: ' chip show cut.nc
both='the chip has 1 triangular mesh of 8 waveguides .* node mzi3, style differential, the network 2 rectangular'
refuse 3 "^cuonn train: third.nc: $both meshes of 16 .* node mzi, style top$" train config.yaml --chip third.nc \
  --output keep/new
refuse 3 '^cuonn train: chip.nc: the chip has 2 .* style top, the network 2 .* style bottom$' train config.yaml \
  --chip chip.nc --set network.phase_style=bottom --output keep/new
refuse 3 '^cuonn train: chip.nc: the chip has 2 .*, the network 3 ' train config.yaml --chip chip.nc \
  --set network.layers=3 --output keep/new
refuse 3 '^cuonn eval: one.nc: the chip has 1 ' eval run-cpu/last.nc --chip one.nc
refuse 3 '^cuonn gradient: one.nc: the chip has 1 ' gradient run-cpu/last.nc --chip one.nc --images 4 --output keep/g.nc
refuse 2 '^cuonn gradient: .*chip.nc' gradient run-cpu/last.nc --chip keep/chip.nc --images 4 --output keep/chip.nc
refuse 2 '^cuonn train: chip.file is set, but errors of couplers or losses are also to be drawn' train config.yaml \
  --chip chip.nc --set chip.coupler_std=0.1 --output keep/new
refuse 2 '^cuonn train: chip.file and chip.errors_file are both set' train config.yaml --chip chip.nc \
  --set chip.errors_file=plain.nc --output keep/new
refuse 2 '^cuonn train: chip.nc: chip.phase_bits is 4, but the chip file has drive curves' train config.yaml \
  --chip chip.nc --set chip.phase_bits=4 --output keep/new
refuse 2 '^cuonn train: chip.nc: chip.crosstalk is 0.1, but the chip file has crosstalk' train config.yaml \
  --chip chip.nc --set chip.crosstalk=0.1 --output keep/new
refuse 2 '^cuonn sweep: .*chip.file is set' sweep config.yaml --chip chip.nc --set 'chip.coupler_std=[0, 0.1]' \
  --output keep/new
refuse 3 '^cuonn program: chip.nc: holds a network of 2 layers' program target.nc --chip chip.nc --output keep/p.nc
refuse 3 '^cuonn program: weak.nc: (theta|phi) of node [0-9]+ in column [0-9]+ of layer 0 is .* with 0 to 3 V' program \
  target.nc --chip weak.nc --units volts --output keep/p.nc
refuse 3 '^cuonn wrap: programmed.nc: (theta|phi) of node [0-9]+ in column [0-9]+ of layer 0 is ' wrap programmed.nc \
  --chip weak.nc --units volts --output keep/w.nc
refuse 3 '^cuonn matrix: chip.nc: the chip has 2 .*, the network 1 ' matrix phases.nc --chip chip.nc --output keep/u.nc
refuse 2 '^cuonn matrix: .*chip.nc' matrix phases.nc --chip keep/chip.nc --output keep/chip.nc
refuse 2 '^cuonn wrap: --units volts needs --chip CHIP.nc' wrap programmed.nc --units volts --output keep/w.nc
refuse 2 '^cuonn wrap: --units: found "V"; it is one of radians, volts' wrap programmed.nc --units V --output keep/w.nc
refuse 2 '^cuonn wrap: --chip goes with --units volts' wrap programmed.nc --chip one.nc --output keep/w.nc
refuse 3 '^cuonn wrap: plain.nc: has no drive curves' wrap run-reference/last.nc --chip plain.nc --units volts \
  --output keep/w.nc
refuse 2 '^cuonn decompose: --node: the meshes are those of the chip in one.nc; leave it out' decompose target.nc \
  --node mzi --chip one.nc --units volts --output keep/w.nc
refuse 3 '^cuonn decompose: pair.nc: the chip has 2 ' decompose target.nc --chip pair.nc --units volts \
  --output keep/w.nc
refuse 3 '^cuonn decompose: target.nc: the matrix has 8 rows, but the chip in chip.nc has 16' decompose target.nc \
  --chip chip.nc --units volts --output keep/w.nc
refuse 2 '^cuonn convert: --to cuonn-bottom: the curves of the chip in one.nc are of phases counted by cuonn-top' \
  convert ours.nc --to cuonn-bottom --chip one.nc --units volts --output keep/w.nc
refuse 2 '^cuonn convert: --units volts needs --chip CHIP.nc' convert ours.nc --to cuonn --units volts \
  --output keep/w.nc
refuse 3 '^cuonn convert: ours.nc: .* with 0 to 3 V' convert ours.nc --to cuonn --chip weak.nc --units volts \
  --output keep/w.nc
refuse 3 '^cuonn wrap: chip.nc: the chip has 2 .*, the network 1 ' wrap programmed.nc --chip chip.nc --units volts \
  --output keep/w.nc
for b in $(backends); do
  if [[ $b != cuda ]]; then continue; fi
  refuse 2 '^cuonn train: .*backend cuda does not compute the drive curves' train config.yaml --chip chip.nc \
    --backend cuda --output keep/new
done
finish
