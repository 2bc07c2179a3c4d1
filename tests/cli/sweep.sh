# sweep on real images: what it leaves, that each run is the same as alone, kill and resume, a run that diverges,
# refusals.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 1024 256
small_config "$work/data" > config.yaml
sed 's/^training:/training:\n  seed: [3, 4]\n  optimizer:\n    learning_rate: [0.01, 0.03]\n    name: [sgd, adam]/' \
  config.yaml > grid.yaml
set -m # background jobs keep SIGINT, which a script's jobs ignore otherwise

same_network() { # two checkpoints with the same phases and optimizer
  local v
  for v in theta phi first_moment_theta second_moment_phi; do same_values 0 "$1" $v "$2" $v || return 1; done
}
# What sweep.nc holds but times and the configuration, as text.
results() {
  ncdump -p 9,17 "$1/sweep.nc" | sed -n '/^variables:/,/^\/\/ global/p; /^data:/,$p' | sed '/^ seconds =/,/;$/d'
}
attribute() { ncdump -h "$1" | sed -n "s/^\t\t:$2 = \"*\([^\"]*\)\"* ;$/\1/p"; }

# ------------------------------------------------------------------------------------------------------------ one sweep
expect 0 '' "$cuonn" sweep grid.yaml --output run
output '^sweep of 8 runs, 8 to do, 2 epochs each: 2 layers of N = 16 on 1024 images \(256 to test\) in .*/data, ' \
  'backend reference$'
output '^  seed: 3 4$'
output '^  optimizer: sgd adam$'
output '^  learning_rate / radians: 0\.01 0\.03$'
output '^ +run  test error  train error  seed  optimizer  learning_rate / radians$'
output '^best    00000[2367]      0\.[0-9]{4}       0\.[0-9]{4}     [34]       adam +0\.0[13]$' # sgd needs larger rates
output '^worst   00000[0145]      0\.[0-9]{4}       0\.[0-9]{4}     [34]        sgd +0\.0[13]$'
output '^done: 8 of 8 runs finished, 0 failed, in [0-9.]+ s; results in run/sweep.nc$'
output '^report in run/report.html$'
check test "$(cd run && echo * && cd runs && echo *)" = 'networks report.html runs sweep.nc sweep.yaml
000000.nc 000001.nc 000002.nc 000003.nc 000004.nc 000005.nc 000006.nc 000007.nc'

# Coordinates are the keys that had lists, and numbers stand over them.
ncdump -h run/sweep.nc > header
for line in 'double seed(seed)' 'double learning_rate(learning_rate)' 'char optimizer(optimizer, optimizer_length)' \
  'double epoch(epoch)' \
  'double train_error(seed, optimizer, learning_rate, epoch)' \
  'double test_error(seed, optimizer, learning_rate, epoch)' \
  'double train_loss(seed, optimizer, learning_rate, epoch)' 'double test_loss(seed, optimizer, learning_rate, epoch)' \
  'double seconds(seed, optimizer, learning_rate, epoch)' 'short status(seed, optimizer, learning_rate)' \
  'char reason(seed, optimizer, learning_rate, reason_length)' 'learning_rate:units = "radians"'; do
  check grep -qF "$line ;" header
done
check_not grep -q 'gradient_error_[bs]' header # exact gradients have none
check test "$(ncdump -v optimizer run/sweep.nc | sed -n '/^ optimizer =/,/;/p' | tr -d ' \n')" = \
  'optimizer="sgd","adam";'
check test "$(values run/sweep.nc seed | paste -sd,)" = 3,4
check test "$(values run/sweep.nc epoch | paste -sd,)" = 1,2
check test "$(values run/sweep.nc status | sort -u)" = 0

# Each run is what cuonn train makes of its configuration: here seed 4, adam, 0.03, which is the last of 8.
one='--set training.seed=4 --set training.optimizer.name=adam --set training.optimizer.learning_rate=0.03'
for b in $(backends); do
  expect 0 '' "$cuonn" sweep grid.yaml --output on-$b --backend "$b" --threads 2
  expect 0 '' "$cuonn" train config.yaml --output one-$b --backend "$b" --threads 1 $one
  check same_network on-$b/networks/000007.nc one-$b/last.nc
  check test "$(attribute on-$b/networks/000007.nc step)" = 32
  for column in 2:train_loss 3:test_loss; do
    values on-$b/sweep.nc ${column#*:} | tail -2 > got
    tail -2 one-$b/metrics.csv | cut -d, -f${column%:*} > want
    check close_to 0 got want
  done
  values on-$b/sweep.nc test_error | tail -2 > got
  tail -2 one-$b/metrics.csv | cut -d, -f4 | awk '{ printf "%.17g\n", 1 - $1 }' > want
  check close_to 1e-15 got want
done
expect 0 '' "$cuonn" eval run/networks/000007.nc
check awk -v e="$(values run/sweep.nc test_error |
  tail -1)" '$1 == "accuracy" { exit !(1 - e - $2 < 6e-5 && $2 - 1 + e < 6e-5) }' out

