# plot: every figure is made, is well-formed and holds what it must; refusals, a missing gnuplot, scripts of one's own.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 256 32
small_config "$work/data" > config.yaml
expect 0 '' "$cuonn" train config.yaml --output run
expect 0 '' "$cuonn" train config.yaml --set training.seed=1 --output 'other run'
expect 0 '' "$cuonn" energy --grid energy.modes=4:256:4 --output grid.nc
numbers 6 1 3 > phase
netcdf mesh.nc classic 'node=6' '' theta:node:phase phi:node:phase

numbers 96 5 0.5 > input
printf '%s\n' 3 1 4 > label
netcdf batch.nc classic 'example=3 waveguide=16 complex=2' '' input:example,waveguide,complex:input \
  label:example:label:byte
expect 0 '' "$cuonn" gradient run/best.nc --input batch.nc --output gradient.nc --method analog \
  --set chip.tap_shot=0.02 --json
mv out gradient.json
expect 0 '' "$cuonn" gradient run/best.nc --input batch.nc --output exact.nc
# Training images as a batch: of data whose training images are its test images, the loss is that of eval.
mkdir same
for kind in images-idx3 labels-idx1; do
  cp "data/t10k-$kind-ubyte" "same/t10k-$kind-ubyte"; cp "data/t10k-$kind-ubyte" "same/train-$kind-ubyte"
done
loss() { grep -oE '"loss": *[0-9.e-]+' out | sed 's/.*: *//'; }
expect 0 '' "$cuonn" eval run/best.nc --json
loss > want
expect 0 '' "$cuonn" gradient run/best.nc --images 32 --set data.path=same --output images.nc --json
loss > got
check close_to 1e-10 got want
expect 2 '^cuonn gradient: --images 257: .*/data has 256 training images' "$cuonn" gradient run/best.nc --images 257 \
  --output no.nc
expect 2 '^cuonn gradient: --images: found "0"' "$cuonn" gradient run/best.nc --images 0 --output no.nc
expect 2 '^cuonn gradient: --images: found "1x"' "$cuonn" gradient run/best.nc --images 1x --output no.nc
expect 2 '^cuonn gradient: --images does not go with --input' "$cuonn" gradient run/best.nc --images 1 \
  --input batch.nc --output no.nc
expect 2 '^cuonn gradient: --input BATCH.nc or --images COUNT is missing' "$cuonn" gradient run/best.nc --output no.nc
expect 3 '^cuonn gradient: nowhere: ' "$cuonn" gradient run/best.nc --images 1 --set data.path=nowhere --output no.nc
check_not test -e no.nc

# text FILE REGEX: a text in an SVG matches.
text() { grep -oE '<text>.*</text>' "$1" | sed -E 's/<[^>]*>//g; s/^ +| +$//g' | grep -qE "^($2)\$"; }
# rows FILE INDEX: the numbers of a block of a data file.
rows() { awk -v want="$2" 'BEGIN { RS = "\n\n\n" } NR == want + 1' "$1" | grep -v '^#\|^$'; }
whole_png() {
  [[ $(head -c 8 "$1" | od -An -tx1) == ' 89 50 4e 47 0d 0a 1a 0a' && $(tail -c 8 "$1" | head -c 4) == IEND ]]
}
whole_pdf() { [[ $(head -c 5 "$1") == %PDF- && $(tail -n 1 "$1") == %%EOF ]]; }

# --------------------------------------------------------------------------------------------------------- every figure
declare -A files=([curves]='run/metrics.csv' [confusion]='run/best.nc' [examples]='run/best.nc' [phases]='run/best.nc'
  [power]='run/best.nc' [energy]='grid.nc' [gradients]='gradient.nc')
for what in "${!files[@]}"; do
  for format in svg png pdf; do
    expect 0 '' "$cuonn" plot "$what" "${files[$what]}" --output "$what.$format"
    check test "$(cat out)" = "$what of ${files[$what]} in $what.$format"
    check_not test -e "$what.$format.txt"
  done
  check xmllint --noout --nonet "$what.svg"
  check grep -q '^<svg' "$what.svg"
  check whole_png "$what.png"
  check whole_pdf "$what.pdf"
  "$cuonn" plot "$what" "${files[$what]}" --output again.svg
  check cmp "$what.svg" again.svg
