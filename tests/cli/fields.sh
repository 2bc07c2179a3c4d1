# Fields of one's own: training, testing, and everything that takes a trained network; and what is refused.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1

# Three classes of fields over five waveguides that noise blurs: FILE COUNT SEED real|complex.
make_fields() {
  awk -v n="$2" -v seed="$3" -v kind="$4" 'BEGIN {
    srand(seed)
    for (e = 0; e < n; e++) {
      label = int(3 * rand())
      print label > "label"
      for (w = 0; w < 5; w++) {
        x = (w % 3 == label ? 1.5 : -0.5) + rand() - 0.5
        print x > "input"
        if (kind == "complex") print rand() - 0.5 > "input"
      }
    }
  }'
  local over=example,waveguide
  [[ $4 == complex ]] && over+=,complex
  netcdf "$1" "${5:-classic}" "example=$2 waveguide=5 complex=2" '' "input:$over:input" label:example:label:int
}

config() {
  cat << END
data: {kind: fields, train: train.nc, test: test.nc, pad: true, reference: true}
network: {modes: 8, layers: 2, classes: 3}
training: {epochs: 12, batch_size: 16, optimizer: {learning_rate: 0.03}}
backend: {name: reference}
END
}

make_fields train.nc 192 1 complex
make_fields test.nc 64 2 complex netCDF-4
config > config.yaml
expect 0 '' "$cuonn" train config.yaml --output run
output '^training 2 layers of N = 8 for 3 classes on 192 fields \(64 to test\) in train.nc, backend reference$'
check awk -F, 'NR > 1 && $4 > best { best = $4 } END { exit !(best > 0.9) }' run/metrics.csv
best=$(awk -F, 'NR > 1 && $4 > best { best = $4 } END { printf "%.4f", best }' run/metrics.csv)
expect 0 '' "$cuonn" eval run/best.nc
output "^accuracy  $best$"
output '^examples  64$'
expect 0 '' "$cuonn" eval run/best.nc --chips 2 --set chip.coupler_std=0.01

# The same numbers in a run that was stopped between, and on the cpu in single precision.
expect 0 '' "$cuonn" train config.yaml --output short --set training.epochs=5
expect 0 '' "$cuonn" train --resume short --set training.epochs=12
check same_values 0 short/last.nc theta run/last.nc theta
expect 2 'data.reference may not differ' "$cuonn" train --resume short --set training.epochs=13 \
  --set data.reference=false
expect 2 'data.pad may not differ' "$cuonn" train --resume short --set training.epochs=13 --set data.pad=false
expect 0 '' "$cuonn" train config.yaml --output float --backend cpu
check close_to 1e-4 <(cut -d, -f2,3 float/metrics.csv | tail -n +2 | tr , '\n') \
  <(cut -d, -f2,3 run/metrics.csv | tail -n +2 | tr , '\n')

# By hand: the reference behind the data's own, dark ones behind it.
netcdf by-hand.nc classic "example=192 waveguide=8 complex=2" '' \
  input:example,waveguide,complex:<(values train.nc input | awk '{ print } NR % 10 == 0 { print "1\n0\n0\n0\n0\n0" }') \
  label:example:<(values train.nc label):int
netcdf by-hand-test.nc classic "example=64 waveguide=8 complex=2" '' \
  input:example,waveguide,complex:<(values test.nc input | awk '{ print } NR % 10 == 0 { print "1\n0\n0\n0\n0\n0" }') \
  label:example:<(values test.nc label):int
expect 0 '' "$cuonn" train config.yaml --output by-hand --set data.train=by-hand.nc --set data.test=by-hand-test.nc \
  --set data.pad=false --set data.reference=false
check same_values 0 by-hand/last.nc theta run/last.nc theta

# Gradients: of the first training examples, and of files with and without the reference.
expect 0 '' "$cuonn" gradient run/last.nc --images 192 --output images.nc --json
expect 0 '' "$cuonn" gradient run/last.nc --input train.nc --output input.nc
expect 0 '' "$cuonn" gradient run/last.nc --input by-hand.nc --output wide.nc

# methods: matrices on the cpu backend, for what is computed
dense='--set backend.method=dense'
expect 0 '' "$cuonn" gradient run/last.nc --images 192 --output dense.nc --backend cpu $dense
expect 0 '' "$cuonn" eval run/last.nc --backend cpu $dense
expect 0 '' "$cuonn" train config.yaml --output by-dense --backend cpu $dense
check grep -q 'method: dense' by-dense/config.yaml
expect 0 '' "$cuonn" eval by-dense/last.nc --backend reference # however it was trained
expect 0 '' "$cuonn" gradient by-dense/last.nc --images 192 --output by-dense.nc --backend reference
expect 2 '^cuonn eval: backend reference has no method dense' "$cuonn" eval by-dense/last.nc --backend reference $dense
expect 2 '^cuonn gradient: backend reference has no method dense' "$cuonn" gradient run/last.nc --images 192 \
  --output dense.nc $dense
expect 2 '^cuonn gradient: method dense has no measured gradients' "$cuonn" gradient run/last.nc --images 192 \
  --output dense.nc --backend cpu --method analog $dense
check same_values 0 images.nc d_theta input.nc d_theta
check same_values 0 images.nc d_phi wide.nc d_phi
expect 2 '^cuonn gradient: --images 193: train.nc has 192 training fields$' "$cuonn" gradient run/last.nc --images 193 \
  --output no.nc

# Everything else that takes a network.
for figure in examples power confusion; do
  expect 0 '' "$cuonn" plot $figure run/best.nc --output $figure.svg --keep-data
  check xmllint --noout $figure.svg