# Repeats are seeds; settings replace lists; JSON says every run and the end.
expect 0 '' "$cuonn" sweep config.yaml --output seeds --json --set sweep.repeats=2 --set training.epochs=1 \
  --set "training.drop_last=[false, true]"
numbers='"train_error":0\.[0-9]+,"test_error":0\.[0-9]+,"train_loss":0\.[0-9]+,"test_loss":0\.[0-9]+\}'
start='^\{"run":[0-3],"of":4,"point":\{"drop_last":"(true|false)","seed":[01]\},'
start+='"status":"[a-z]+","reason":"","epochs":1,'
check test "$(grep -cE "$start$numbers$" out)" = 4
output '^\{"result":"done","runs":4,"finished":4,"failed":0,"best":[0-3],"worst":[0-3],"seconds":[0-9.]+,' \
  '"directory":"seeds"\}$'
check test "$(values seeds/sweep.nc seed | paste -sd,)" = 0,1

# Keys of a group advance together: one dimension, which has the name of the first, and coordinates over it. Each run is
# what cuonn train makes of its pair.
cat >> config.yaml <<'END'
sweep:
  zip: []
END
sed 's/^  zip:.*/  zip: [[training.optimizer.learning_rate, training.optimizer.name], [training.seed, chip.seed]]/
  s/^training:/chip:\n  seed: [7, 8]\ntraining:\n  seed: [3, 4]\n  optimizer:/
  s/\n  optimizer:/&\n    name: [sgd, adam, sgd]\n    learning_rate: [0.3, 0.03, 0.1]/' \
  config.yaml > zip.yaml
expect 0 '' "$cuonn" sweep zip.yaml --output zip
output '^sweep of 6 runs, 6 to do'
output '^  chip_seed, together with that: 7 8$'
output '^  learning_rate / radians, together with that: 0\.3 0\.03 0\.1$'
ncdump -h zip/sweep.nc > header
for line in 'double seed(seed)' 'double chip_seed(seed)' 'char optimizer(optimizer, optimizer_length)' \
  'double learning_rate(optimizer)' \
  'double test_error(seed, optimizer, epoch)' 'short status(seed, optimizer)' \
  'test_error:coordinates = "chip_seed learning_rate"'; do
  check grep -qF "$line ;" header
done
check test "$(values zip/sweep.nc learning_rate | paste -sd,)" = \
  0.29999999999999999,0.029999999999999999,0.10000000000000001
expect 0 '' "$cuonn" train config.yaml --output one-zip --set training.seed=4 --set chip.seed=8 \
  --set training.optimizer.name=adam \
  --set training.optimizer.learning_rate=0.03
check same_network zip/networks/000004.nc one-zip/last.nc
rm zip/runs/000004.nc zip/networks/000004.nc zip/sweep.nc
expect 0 '' "$cuonn" sweep --resume zip
output '^sweep of 6 runs, 1 to do'
check same_network zip/networks/000004.nc one-zip/last.nc
expect 2 '^cuonn sweep: zip/sweep.yaml: the lists of values may not differ from what the sweep was started with$' \
  "$cuonn" sweep --resume zip \
  --set 'sweep.zip=[[training.optimizer.learning_rate, training.optimizer.name]]'
uneven='training.optimizer.name has 2 values, but training.optimizer.learning_rate has 3, and'
expect 2 "^cuonn sweep: sweep.zip: $uneven" \
  "$cuonn" sweep zip.yaml --output none --set 'training.optimizer.name=[sgd, adam]'
expect 2 '^cuonn sweep: sweep.zip names chip.seed, which has no list' "$cuonn" sweep zip.yaml --output none \
  --set chip.seed=1
expect 2 '^cuonn train: zip.yaml:[0-9]+: .*for cuonn sweep$' "$cuonn" train zip.yaml --output none
check_not test -e none

# A sweep of an earlier version had one rate for sgd and one for adam; its directory is read, and gone on with.
expect 0 '' "$cuonn" sweep config.yaml --output former --set 'training.optimizer.name=[adam, sgd]' \
  --set 'training.optimizer.learning_rate=[0.03, 0.3]' \
  --set 'sweep.zip=[[training.optimizer.name, training.optimizer.learning_rate]]'