done

expect 0 '' "$cuonn" plot curves run/metrics.csv 'other run/metrics.csv' --output curves.svg --keep-data
for label in epoch 'test accuracy / %' 'loss .*' run 'other run'; do check text curves.svg "$label"; done
check test "$(rows curves.svg.txt 1 | head -n 1)" = '"other run"'
tail -n +2 run/metrics.csv | cut -d, -f1-4 | tr , '\n' > want
rows curves.svg.txt 0 | tail -n +2 | tr ' ' '\n' > got
check close_to 1e-8 got want

expect 0 '' "$cuonn" plot confusion run/best.nc --output confusion.svg --keep-data
expect 0 '' "$cuonn" eval run/best.nc --json
check diff <(rows confusion.svg.txt 1 | cut -d' ' -f3) <(grep -oE '\[\[.*\]\]' out | grep -oE '[0-9]+')
correct=$(grep -oE '"correct":[0-9]+' out | cut -d: -f2)
check test "$(rows confusion.svg.txt 0)" = "32 $correct"
check text confusion.svg "$correct of 32 test images right: .* %"
check text confusion.svg 'taken for class'

# Six examples at a time, and what is left; they are right as often as eval says, and probabilities add up to 1.
: > predictions
for first in 0 6 12 18 24 30; do
  expect 0 '' "$cuonn" plot examples run/best.nc --example $first --output examples.svg --keep-data
  check text examples.svg "image $first"
  for k in $(seq 0 $(($(rows examples.svg.txt 0) - 1))); do
    rows examples.svg.txt $((4 * k + 1)) >> predictions
    check awk 'NF != 28 { bad = 1 } END { exit bad || NR != 28 }' <(rows examples.svg.txt $((4 * k + 2)))
    check awk 'NF != 4 { bad = 1 } END { exit bad || NR != 4 }' <(rows examples.svg.txt $((4 * k + 3)))
    check awk '{ sum += $2 } END { exit !(NR == 10 && sum > 0.99999 && sum < 1.00001) }' \
      <(rows examples.svg.txt $((4 * k + 4)))
  done
done
check test "$(wc -l < predictions)" = 32
check test "$(awk '$2 == $3' predictions | wc -l)" = "$correct"
check test "$(grep -c '<image' examples.svg)" = 2 # what is left of 32

# An interferometer is two boxes: 120 in a mesh of 16 waveguides, 6 in one of 4.
boxes() { grep -c '<polygon' "$1"; }
expect 0 '' "$cuonn" plot phases run/best.nc --layer 1 --output phases.svg --keep-data
expect 0 '' "$cuonn" plot phases mesh.nc --output small.svg
check test $(($(boxes phases.svg) - $(boxes small.svg))) = $((2 * 114))
check test "$(rows phases.svg.txt 1 | wc -l)" = 120
check text phases.svg 'mesh of 16 waveguides, layer 1 of 0 to 1: .*'
check text small.svg 'mesh of 4 waveguides: .*'
# Nodes count column by column, from top to bottom; phases are modulo 2 pi.
check test "$(rows phases.svg.txt 1 | cut -d' ' -f1,2 | sed -n '1p;8p;9p;120p' | paste -sd,)" = '0 0,0 14,1 1,15 13'
values run/best.nc theta | tail -n 120 |
  awk '{ t = $1; while (t < 0) t += 6.283185307179586; while (t >= 6.283185307179586) t -= 6.283185307179586;
    print t }' > want
rows phases.svg.txt 1 | cut -d' ' -f3 > got
check close_to 1e-6 got want

# Colours go around with the longest period of the style: 2 pi, or 4 pi where a phase enters halved.
check test "$(rows phases.svg.txt 0 | cut -d' ' -f4)" = 6.283185
printf '%s\n' -1 7 13 0 6.5 12 > phase
for style in symmetric differential; do
  netcdf styled.nc classic 'node=6' phase_style=$style theta:node:phase phi:node:phase
  expect 0 '' "$cuonn" plot phases styled.nc --output styled.svg --keep-data
  check test "$(rows styled.svg.txt 0 | cut -d' ' -f4)" = 12.566371
  check text styled.svg '4π'
  check test "$(rows styled.svg.txt 1 | cut -d' ' -f3 | paste -sd' ')" = \
    '11.566371 7.000000 0.433629 0.000000 6.500000 12.000000'