done
check grep -q '<text>field 5' examples.svg
check grep -q 'real part' examples.svg
check grep -q 'test field 0, label' power.svg
check grep -q 'of 64 test fields right' confusion.svg
check grep -q "share of the label's fields" confusion.svg
expect 2 '^cuonn plot: --example 64: train.nc has 64 test fields, counted from 0$' "$cuonn" plot power run/best.nc \
  --example 64 --output no.svg
expect 0 '' "$cuonn" report run
expect 0 '' "$cuonn" energy --network run/best.nc
output '192'
expect 0 '' "$cuonn" sweep config.yaml --set "training.seed=[0, 1]" --set training.epochs=2 --output sweep
output '2 layers of N = 8 on 192 fields \(64 to test\) in train.nc'
check grep -q 'epochs on the fields in <code>train.nc</code>' sweep/report.html

# Elsewhere: --data names the folder of both files.
mkdir elsewhere
mv train.nc test.nc elsewhere
expect 3 '^cuonn eval: train.nc: ' "$cuonn" eval run/best.nc
expect 0 '' "$cuonn" eval run/best.nc --data elsewhere
output "^accuracy  $best$"
expect 0 '' "$cuonn" plot confusion run/best.nc --data elsewhere --output moved.svg
mv elsewhere/* .

# Real fields: the same as complex ones whose imaginary parts are 0.
make_fields real.nc 100 3 real
netcdf flat.nc classic "example=100 waveguide=5 complex=2" '' \
  input:example,waveguide,complex:<(values real.nc input | awk '{ print; print 0 }') \
  label:example:<(values real.nc label):int
for f in real flat; do
  expect 0 '' "$cuonn" train config.yaml --output $f --set data.train=$f.nc --set data.test= \
    --set data.test_share=0.25 --set training.epochs=2
  output '75 fields \(25 to test\)'
done
check same_values 0 real/last.nc theta flat/last.nc theta
expect 0 '' "$cuonn" train config.yaml --output other --set data.train=real.nc --set data.test= \
  --set data.test_share=0.25 --set data.seed=1 --set training.epochs=2
check_not cmp -s <(tail -1 other/metrics.csv | cut -d, -f2-4) <(tail -1 real/metrics.csv | cut -d, -f2-4)

# The sign of the input: without a reference the modulus of every output is that of the input turned round.
netcdf signs.nc classic "example=64 waveguide=5" '' \
  input:example,waveguide:<(for e in {1..64}; do for w in 1 2 3 4 5; do echo "$((e % 2 ? 1 : -1)).$w"; done; done) \
  label:example:<(for e in {1..64}; do echo $((e % 2)); done):int
sign="--set data.train=signs.nc --set data.test=signs.nc --set network.classes=2 --set training.epochs=40"
# shellcheck disable=SC2086
expect 0 '' "$cuonn" train config.yaml --output blind $sign --set data.reference=false
check [ "$(tail -1 blind/metrics.csv | cut -d, -f4)" = 0.5 ]
# shellcheck disable=SC2086
expect 0 '' "$cuonn" train config.yaml --output seeing $sign
check [ "$(tail -1 seeing/metrics.csv | cut -d, -f4)" = 1 ]

# Refused: one line, before anything is written.
mkdir keep
kept=$work/keep
refuse() {
  local code=$1 regex=$2; shift 2
  expect "$code" "^cuonn train: $regex" "$cuonn" train config.yaml --output keep/new "$@"
}
advice='network.modes is 8: set it to 6, or data.pad to true'
refuse 3 "train.nc: input has 5 waveguides and the reference one more .*$advice" \
  --set data.pad=false
refuse 3 'train.nc: input has 5 waveguides, but network.modes is 8: set it to 5, or data.pad' --set data.pad=false \
  --set data.reference=false
refuse 3 'train.nc: input has 5 waveguides, but network.modes is 4: set it to 5 or more' --set network.modes=4 \
  --set data.reference=false
refuse 3 'train.nc: input has 5 waveguides and .*network.modes is 5: set it to 6 or more' --set network.modes=5
refuse 3 'none.nc: ' --set data.train=none.nc
refuse 3 'none.nc: ' --set data.test=none.nc
refuse 2 'data.kind is fields, but data.train is empty' --set data.train=
refuse 2 'data.kind is fields, but nothing says what to test with' --set data.test=
refuse 2 'data.test and data.test_share are both set' --set data.test_share=0.5
refuse 2 '.*data.test_share: found "1"' --set data.test_share=1
refuse 2 'data.train is set, but data.kind is images' --set data.kind=images
refuse 3 'train.nc: label 2 of example [0-9]+, but there are 2 classes' --set network.classes=2
refuse 2 'training.batch_size is 500, but train.nc has only 192' --set training.batch_size=500
netcdf uneven.nc classic 'example=4 other=3 waveguide=5' '' input:example,waveguide:<(numbers 20 1 1) \
  label:other:<(printf '0\n1\n2\n'):int
refuse 3 'uneven.nc: input has 4 examples, but label has 3' --set data.train=uneven.nc
expect 3 '^cuonn gradient: uneven.nc: input has 4 examples, but label has 3' "$cuonn" gradient run/last.nc \
  --input uneven.nc --output keep/no.nc
netcdf unlabelled.nc classic 'example=4 waveguide=5' '' input:example,waveguide:<(numbers 20 1 1)
refuse 3 'unlabelled.nc: has no variable label' --set data.train=unlabelled.nc
netcdf single.nc classic 'example=1 waveguide=5' '' input:example,waveguide:<(numbers 5 1 1) label:example:<(echo 0):int
refuse 3 'single.nc: a share of 0.5 for tests leaves none of 1 examples' --set data.train=single.nc --set data.test= \
  --set data.test_share=0.5
finish