sed -i '/^  zip:/d; s/^    learning_rate:.*/    learning_rate: 0.03\n    sgd_learning_rate: 0.3/' former/sweep.yaml
results former > whole
rm former/runs/000001.nc former/sweep.nc
expect 0 '' "$cuonn" sweep --resume former
results former > pieces
check diff whole pieces
expect 0 '' "$cuonn" report former
expect 2 'the lists of values may not differ from what the sweep' "$cuonn" sweep --resume former --set sweep.zip=[]
former='training.optimizer: the key "training.optimizer.sgd_learning_rate" is no more'
expect 2 "^cuonn sweep: former/sweep.yaml:[0-9]+: $former" \
  "$cuonn" sweep former/sweep.yaml --output none

# A terminal shows a bar.
script -qec "$cuonn sweep grid.yaml --output bar --backend cpu" typescript > /dev/null < /dev/null
check grep -qE $'\r\[[#.]*\]  run [0-8]/8  8 at a time  [0-9]+ steps/s  [0-9]+:[0-9][0-9] left' typescript

# --------------------------------------------------------------------------------------------------------- going on
# A sweep that is done is left alone, and repeats nothing.
before=$(fingerprint run/runs; fingerprint run/networks)
expect 0 '' "$cuonn" sweep --resume run
output '^sweep of 8 runs, 0 to do'
check test "$before" = "$(fingerprint run/runs; fingerprint run/networks)"

# Killed outright, then stopped by Ctrl-C, then resumed: what was finished is not touched again, and the end is the
# same.
results run > whole
# A busy machine may let the sweep end before it is killed or stopped: then once more.
until [[ -e killed/runs/000001.nc && ! -e killed/runs/000006.nc ]]; do
  rm -rf killed
  "$cuonn" sweep grid.yaml --output killed > out 2> err &
  check wait_for test -e killed/runs/000001.nc
  kill -KILL $! 2> /dev/null
  wait $! 2> /dev/null