done
check test "$(rows styled.svg.txt 1 | cut -d' ' -f4 | paste -sd' ')" = \
  '11.566371 7.000000 0.433629 0.000000 6.500000 12.000000'

# Power: what enters is the features, no light is lost on the way, and a layer begins with the moduli that the last
# ended with.
expect 0 '' "$cuonn" plot power run/best.nc --example 3 --output power.svg --keep-data
check text power.svg 'test image 3, label 1: taken for class [0-9] with a probability of [0-9]+ %'
check text power.svg 'layer 1'
check test "$(rows power.svg.txt 1 | wc -l)" = 16
check awk 'function power(db) { return 10 ^ (db / 10) }
  { for (i = 1; i <= NF; i++) sum[i] += power($i); if ($17 != $18) bad = 1; columns = NF }
  END { for (i = 1; i <= columns; i++) if (sum[i] < 0.999 || sum[i] > 1.001) bad = 1;
    exit bad || columns != 34 }' <(rows power.svg.txt 1)

expect 0 '' "$cuonn" plot energy grid.nc --output energy.svg --keep-data
for label in 'modes N' 'energy of an operation / fJ' total dac laser; do check text energy.svg "$label"; done
check_not text energy.svg holding
# fJ an operation is 1000 / (TOPS/W), and the parts add up.
values grid.nc gradient_tops_per_watt | awk '{ print 1000 / $1 }' > want
rows energy.svg.txt 2 | tail -n +2 | cut -d' ' -f2 > got
check close_to 1e-5 got want
check awk '{ sum = 0; for (i = 3; i <= NF; i++) sum += $i; if (sum < 0.9999 * $2 || sum > 1.0001 * $2) exit 1 }' \
  <(rows energy.svg.txt 0 | tail -n +2)
