# Stopping and going on: bit for bit, at any number of threads; interrupts at every time; training that diverges.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 1024 64
small_config "$work/data" > config.yaml
set -m # background jobs keep SIGINT, which a script's jobs ignore otherwise
# Many small steps: an epoch's training takes longer than writing its files, so that most stops come within an epoch.
fast='--set training.batch_size=2 --set training.order=shuffled'
steps=512

same() {
  local v
  for v in theta phi {first,second}_moment_{theta,phi,gamma}; do same_values 0 "$1" $v "$2" $v || return 1; done
}
attribute() { ncdump -h "$1" | sed -n "s/^\t\t:$2 = \"*\([^\" ]*\)\"* ;$/\1/p"; }

# stop SIGNAL DIRECTORY ARGUMENT...: starts training without end, stops it after an epoch and a while; $step is where.
stop() {
  local signal=$1 directory=$2
  shift 2
  rm -f out err # what the last run has written is no sign of this one
  "$cuonn" train "$@" --set training.epochs=100000 > out 2> err &
  check wait_for grep -q '^epoch ' out
  kill -"$signal" $!
  wait $!
  judge 130 "^cuonn train: interrupted after step [0-9]+; go on with: cuonn train --resume $directory$" $? "train $*"
  step=$(grep -o 'step [0-9]*' err | cut -d' ' -f2)
  check test "$(attribute "$directory/last.nc" step)" = "$step"
}

# ------------------------------------------------------------------------------- bit for bit, after two stops each
for b in $(backends); do
  furthest=0
  threads=$([[ $b == cpu ]] && echo '1 2 3' || echo 1)
  for t in $threads; do
    stop INT $b-$t config.yaml $fast --backend $b --threads $t --output $b-$t
    step=0
    while [[ $((step % steps)) == 0 ]]; do # until one comes within an epoch
      stop TERM $b-$t --resume $b-$t
      output 'going on after step'
    done
    if [[ $step -gt $furthest ]]; then furthest=$step; fi
  done
  epochs=$((furthest / steps + 1))
  expect 0 '' "$cuonn" train config.yaml $fast --backend $b --output $b --set training.epochs=$epochs
  for t in $threads; do
    expect 0 '' "$cuonn" train --resume $b-$t --set training.epochs=$epochs --threads $t
    check same $b-$t/last.nc $b/last.nc
    check diff <(cut -d, -f1-4 $b-$t/metrics.csv) <(cut -d, -f1-4 $b/metrics.csv)
    check diff <(cut -d, -f1 $b-$t/metrics.csv | tail -n +2) <(seq "$epochs")
    check same $b-$t/best.nc $b/best.nc
  done
done

# ------------------------------------------------------------------------------------- what is written when, and killed
finished() { attribute "$1/last.nc" epoch; }
# kept INTERVAL SIGNAL: starts training without end, and ends it after four epochs at least.
kept() {
  rm -f out err
  "$cuonn" train config.yaml $fast --backend cpu --threads 1 --output "kept-$1-$2" --set training.epochs=100000 \
    --set output.checkpoint_interval="$1" > out 2> err &
  check wait_for grep -q '^epoch 4/' out
  kill -"$2" $!
  { wait $!; } 2> /dev/null
}
kept 1e6 KILL # only the first is there
check test "$(finished kept-1e6-KILL)" = 1
check test "$(wc -l < kept-1e6-KILL/metrics.csv)" = 2
kept 0 KILL # every one is written before it is told
check test "$(finished kept-0-KILL)" -ge 4
kept 1e6 INT # nothing is lost
check test "$(finished kept-1e6-INT)" -ge 4
check diff <(cut -d, -f1 kept-1e6-INT/metrics.csv | tail -n +2) <(seq "$(finished kept-1e6-INT)")
# Whatever was written when, the end is the same.
epochs=$(($(finished kept-1e6-INT) + 2))
if [[ $(finished kept-0-KILL) -ge $epochs ]]; then epochs=$(($(finished kept-0-KILL) + 2)); fi
expect 0 '' "$cuonn" train config.yaml $fast --backend cpu --threads 1 --output kept-whole --set training.epochs=$epochs
for d in kept-1e6-KILL kept-0-KILL kept-1e6-INT; do
  expect 0 '' "$cuonn" train --resume $d --threads 1 --set training.epochs=$epochs
  for f in last best; do check same $d/$f.nc kept-whole/$f.nc; done
  check diff <(cut -d, -f1-4 $d/metrics.csv) <(cut -d, -f1-4 kept-whole/metrics.csv)
done

# A run that is done is left alone; more epochs go on from its end, also where the directory now has another name.
run=reference
epochs=$(tail -n 1 $run/metrics.csv | cut -d, -f1)
before=$(fingerprint $run)
expect 0 '' "$cuonn" train --resume $run
output "^nothing to do: $run already has $epochs epochs"
expect 0 '' "$cuonn" train --resume $run --json
output '^\{"result":"nothing to do",.*"step":'$((epochs * steps))
check test "$before" = "$(fingerprint $run)"
rm $run/report.html # as one that was killed before its end leaves it
expect 0 '' "$cuonn" train --resume $run
check test -s $run/report.html
mv $run moved
expect 0 '' "$cuonn" train --resume moved --set training.epochs=$((epochs + 1)) --json
output '^\{"epoch":'$((epochs + 1))','
output '"directory":"moved"'

