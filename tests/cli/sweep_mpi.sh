# sweep on processes of MPI: they make what one process makes; one that fails speaks for all, and ends all; what was
# killed is gone on with. $MPIEXEC starts them.
source "$(dirname "$0")/harness.sh"
source "$(dirname "$0")/processes.sh"
cd "$work" || exit 1
no_figures
small_data data 4
cat > grid.yaml << END
data: {path: $work/data, radius: 1}
network: {modes: 4, classes: 4, layers: 2, start: [haar, file], start_file: loud.nc}
training:
  epochs: 2
  batch_size: [16, 32]
  seed: [1, 2, 3, 4]
backend: {name: cpu}
END
numbers 12 1 3.14 > theta # a start from which runs diverge: results like others, and the exit code is 0
yes -- -3000 | head -24 > loss_db
netcdf loud.nc classic 'layer=2 node=6 shifter=2' '' theta:layer,node:theta phi:layer,node:theta \
  loss_db:layer,node,shifter:loss_db

expect 0 '' "$cuonn" sweep grid.yaml --output whole
sweep_results whole > wanted
for n in 1 2 3 4; do
  expect 0 '' mpi $n sweep grid.yaml --output on$n
  [[ $n == 1 ]] || output "^$n processes of MPI$"
  output "^done: 8 of 16 runs finished, 8 failed, in [0-9.]+ s; results in on$n/sweep.nc$"
  sweep_results on$n > found
  check diff -q wanted found
done
check test "$(ls on4)" = "$(ls whole)"
check same_values 0 whole/networks/000006.nc theta on4/networks/000006.nc theta

# As parts of a Slurm array, one of them on two processes.
array() {
  env SLURM_ARRAY_TASK_ID="$1" SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=1 SLURM_ARRAY_TASK_COUNT=2 "${@:2}"
}
expect 0 '' array 0 "$cuonn" sweep grid.yaml --output array
expect 0 '' array 1 "$MPIEXEC" -n 2 "$cuonn" sweep grid.yaml --output array
sweep_results array > found
check diff -q wanted found

# One process that is killed ends all, and what they were at is done again.
code=0
until [[ $code != 0 && ! -e killed/sweep.nc ]]; do # it may end, or be joining its results, before the kill
  rm -rf killed
  but_rank 1 '{ until [[ -e killed/runs/000000.nc ]]; do sleep 0.01; done; kill -KILL $$; } &' \
    3 sweep grid.yaml --output killed --set training.epochs=50 > out 2> err
  code=$?
done
done_before=$(fingerprint killed/runs | grep '\.nc$')
expect 0 '' mpi 2 sweep --resume killed
check test "$done_before" = "$(grep -F "$(cut -c67- <<< "$done_before")" <(fingerprint killed/runs | grep '\.nc$'))"
expect 0 '' "$cuonn" sweep grid.yaml --output long --set training.epochs=50
sweep_results long > wanted
sweep_results killed > found
check diff -q wanted found

# One line, the exit code, and nothing made.
mkdir keep
kept=$work/keep
refuse() { expect "$1" "^cuonn sweep: $2" "${@:3}"; }
refuse 3 'rank 1: nowhere: has no train-images' \
  but_rank 1 'set -- "$@" --data nowhere' 2 sweep grid.yaml --output keep/new
refuse 2 'rank 1 has another version, configuration or data than rank 0; ' \
  but_rank 1 'set -- "$@" --set training.epochs=1' 2 sweep grid.yaml --output keep/new
refuse 2 'whole: already holds sweep.yaml' mpi 2 sweep grid.yaml --output whole
kept=
# One that cannot write says so, and ends the others.
rm whole/runs/000005.nc whole/networks/000005.nc
mkdir whole/networks/000005.nc
refuse 3 '(rank 1: )?whole/networks/000005.nc: is a folder' mpi 2 sweep --resume whole
finish
