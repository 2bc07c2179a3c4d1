# train and eval on real images: what a run leaves, that it learns, what is refused before anything is written.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 2048 512
small_config "$work/data" > config.yaml

same_run() { # two runs with the same phases and the same numbers, times apart
  local v
  for v in theta phi first_moment_theta second_moment_phi; do
    same_values 0 "$1/last.nc" $v "$2/last.nc" $v || return 1
  done
  diff <(cut -d, -f1-4 "$1/metrics.csv") <(cut -d, -f1-4 "$2/metrics.csv")
}
column() { tail -n 1 "$1/metrics.csv" | cut -d, -f"$2"; }

# ------------------------------------------------------------------------------------------------------------ one run
expect 0 '' "$cuonn" train config.yaml --output run --set training.optimizer.learning_rate=0.01 \
  --set training.batch_size=32
output '^training 2 layers of N = 16 for 10 classes on 2048 images \(512 to test\) in .*/data, backend reference$'
output '^epoch 1/2  train loss [0-9.]+  test loss [0-9.]+  test accuracy 0\.[0-9]{4}  [0-9.]+ s  [0-9]+ examples/s  ' \
  'best$'
output '^epoch 2/2 '
output '^done: 2 epochs in .* best test accuracy 0\.[0-9]+; phases in run/last.nc and run/best.nc$'
output '^report in run/report.html$'
check test "$(wc -l < out)" = 5
check test "$(cd run && echo *)" = 'best.nc config.yaml last.nc metrics.csv report.html'
check test "$(head -n 1 run/metrics.csv)" = epoch,train_loss,test_loss,test_accuracy,seconds,examples_per_second
check test "$(cut -d, -f1 run/metrics.csv | paste -sd,)" = epoch,1,2
# 2048 images and 4 epochs give .65 to .69 (the start is a guess, .1); two of them are half way there.
check awk "BEGIN { exit !($(column run 4) > 0.4) }"

# The configuration that the run wrote makes the same run again, here with JSON.
expect 0 '' "$cuonn" train run/config.yaml --output again --json
check same_run run again
epoch='"epoch":[12],"of":2,"train_loss":0\.[0-9]+,"test_loss":0\.[0-9]+,"test_accuracy":0\.[0-9]+,"seconds":[0-9.e-]+'
check test "$(grep -cE '^\{'"$epoch"',"examples_per_second":[0-9.e+]+\}$' out)" = 2
end='"result":"done","epochs":2,"step":128,"test_accuracy":0\.[0-9]+,"best_test_accuracy":0\.[0-9]+'
check test "$(sed -n 3p out | grep -cE '^\{'"$end"',"seconds":[0-9.]+,"directory":"again"\}$')" = 1
check test "$(wc -l < out)" = 3
expect 0 '' "$cuonn" train config.yaml --output slower
check_not same_run run slower > differences

# A terminal shows a bar that is taken away before each line.
script -qec "$cuonn train config.yaml --output bar" typescript > /dev/null < /dev/null
check grep -q $'\r\[[#.]*\]  epoch [12]/2  step [0-9]*/32  loss [0-9.]*  [0-9]* examples/s  [0-9]*:[0-9][0-9] left' \
  typescript
check grep -qE $'\r +\repoch 2/2  train loss' typescript
# No terminal gets escape codes, and one that is called dumb no bar.
check_not grep -q $'\e' typescript
NO_COLOR=1 script -qec "$cuonn train config.yaml --output bar-plain" typescript > /dev/null < /dev/null
check grep -qE $'\r +\repoch 2/2  train loss' typescript
check_not grep -q $'\e' typescript
TERM=dumb script -qec "$cuonn train config.yaml --output bar-dumb" typescript > /dev/null < /dev/null
check grep -q '^epoch 2/2  train loss' typescript
check_not grep -qE $'\e|\r\\[|step 1/' typescript

# ------------------------------------------------------------------------------------------------------------- settings
expect 0 '' "$cuonn" train config.yaml --output other --set training.optimizer.name=sgd \
  --set training.optimizer.momentum=0.9 \
  --set training.order=shuffled --set training.schedule=cosine --set training.drop_last=false \
  --set training.batch_size=60 \
  --set network.phase_style=symmetric --set network.start=haar-phases --set network.layers=1 \
  --set network.loss_per_class=false \
  --set data.features=resample --set data.side=4 --set data.border=2 --set training.epochs=1