done
check_not test -e killed/sweep.nc
touch -d 2001-01-01 killed/runs/*.nc
done_before=$(cd killed/runs && echo *.nc)
last=$(cd killed/runs && echo *.nc | wc -w)
cp -a killed before
code=0
until [[ $code != 0 ]]; do
  rm -rf killed
  cp -a before killed
  "$cuonn" sweep --resume killed > out 2> err &
  check wait_for test -e "killed/runs/$(printf %06d "$last").nc"
  kill -INT $! 2> /dev/null
  wait $!
  code=$?
done
judge 130 '^cuonn sweep: interrupted; go on with: cuonn sweep --resume killed$' $code 'interrupted sweep'
output '^interrupted: [2-7] of 8 runs finished, 0 failed'
check test "$(values killed/sweep.nc status | sort -n | tail -1)" = 1
expect 0 '' "$cuonn" sweep --resume killed --threads 2
results killed > pieces
check diff whole pieces
for f in $done_before; do check test "$(date -r "killed/runs/$f" +%Y)" = 2001; done
for p in 000000 000004 000007; do check same_network killed/networks/$p.nc run/networks/$p.nc; done

# ----------------------------------------------------------------------------------------------------- a run that fails
# A mesh that amplifies by 10^300 gives no loss; the run beside it does not notice.
yes -- -3000 | head -480 > loss_db
numbers 240 1 3.14 > theta
numbers 240 2 6.28 > phi
netcdf loud.nc classic 'layer=2 node=120 shifter=2' '' theta:layer,node:theta phi:layer,node:phi \
  loss_db:layer,node,shifter:loss_db
for b in $(backends); do
  expect 0 '' "$cuonn" sweep config.yaml --output loud-$b --backend "$b" --set "network.start=[haar, file]" \
    --set network.start_file=loud.nc
  output '^failed  000001           -            -   +file  the loss is -?nan at step 1 \(epoch 1, step 1 of 16\); ' \
    'powers overflow in layer 0: scale the fields down, or give the shifters less gain .*$'
  output '^done: 1 of 2 runs finished, 1 failed'
  check test "$(values loud-$b/sweep.nc status | paste -sd,)" = 0,-10
  check test "$(values loud-$b/sweep.nc test_error | tail -2 | paste -sd,)" = _,_
  check test -e loud-$b/networks/000000.nc
  check_not test -e loud-$b/networks/000001.nc
  check test "$(values loud-$b/runs/000001.nc status)" = -10
  expect 0 '' "$cuonn" train config.yaml --output quiet-$b --backend "$b"
  check same_network quiet-$b/last.nc loud-$b/networks/000000.nc
  expect 0 '' "$cuonn" sweep --resume loud-$b # a failed run is not tried again
  output '^sweep of 2 runs, 0 to do'
done

# ------------------------------------------------------------------------------ refused, and nothing is made or touched
mkdir keep
cp -r run keep/run
cp -r run keep/damaged
cp -r run keep/other
cp config.yaml keep
flip keep/damaged/runs/000003.nc 400
cp keep/other/runs/000001.nc keep/other/runs/000000.nc
kept=$work/keep
refuse() { local code=$1 regex=$2; shift 2; expect "$code" "$regex" "$cuonn" sweep "$@"; }
printf 'training:\n  epochs: [1, 2]\n' > epochs.yaml
printf 'training:\n  seed: []\n' > none.yaml
printf 'training:\n  seed: [1, 2, 1]\n' > twice.yaml
printf 'training:\n  sead: [1, 2]\n' > unknown.yaml
refuse 2 '^cuonn sweep: epochs.yaml:2: training.epochs: found a list, but a sweep cannot vary this key' epochs.yaml \
  --output keep/new
refuse 2 '^cuonn sweep: none.yaml:2: training.seed: the list is empty' none.yaml --output keep/new
refuse 2 '^cuonn sweep: training.seed: 1 is twice in the list: remove one$' twice.yaml --output keep/new
refuse 2 '^cuonn sweep: unknown.yaml:2: training: unknown key "training.sead"; did you mean training.seed' \
  unknown.yaml --output keep/new
refuse 2 '^cuonn sweep: data.radius: found a list' config.yaml --output keep/new --set "data.radius=[2, 3]"
refuse 2 '^cuonn sweep: sweep.repeats is 2, but training.seed has a list' grid.yaml --output keep/new \
  --set sweep.repeats=2
refuse 2 '^cuonn sweep: phase_style symmetric: network.phase_style symmetric cannot start' config.yaml \
  --output keep/new --set "network.phase_style=[top, symmetric]"
refuse 2 '^cuonn sweep: method dense has no measured gradients' config.yaml --backend cpu --output keep/new \
  --set backend.method=dense --set "training.gradient=[exact, analog]"
refuse 2 '^cuonn sweep: training.batch_size is 4096, but .*/data has only 1024' config.yaml --output keep/new \
  --set "training.batch_size=[64, 4096]"
refuse 2 '^cuonn sweep: keep/run: already holds sweep.yaml' grid.yaml --output keep/run
refuse 2 '^cuonn sweep: --resume goes with neither CONFIG nor --output' grid.yaml --resume keep/run
refuse 2 '^cuonn sweep: --resume goes with neither CONFIG nor --output' --resume keep/run --output x
refuse 2 '^cuonn sweep: keep/run/sweep.yaml: training.batch_size may not differ' --resume keep/run \
  --set training.batch_size=32
refuse 2 '^cuonn sweep: keep/run/sweep.yaml: training.epochs may not differ' --resume keep/run --set training.epochs=3
refuse 2 '^cuonn sweep: keep/run/sweep.yaml: the lists of values may not differ' --resume keep/run \
  --set "training.seed=[3, 4, 5]"
refuse 3 '^cuonn sweep: keep/none/sweep.yaml: ' --resume keep/none
refuse 3 '^cuonn sweep: keep/damaged/runs/000003.nc: is damaged' --resume keep/damaged
refuse 3 '^cuonn sweep: keep/other/runs/000000.nc: was trained with another training.optimizer.learning_rate' \
  --resume keep/other
refuse 3 '^cuonn sweep: config.yaml: is a file' config.yaml --output config.yaml/new
refuse 3 '^cuonn sweep: .*nowhere' config.yaml --output keep/new --set data.path=nowhere
refuse 4 '^cuonn sweep: .*cuda' config.yaml --output keep/new --backend cuda
# What trains one network says where lists belong.
expect 2 '^cuonn train: grid.yaml:[0-9]+: training.seed: found a list .*; several are for cuonn sweep$' \
  "$cuonn" train grid.yaml --output keep/new
expect 2 '^cuonn train: training.seed: found a list, but several values of a key are for cuonn sweep' \
  "$cuonn" train config.yaml --output keep/new --set "training.seed=[1, 2]"
expect 2 '^cuonn train: sweep.repeats is 2, but several runs' "$cuonn" train config.yaml --output keep/new \
  --set sweep.repeats=2
finish
