# sweep on processes of MPI: they make what one process makes; one that fails speaks for all, and ends all; what was
# killed is gone on with. $MPIEXEC starts them.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
mkdir tools
printf '%s\n' '#!/bin/sh' 'echo "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"></svg>"' > tools/gnuplot
chmod +x tools/gnuplot # the report's figures are not what is tried here
export PATH=$work/tools:$PATH
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 # Open MPI's
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

# Text of sweep.nc but times and where it lies.
results() { ncdump -p 9,17 "$1/sweep.nc" | sed '/^ seconds =/,/;$/d; /:config = /,/;$/d; /^netcdf/d'; }
# mpi N ARGUMENT...: on N processes; stderr without what the launcher adds of its own.
mpi() { "$MPIEXEC" -n "$1" "$cuonn" sweep "${@:2}" 2> all.err; local code=$?; grep '^cuonn' all.err >&2; return $code; }
# but_rank K COMMAND N ARGUMENT...: one of them does something else before.
cat > but.sh << END
#!/usr/bin/env bash
rank=\${OMPI_COMM_WORLD_RANK-\${PMI_RANK-}}
if [[ \$rank == "\$1" ]]; then eval "\$2"; fi
exec "$cuonn" sweep "\${@:3}"
END
chmod +x but.sh
but_rank() {
  "$MPIEXEC" -n "$3" ./but.sh "$1" "$2" "${@:4}" 2> all.err
  local code=$?
  grep '^cuonn' all.err >&2
  return $code
}

expect 0 '' "$cuonn" sweep grid.yaml --output whole
results whole > wanted
for n in 1 2 3 4; do
  expect 0 '' mpi $n grid.yaml --output on$n
  [[ $n == 1 ]] || output "^$n processes of MPI$"
  output "^done: 8 of 16 runs finished, 8 failed, in [0-9.]+ s; results in on$n/sweep.nc$"
  results on$n > found
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
results array > found
check diff -q wanted found

# One process that is killed ends all, and what they were at is done again.
code=0
until [[ $code != 0 && ! -e killed/sweep.nc ]]; do # it may end, or be joining its results, before the kill
  rm -rf killed
  but_rank 1 '{ until [[ -e killed/runs/000000.nc ]]; do sleep 0.01; done; kill -KILL $$; } &' \
    3 grid.yaml --output killed --set training.epochs=50 > out 2> err
  code=$?
done
done_before=$(fingerprint killed/runs | grep '\.nc$')
expect 0 '' mpi 2 --resume killed
check test "$done_before" = "$(grep -F "$(cut -c67- <<< "$done_before")" <(fingerprint killed/runs | grep '\.nc$'))"
expect 0 '' "$cuonn" sweep grid.yaml --output long --set training.epochs=50
results long > wanted
results killed > found
check diff -q wanted found

# One line, the exit code, and nothing made.
mkdir keep
kept=$work/keep
refuse() { expect "$1" "^cuonn sweep: $2" "${@:3}"; }
refuse 3 'rank 1: nowhere: has no train-images' but_rank 1 'set -- "$@" --data nowhere' 2 grid.yaml --output keep/new
refuse 2 'rank 1 has another version, configuration or data than rank 0; ' \
  but_rank 1 'set -- "$@" --set training.epochs=1' 2 grid.yaml --output keep/new
refuse 2 'whole: already holds sweep.yaml' mpi 2 grid.yaml --output whole
kept=
# One that cannot write says so, and ends the others.
rm whole/runs/000005.nc whole/networks/000005.nc
mkdir whole/networks/000005.nc
refuse 3 '(rank 1: )?whole/networks/000005.nc: is a folder' mpi 2 --resume whole
finish