check test "$(column other 1)" = 1
expect 0 '' "$cuonn" eval other/last.nc
for b in $(backends); do
  expect 0 '' "$cuonn" train config.yaml --output "on-$b" --backend "$b" --threads 2 --set training.epochs=1
  output "backend $b$"
done

# A start of one's own: with a vanishing learning rate the phases stay what they are.
numbers 240 1 6.28 > theta
numbers 240 2 6.28 > phi
netcdf start.nc netCDF-4 'layer=2 node=120' '' theta:layer,node:theta phi:layer,node:phi
still='--set training.epochs=1 --set training.optimizer.name=sgd --set training.optimizer.learning_rate=1e-300'
expect 0 '' "$cuonn" train config.yaml --output own $still --set network.start=file --set network.start_file=start.nc
for v in theta phi; do check same_values 0 own/last.nc $v start.nc $v; done
awk 'BEGIN { for (l = 0; l < 2; l++) for (r = 0; r < 16; r++) for (c = 0; c < 16; c++) { print (r == (c + l) % 16);
  print 0 } }' > unitary
netcdf unitaries.nc classic 'layer=2 row=16 column=16 complex=2' '' unitary:layer,row,column,complex:unitary
expect 0 '' "$cuonn" train config.yaml --output own-u $still --set network.start=file \
  --set network.start_file=unitaries.nc

# ----------------------------------------------------------------------------------------------------------------- eval
expect 0 '' "$cuonn" eval run/last.nc
output '^examples  512$'
check awk -v a="$(column run 4)" '$1 == "accuracy" { exit !($2 - a < 6e-5 && a - $2 < 6e-5) }' out
check awk '/^ +[0-9]+ / && ++n > 1 { if (NF != 11) exit 1; for (i = 2; i <= NF; i++) s += $i; d += $(n) }
  END { exit !(s == 512 && n == 11) }' out
check awk '/^ +[0-9]+ / && ++n > 1 { d += $n } /^accuracy/ { a = $2 } END { e = d / 512 - a;
  exit !(e < 6e-5 && -e < 6e-5) }' out
expect 0 '' "$cuonn" eval run/last.nc --json
output '^\{"checkpoint":"run/last.nc","backend":"reference","examples":512,"correct":[0-9]+,"accuracy":0\.[0-9]+,' \
  '"loss":0\.[0-9]+,"confusion":\[\[[0-9,]+\](,\[[0-9,]+\]){9}\]\}$'
grep -oE '"loss":[0-9.e-]+' out | cut -d: -f2 > got
column run 3 > want
check close_to 1e-15 got want # the same sum by the same program
for b in $(backends); do
  expect 0 '' "$cuonn" eval run/best.nc --data data --backend "$b" --json
  output "\"backend\":\"$b\""
  grep -oE '"loss":[0-9.e-]+' out | cut -d: -f2 > got
  awk -F, 'NR > 1 && $4 > best { best = $4; loss = $3 } END { printf "%s\n", loss }' run/metrics.csv > want
  check close_to 1e-5 got want # float: two layers of 16 columns
done
# A file with nothing but the phases does as well, when it is told the features. gamma does not matter to moduli.
for v in theta phi; do values run/last.nc $v > $v; done
netcdf foreign.nc netCDF-4 'layer=2 node=120' '' theta:layer,node:theta phi:layer,node:phi
expect 0 '' "$cuonn" eval foreign.nc --data data --set data.radius=2 --json --backend reference
grep -oE '"loss":[0-9.e-]+' out | cut -d: -f2 > got
column run 3 > want
check close_to 1e-12 got want
expect 0 '' "$cuonn" eval foreign.nc --config config.yaml --json
expect 3 '^cuonn eval: foreign.nc: has 16 waveguides, but the features have N = 64' "$cuonn" eval foreign.nc --data data
expect 2 '^cuonn eval: foreign.nc: network.layers may not differ' "$cuonn" eval foreign.nc --config config.yaml \
  --set network.layers=3
