# train on processes of MPI: the bits of one process, also where another number goes on; one that fails or dies ends all
# with a message; what was stopped is gone on with. $MPIEXEC starts them.
source "$(dirname "$0")/harness.sh"
source "$(dirname "$0")/processes.sh"
cd "$work" || exit 1
no_figures
slice data 160 60
cat > config.yaml << END
data: {path: $work/data, radius: 2}
network: {modes: 16, layers: 2}
training: {epochs: 4, batch_size: 140, drop_last: false, order: shuffled}
backend: {name: cpu, threads: 1}
END
chip=(--set training.gradient=analog --set chip.tap_shot=0.02 --set chip.io_phase=0.02)

# same RUN OTHER: have the same numbers.
same() { check diff -q <(train_results "$1") <(train_results "$2"); }
# Launchers wait much: several at a time. begin NAME COMMAND...; ended NAME: code, and out and err of the harness.
declare -A begun
begin() {
  "${@:2}" > "$1.out" 2> "$1.err" &
  begun[$1]=$!
}
ended() {
  wait "${begun[$1]}"
  code=$?
  cp "$1.out" out
  if [[ -e $1.err ]]; then cp "$1.err" err; fi
}

# Several numbers of them, by columns, by matrices, and on a chip that measures and reads with noise.
expect 0 '' "$cuonn" train config.yaml --output columns --set backend.method=columns
expect 0 '' "$cuonn" train config.yaml --output dense --set backend.method=dense
expect 0 '' "$cuonn" train config.yaml --output chip "${chip[@]}"
begin columns2 mpi 2 train config.yaml --output columns2 --set backend.method=columns
begin columns3 mpi 3 train config.yaml --output columns3 --set backend.method=columns
begin columns4 mpi 4 train config.yaml --output columns4 --set backend.method=columns
begin dense3 mpi 3 train config.yaml --output dense3 --set backend.method=dense
begin chip2 mpi 2 train config.yaml --output chip2 "${chip[@]}"
for name in columns2 columns3 columns4 dense3 chip2; do
  ended $name
  judge 0 '' $code $name
  output "backend cpu, ${name: -1} processes of MPI$"
  check test "$(grep -c '^epoch' out)" = 4
  same $name "${name%?}"
done
check test "$(ls columns4)" = "$(ls columns)"
before=$(fingerprint dense)
expect 0 '' mpi 1 train config.yaml --output columns1 --set backend.method=columns
output 'backend cpu$'
same columns1 columns

# A run that others go on with.
expect 0 '' mpi 3 train config.yaml --output goes-on --set backend.method=columns --set training.epochs=2
expect 0 '' mpi 2 train --resume goes-on --set training.epochs=3
expect 0 '' "$cuonn" train --resume goes-on --set training.epochs=4
same goes-on columns
expect 0 '' mpi 2 train --resume goes-on
output '^nothing to do: goes-on already has 4 epochs'

# Runs that nothing but what is done to them ends, when there is a last.nc.
endless=(--set training.epochs=1000000)
when() { echo "{ until [[ -e $1/last.nc ]]; do sleep 0.01; done; $2; } &"; }
begin killed but_rank 2 "$(when killed "kill -KILL \$\$")" 3 train config.yaml --output killed "${endless[@]}"
begin full but_rank 0 "$(when full 'until rm -f full/last.nc && mkdir full/last.nc; do :; done')" \
  3 train config.yaml --output full --set output.checkpoint_interval=0 "${endless[@]}"
# Open MPI asks the processes to end so many seconds after Ctrl-C, 1 of itself, and kills them as many later.
OMPI_MCA_odls_base_sigkill_timeout=5 env --default-signal=INT "$MPIEXEC" -n 3 "$cuonn" train config.yaml \
  --output stopped "${endless[@]}" > stopped.out 2> launcher.stopped &
begun[stopped]=$!
wait_for test -e stopped/last.nc
kill -INT "${begun[stopped]}"
# One that cannot write its files ends all, with its message.
ended full
judge 3 '^cuonn train: full/last.nc: (is a folder|cannot be written)' $code full # found before, or when it is written
# One that is killed ends all, and the launcher says so.
ended killed
check_not test $code = 0
check grep -qiE 'signal 9|killed|exit code: 9' "launcher.${begun[killed]}" killed.out
# Ctrl-C stops all at one step, and rank 0 says so.
ended stopped
grep '^cuonn' launcher.stopped > err
[[ $code == 1 ]] && code=130 # Open MPI's launcher ends with 1, MPICH's with what the processes end with
judge 130 '^cuonn train: interrupted after step [0-9]*; go on with: cuonn train --resume stopped$' $code Ctrl-C
# goes_on RUN N: to the bits of one that nothing was done to.
goes_on() {
  local epochs
  epochs=$(($(ncdump -h "$1/last.nc" | sed -n 's/.*:epoch = "\([0-9]*\)".*/\1/p') + 2))
  expect 0 '' mpi "$2" train --resume "$1" --set training.epochs="$epochs"
  expect 0 '' "$cuonn" train config.yaml --output "$1-never" --set training.epochs="$epochs"
  same "$1" "$1-never"
}
goes_on killed 2
goes_on stopped 4

# One line, the exit code, and nothing made.
numbers 240 1 0 > theta
yes -- -3000 | head -480 > loss_db
netcdf loud.nc classic 'layer=2 node=120 shifter=2' '' theta:layer,node:theta phi:layer,node:theta \
  loss_db:layer,node,shifter:loss_db
mkdir keep
begin loud mpi 3 train config.yaml --output loud --set network.start=file --set network.start_file=loud.nc
begin elsewhere but_rank 1 'set -- "$@" --data nowhere' 2 train config.yaml --output keep/elsewhere
begin other but_rank 1 'set -- "$@" --set training.epochs=1' 2 train config.yaml --output keep/other
begin reference mpi 2 train config.yaml --output keep/reference --set backend.name=reference
begin again mpi 2 train config.yaml --output dense
# refused NAME CODE REGEX
refused() {
  ended "$1"
  judge "$2" "^cuonn train: $3" $code "$1"
}
refused loud 1 'the loss is .* at step 1 .*; no epoch was finished'
refused elsewhere 3 'rank 1: nowhere: has no train-images'
refused other 2 'rank 1 has another version, configuration or data than rank 0; '
refused reference 2 'backend reference does not share a training among processes; '
refused again 2 'dense: already holds'
check test ! "$(ls keep)"
check test "$(fingerprint dense)" = "$before"
finish