# Measured against exact, of theta and phi of the second layer; cosine and error are those that gradient prints.
expect 0 '' "$cuonn" plot gradients gradient.nc --output gradients.svg --keep-data
for k in 1:theta 2:phi; do
  for kind in 1:exact_d 2:d; do
    rows gradients.svg.txt $((2 + ${k%:*})) | cut -d' ' -f${kind%:*} > got
    values gradient.nc ${kind#*:}_${k#*:} | tail -n 120 > want
    check close_to 1e-5 got want
  done
done
tr -d ' ' < gradient.json | grep -oE '"(gradient|relative)_error_of_layer":[^]]*' | sed 's/.*\[//' | tr ',' '\n' > want
{ rows gradients.svg.txt 0 | awk '{ print 1 - $1 }'; rows gradients.svg.txt 0 | cut -d' ' -f2; } > got
check close_to 1e-5 got want
for label in 'layer 1: cosine 0\.[0-9]{4}' 'relative error 0\.[0-9]+' 'exact derivative / \(1e-[0-9]/rad\)' theta phi \
  'measured = exact'; do
  check text gradients.svg "$label"
done

# Where no light is enough an operation has no energy.
expect 0 '' "$cuonn" energy --set energy.bits=12 --grid energy.modes=4:64:4 --output dark.nc
expect 3 '^cuonn plot: dark.nc: light carries the precision nowhere' "$cuonn" plot energy dark.nc --output dark.svg

# ------------------------------------------------------------------------------------------------------------ refusals
mkdir keep
cp curves.svg curves.svg.txt keep
kept=$work/keep
refuse() {
  local code=$1 regex=$2; shift 2
  expect "$code" "^cuonn plot: $regex" "$cuonn" plot "$@" --output keep/curves.svg --keep-data
}
refuse 2 "there is no figure 'curve'; there are: curves, confusion, examples, phases, power, energy" curve \
  run/metrics.csv
refuse 2 'the file to draw is missing' curves
refuse 2 "one argument is too many: 'b.nc'; phases is made from a mesh or a network" phases mesh.nc b.nc
refuse 2 '--example: found "-1"' power run/best.nc --example -1
refuse 2 '--example: found "1x"' power run/best.nc --example 1x
refuse 2 '--example 32: .*data has 32 test images' power run/best.nc --example 32
refuse 2 '--example 32: .*data has 32 test images' examples run/best.nc --example 32
refuse 2 '--layer 2: run/best.nc has 2 layers' phases run/best.nc --layer 2
for figure in 'curves run/metrics.csv' 'energy grid.nc'; do
  for option in '--example 1' '--layer 1' '--data data' '--backend cpu' '--threads 1' '--set energy.bits=4'; do
    refuse 2 "${option% *} is not for ${figure% *}$" $figure $option
  done
done
refuse 2 '--layer is not for power' power run/best.nc --layer 1
refuse 2 '--example is not for phases' phases run/best.nc --example 1
refuse 4 '.*cuda' power run/best.nc --backend cuda
refuse 3 'none.csv: ' curves run/metrics.csv none.csv
refuse 3 'run/best.nc: line 1 must be' curves run/best.nc
refuse 3 'run/metrics.csv: is not a netCDF file' phases run/metrics.csv
refuse 3 'grid.nc: .*theta' confusion grid.nc
refuse 3 'grid.nc: .*theta' power grid.nc
refuse 3 'run/best.nc: is no grid over energy.modes' energy run/best.nc
refuse 3 'exact.nc: has no exact derivatives beside measured ones; cuonn gradient --method' gradients exact.nc
refuse 3 'run/best.nc: .*d_gamma' gradients run/best.nc
refuse 3 'nowhere: ' examples run/best.nc --data nowhere
refuse 3 'mesh.nc: has 4 waveguides, but the features have N = 64' power mesh.nc
head -n 1 run/metrics.csv > empty.csv
refuse 3 'empty.csv: has no finished epoch' curves empty.csv
numbers 33153 1 3 > many
netcdf large.nc classic 'node=33153' '' theta:node:many phi:node:many
refuse 3 'large.nc: has 258 waveguides; a picture of a mesh has at most 128' phases large.nc
expect 2 '^cuonn plot: --output FIGURE.* is missing' "$cuonn" plot curves run/metrics.csv
for name in keep/new keep/new.gif keep/svg; do
  expect 2 "^cuonn plot: --output $name: the ending must be .svg, .png or .pdf" "$cuonn" plot curves run/metrics.csv \
    --output $name
done
expect 3 '^cuonn plot: grid.nc/a.svg: ' "$cuonn" plot curves run/metrics.csv --output grid.nc/a.svg --keep-data
mkdir keep/folder.svg
expect 3 '^cuonn plot: keep/folder.svg: is a folder' "$cuonn" plot curves run/metrics.csv --output keep/folder.svg \
  --keep-data

# ------------------------------------------------------------------------------------------- gnuplot and its scripts
kept=
mkdir none
expect 4 '^cuonn plot: gnuplot is not installed .*gnuplot-nox.*; what it would draw is in missing.svg.txt$' \
  env PATH="$work/none" "$cuonn" plot curves run/metrics.csv 'other run/metrics.csv' --output missing.svg
check_not test -e missing.svg
check cmp missing.svg.txt curves.svg.txt
expect 3 '^cuonn plot: none/curves.gp: No such file.*CUONN_PLOTS' env CUONN_PLOTS=none \
  "$cuonn" plot curves run/metrics.csv --output other.svg
# The settings that a user has for plots of their own are not asked.
mkdir home
echo 'set logscale y' > home/.gnuplot
expect 0 '' env HOME="$work/home" "$cuonn" plot curves run/metrics.csv 'other run/metrics.csv' --output home.svg
check cmp home.svg curves.svg
plots=$(dirname "$cuonn")/../share/cuonn/plots
cp -r "$(realpath "$plots")" own
sed -i 's/set xlabel "epoch"/set xlabel "own epoch"/' own/curves.gp
expect 0 '' env CUONN_PLOTS=own "$cuonn" plot curves run/metrics.csv --output own.svg --keep-data
check text own.svg 'own epoch'
check cmp own.svg <(gnuplot -c own/curves.gp own.svg.txt svg 2> /dev/null)
echo 'plot nothing' >> own/curves.gp
expect 1 '^cuonn plot: own/curves.gp: gnuplot failed: .*undefined variable: nothing' env CUONN_PLOTS=own \
  "$cuonn" plot curves run/metrics.csv --output broken.svg
check_not test -e broken.svg
finish