expect 2 '^cuonn eval: run/last.nc: network.classes may not differ' "$cuonn" eval run/last.nc --set network.classes=9
expect 3 '^cuonn eval: none.nc: ' "$cuonn" eval none.nc
expect 3 '^cuonn eval: .*/nowhere' "$cuonn" eval run/last.nc --data "$work/nowhere"

# Many chips: the first is the chip of the seed, and without errors and noise all are the same.
expect 0 '' "$cuonn" eval run/last.nc --chips 3 --json
output '^\{"checkpoint":"run/last.nc","chips":3,.*"std_accuracy":0\.0,'
for b in $(backends); do
  expect 0 '' "$cuonn" eval run/last.nc --chips 5 --set chip.coupler_std=0.1 --set chip.io_amplitude=0.1 --backend "$b"
  output '^accuracy  0\.[0-9]+ mean, 0\.[0-9]*[1-9][0-9]* standard deviation$'
done
expect 0 '' "$cuonn" eval run/last.nc --set chip.seed=7 --set chip.coupler_std=0.1 --json
grep -oE '"accuracy":[0-9.]+' out | cut -d: -f2 > got
expect 0 '' "$cuonn" eval run/last.nc --chips 2 --set chip.seed=7 --set chip.coupler_std=0.1 --json
grep -oE '"accuracy":\[[0-9.]+' out | cut -d'[' -f2 > want
check diff got want
expect 2 '^cuonn eval: --chips is 0; it must be 1 to' "$cuonn" eval run/last.nc --chips 0

# ---------------------------------------------------------------------------------------------------------- in situ
noise='--set training.gradient=analog --set chip.measurement=matrix --set chip.tap_shot=0.02 --set chip.loss_std=0.1'
for b in $(backends); do
  expect 0 '' "$cuonn" train config.yaml --output situ-$b --backend "$b" $noise
  columns=epoch,train_loss,test_loss,test_accuracy,seconds,examples_per_second
  for number in small batch small_layer_0 small_layer_1 batch_layer_0 batch_layer_1; do
    columns+=,gradient_error_$number
  done
  check test "$(head -n 1 situ-$b/metrics.csv)" = "$columns"
  check awk -F, 'NR > 1 && !($7 > 1e-6 && $7 < 1 && $8 > 1e-6 && $8 < 1) { exit 1 }' situ-$b/metrics.csv
  column situ-$b 3 > got
  [ -f situ-loss ] || cp got situ-loss
  check close_to 1e-3 got situ-loss # the same noise; float, and Adam magnifies what is nearly 0
done
# Compared with the exact gradient after the last epoch alone; a resumed run may do so more often. The same losses.
expect 0 '' "$cuonn" train config.yaml --output situ-seldom --backend cpu $noise --set training.gradient_error_every=0
check awk -F, 'NR > 1 && !(NF == 12 && $7 == "" && $8 == "" && $12 == "") { exit 1 }' situ-seldom/metrics.csv
for number in 2 3 4; do
  column situ-seldom $number > got
  column situ-cpu $number > want
  check diff got want
done
more=$(($(wc -l < situ-seldom/metrics.csv) + 1))
expect 0 '' "$cuonn" train --resume situ-seldom --set training.epochs=$more \
  --set training.gradient_error_every=100 --json
output '"gradient_error_small":null'
output '"gradient_error_small":0\.[0-9]+.*"gradient_error_batch_layer":\[0\.'
check awk -F, 'NR > 1 { if (($7 == "") != (NR <= '$more')) exit 1 }' situ-seldom/metrics.csv
expect 0 '' "$cuonn" report situ-seldom

# Errors of each node from a file: here those of another run's checkpoint.
expect 0 '' "$cuonn" train config.yaml --output situ-file --set training.epochs=1 \
  --set chip.errors_file=situ-reference/last.nc
