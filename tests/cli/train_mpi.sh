# train on processes of MPI: the bits of one process, also where another number goes on; one that fails or dies ends all
# with a message; what stopped is gone on with. $MPIEXEC starts them.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
mkdir tools
printf '%s\n' '#!/bin/sh' 'echo "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"></svg>"' > tools/gnuplot
chmod +x tools/gnuplot # the report's figures are not what is tried here
export PATH=$work/tools:$PATH
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 # Open MPI's
slice data 160 60
cat > config.yaml << END
data: {path: $work/data, radius: 2}
network: {modes: 16, layers: 2}
training: {epochs: 6, batch_size: 140, drop_last: false, order: shuffled}
backend: {name: cpu, method: dense, threads: 1}
END

# Text of last.nc but times and where it lies, and of metrics.csv but times.
results() {
  ncdump -p 9,17 "$1/last.nc" | sed '/:config = /,/;$/d; /^netcdf/d; /seconds/d'
  cut -d, -f1-4 "$1/metrics.csv"
}
# same RUN: has the numbers of the file `wanted`.
same() {
  results "$1" > found
  check diff -q wanted found
}
# mpi N ARGUMENT...: on N processes; stderr without what the launcher adds of its own.
mpi() {
  "$MPIEXEC" -n "$1" "$cuonn" train "${@:2}" 2> all.err
  local code=$?
  grep '^cuonn' all.err >&2
  return $code
}
# but_rank K COMMAND N ARGUMENT...: one of them does something else before.
cat > but.sh << END
#!/usr/bin/env bash
rank=\${OMPI_COMM_WORLD_RANK-\${PMI_RANK-}}
if [[ \$rank == "\$1" ]]; then eval "\$2"; fi
exec "$cuonn" train "\${@:3}"
END
chmod +x but.sh
but_rank() {
  "$MPIEXEC" -n "$3" ./but.sh "$1" "$2" "${@:4}" 2> all.err
  local code=$?
  grep '^cuonn' all.err >&2
  return $code
}

# 1 to 4, by both methods; and a run that others go on with.
for method in columns dense; do
  expect 0 '' "$cuonn" train config.yaml --output $method --set backend.method=$method
  results $method > wanted
  for n in 1 2 3 4; do
    expect 0 '' mpi $n config.yaml --output $method$n --set backend.method=$method
    output "backend cpu$([[ $n == 1 ]] || echo ", $n processes of MPI")$"
    check test "$(grep -c '^epoch' out)" = 6
    same $method$n
  done
done
check test "$(ls dense4)" = "$(ls dense)"
expect 0 '' mpi 3 config.yaml --output goes-on --set training.epochs=2
expect 0 '' mpi 2 --resume goes-on --set training.epochs=4
expect 0 '' "$cuonn" train --resume goes-on --set training.epochs=6
same goes-on
expect 0 '' mpi 2 --resume goes-on
output '^nothing to do: goes-on already has 6 epochs'

# stopped SIGNAL: a long run of three, of which one gets a signal when there is a last.nc; it may end before.
long=(--set training.epochs=400)
expect 0 '' "$cuonn" train config.yaml --output long "${long[@]}"
results long > wanted
stopped() {
  code=0
  until [[ $code != 0 ]]; do
    rm -rf stopped
    but_rank 2 "{ until [[ -e stopped/last.nc ]]; do sleep 0.01; done; kill -$1 \$\$; } &" \
      3 config.yaml --output stopped "${long[@]}" > out 2> err
    code=$?
  done
}
# One that is killed ends all, and what was done since last.nc is done again.
stopped KILL
expect 0 '' mpi 2 --resume stopped
same stopped
# One that is asked to stop stops all at one step, and rank 0 says so.
stopped TERM
judge 130 '^cuonn train: interrupted after step [0-9]*; go on with: cuonn train --resume stopped$' $code TERM
expect 0 '' mpi 4 --resume stopped
same stopped

# One that cannot write its files ends all, with its message.
code=0
until [[ $code != 0 ]]; do # it may end before
  rm -rf full
  but_rank 0 '{ until [[ -e full/last.nc ]]; do sleep 0.01; done; rm full/last.nc; mkdir full/last.nc; } &' \
    3 config.yaml --output full --set output.checkpoint_interval=0 "${long[@]}" > out 2> err
  code=$?
done
judge 3 '^cuonn train: full/last.nc: is a folder' $code full

# One line, the exit code, and nothing made.
refuse() { expect "$1" "^cuonn train: $2" "${@:3}"; }
numbers 240 1 0 > theta
yes -- -3000 | head -480 > loss_db
netcdf loud.nc classic 'layer=2 node=120 shifter=2' '' theta:layer,node:theta phi:layer,node:theta \
  loss_db:layer,node,shifter:loss_db
refuse 1 'the loss is .* at step 1 .*; no epoch was finished' \
  mpi 3 config.yaml --output loud --set network.start=file --set network.start_file=loud.nc
mkdir keep
kept=$work/keep
refuse 3 'rank 1: nowhere: has no train-images' but_rank 1 'set -- "$@" --data nowhere' 2 config.yaml --output keep/new
refuse 2 'rank 1 has another version, configuration or data than rank 0; ' \
  but_rank 1 'set -- "$@" --set training.epochs=1' 2 config.yaml --output keep/new
refuse 2 'processes that share a training have exact and ideal gradients alone' \
  mpi 2 config.yaml --output keep/new --set backend.method=auto --set training.gradient=spsa
refuse 2 'backend reference does not share a training among processes; ' \
  mpi 2 config.yaml --output keep/new --set backend.name=reference --set backend.method=auto
refuse 2 'processes that share a training read fields without noise' \
  mpi 2 config.yaml --output keep/new --set chip.io_phase=0.1
refuse 2 'dense: already holds' mpi 2 config.yaml --output dense
finish