# ------------------------------------------------------------------------------------------------------------- refusals
mkdir keep
cp -r moved keep/run
cp -r moved keep/foreign
cp -r moved keep/damaged
for v in theta phi; do values moved/last.nc $v > $v; done
netcdf keep/foreign/last.nc classic 'layer=2 node=120' '' theta:layer,node:theta phi:layer,node:phi
flip keep/damaged/last.nc 8000
mkdir keep/other
ncdump -p 9,17 moved/last.nc | sed 's/modes: 16/modes: 64/; s/radius: 2/radius: 4/' > other.cdl
ncgen -o keep/other/last.nc other.cdl
kept=$work/keep
more="--set training.epochs=$((epochs + 2))"
expect 2 '^cuonn train: keep/run/last.nc: training.batch_size may not differ' "$cuonn" train --resume keep/run $more \
  --set training.batch_size=32
expect 2 '^cuonn train: keep/run/last.nc: training.batch_size may not differ' "$cuonn" train config.yaml \
  --resume keep/run $more
expect 2 '^cuonn train: keep/run/last.nc: output.directory may not differ' "$cuonn" train --resume keep/run $more \
  --set output.directory=x
expect 2 '^cuonn train: .*training.epoch[^s]' "$cuonn" train --resume keep/run --set training.epoch=3
expect 3 '^cuonn train: keep/none/last.nc: ' "$cuonn" train --resume keep/none
expect 3 '^cuonn train: keep/foreign/last.nc: ' "$cuonn" train --resume keep/foreign $more
expect 3 '^cuonn train: keep/damaged/last.nc: ' "$cuonn" train --resume keep/damaged $more
expect 3 '^cuonn train: keep/other/last.nc: the phases are for 2 layers of 16' "$cuonn" train --resume keep/other $more
expect 3 '^cuonn train: .*nowhere' "$cuonn" train --resume keep/run $more --set data.path=nowhere
kept=

# ----------------------------------------------------------------------- an interrupt before training, and a second one
# A configuration that comes through a pipe holds the program where the test wants it.
mkfifo pipe
"$cuonn" train pipe --output early > out 2> err &
exec 5> pipe
kill -INT $!
cat config.yaml >&5
exec 5>&-
wait $!
judge 130 '^cuonn train: (pipe: interrupted while it was read|interrupted before training; nothing was written)$' $? \
  'interrupt before training'
check_not test -e early
set +m
# The second one of a kind ends the program at once: here within a step of seconds, where nothing looks for the first.
"$cuonn" train config.yaml --output slow --backend reference --set data.radius=12 --set network.modes=576 \
  --set network.start=haar-phases --set training.batch_size=1024 > out 2> err &
check wait_for grep -q '^training ' out
kill -TERM $!
catches() { ((0x$(awk '/^SigCgt/ { print $2 }' "/proc/$1/status") & 0x4000)); } # SIGTERM: until its handler has run
while catches $! 2> /dev/null; do sleep 0.02; done
kill -TERM $!
{ wait $!; } 2> /dev/null
check test $? = $((128 + 15))
check_not test -e slow/last.nc

# ---------------------------------------------------------------------------------------- checkpoints of older versions
# Without moments of gamma, which are then 0.
expect 0 '' "$cuonn" train config.yaml --output older --set training.epochs=1
cp -r older newer
ncdump -p 9,17 older/last.nc | awk '/_moment_gamma/ { off = !/double/ } !off && !/_moment_gamma/ { print }
  /;/ { off = 0 }' > older.cdl
ncgen -o older/last.nc older.cdl
check_not grep -q moment_gamma older.cdl
for d in older newer; do expect 0 '' "$cuonn" train --resume $d --set training.epochs=2; done
check same older/last.nc newer/last.nc

# ---------------------------------------------------------------------------------------------------------- divergence
# Velocities of 1e304 and a rate of 1000 take every phase beyond the largest double within some 20 steps: cos(inf) is
# NaN.
sgd='--set training.optimizer.name=sgd --set training.optimizer.momentum=0.999 '
sgd+='--set training.optimizer.learning_rate=1000'
expect 0 '' "$cuonn" train config.yaml --output wild $sgd --set training.epochs=1 --set training.batch_size=128
ncdump -p 9,17 wild/last.nc | awk '
  /^ first_moment_theta =/ { on = 1; print " first_moment_theta =";
    for (i = 1; i <= 240; i++) print "1e304" (i < 240 ? "," : ";") }
  !on { print }
  /;/ { on = 0 }' > wild.cdl
ncgen -o wild/last.nc wild.cdl
expect 1 '^cuonn train: .*step (1[0-9]|2[0-9]|3[0-9]).*; wild/last.nc keeps the phases after step [0-9]+$' \
  "$cuonn" train --resume wild --set training.epochs=100
last=$(tail -n 1 wild/metrics.csv | cut -d, -f1)
check test "$last" -gt 1
check test "$(attribute wild/last.nc step)" = $((last * 8))
check grep -q "after step $((last * 8))\$" err
expect 0 '' "$cuonn" eval wild/last.nc
# At once, where there is no good checkpoint: a mesh that amplifies by 10^300.
yes -- -3000 | head -480 > loss_db
netcdf loud.nc classic 'layer=2 node=120 shifter=2' '' theta:layer,node:theta phi:layer,node:phi \
  loss_db:layer,node,shifter:loss_db
expect 1 '^cuonn train: .*step 1.*; no epoch was finished, so there is no checkpoint$' \
  "$cuonn" train config.yaml --output loud --set network.start=file --set network.start_file=loud.nc
check_not test -e loud/last.nc
finish