values situ-file/last.nc loss_db > got
values situ-reference/last.nc loss_db > loss_db
check diff got loss_db
expect 0 '' "$cuonn" eval situ-file/last.nc --set chip.errors_file=situ-reference/last.nc
check awk '$1 < 0 || $1 != $1 { exit 1 } $1 > 0 { n++ } END { exit !(n == 480) }' loss_db
expect 0 '' "$cuonn" eval situ-reference/last.nc
check awk -v a="$(column situ-reference 4)" '$1 == "accuracy" { exit !($2 - a < 6e-5 && a - $2 < 6e-5) }' out

# ------------------------------------------------------------------------------ refused, and nothing is made or touched
mkdir keep keep/readable
cp -r run keep
cp config.yaml start.nc keep
kept=$work/keep
refuse() { local code=$1 regex=$2; shift 2; expect "$code" "$regex" "$cuonn" train "$@"; }
refuse 3 '^cuonn train: none.yaml: ' none.yaml --output keep/new
refuse 2 '^cuonn train: .*training.epoch[^s]' config.yaml --set training.epoch=3 --output keep/new
refuse 2 '^cuonn train: .*training.epochs.*5\.5' config.yaml --set training.epochs=5.5 --output keep/new
refuse 2 '^cuonn train: ' config.yaml --set training.epochs --output keep/new
printf 'data:\n  radius: 2\nnetwork:\n  modes: 1e-3x\n' > bad.yaml
refuse 2 '^cuonn train: bad.yaml:4.*network.modes.*1e-3x' bad.yaml --output keep/new
refuse 2 '^cuonn train: .*network.modes.*(17|16)' config.yaml --set network.modes=17 --output keep/new
refuse 2 '^cuonn train: training.gradient .*differential' config.yaml --set network.phase_style=differential \
  --set training.gradient=analog --output keep/new
refuse 2 '^cuonn train: method dense has no measured gradients' config.yaml --backend cpu --output keep/new \
  --set backend.method=dense --set training.gradient=analog
seq 12 > twelve
netcdf wrong.nc classic 'layer=2 few=3 side=2' '' coupler_error:layer,few,side:twelve
refuse 3 '^cuonn train: wrong.nc: .*coupler_error' config.yaml --output keep/new --set chip.errors_file=wrong.nc
refuse 3 '^cuonn train: foreign.nc: has neither coupler_error' config.yaml --output keep/new \
  --set chip.errors_file=foreign.nc
refuse 3 '^cuonn train: none.nc: ' config.yaml --output keep/new --set chip.errors_file=none.nc
refuse 2 '^cuonn train: .*chip.io_phase.*-1' config.yaml --set chip.io_phase=-1 --output keep/new
refuse 2 '^cuonn train: .*symmetric' config.yaml --set network.phase_style=symmetric --output keep/new
refuse 3 '^cuonn train: .*data: .*28' config.yaml --set data.radius=15 --set network.modes=900 --output keep/new
refuse 2 '^cuonn train: training.batch_size is 4096, but .*/data has only 2048' config.yaml \
  --set training.batch_size=4096 --output keep/new
refuse 3 '^cuonn train: .*train-labels-idx1-ubyte.*9' config.yaml --set network.classes=9 --output keep/new
refuse 4 '^cuonn train: .*cuda' config.yaml --backend cuda --output keep/new
refuse 2 '^cuonn train: run: .*last.nc' config.yaml --output run
refuse 3 '^cuonn train: config.yaml: is a file' config.yaml --output config.yaml/new
refuse 3 '^cuonn train: keep/config.yaml: ' config.yaml --output keep/config.yaml
own='--set network.start=file --set network.start_file'
refuse 3 '^cuonn train: none.nc: ' config.yaml --output keep/new $own=none.nc
refuse 3 '^cuonn train: start.nc: ' config.yaml --output keep/new $own=start.nc --set network.layers=3
{ echo NaN; tail -n +2 theta; } > nan
netcdf nan.nc classic 'layer=2 node=120' '' theta:layer,node:nan phi:layer,node:phi
refuse 3 '^cuonn train: nan.nc: .*theta' config.yaml --output keep/new $own=nan.nc
refuse 2 '^cuonn train: .*start_file' config.yaml --output keep/new --set network.start=file
refuse 3 '^cuonn train: keep/readable/last.nc: ' --resume keep/readable
finish
