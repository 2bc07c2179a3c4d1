# Several GPUs, emulated ($cuonn is tests/simt's): which there are, which one computes, and sweeps over all of them.
source "$(dirname "$0")/harness.sh"
source "$(dirname "$0")/processes.sh"
cd "$work" || exit 1
no_figures
export CUONN_SIMT_DEVICES=4
export CUONN_PLOTS=${golden%/tests/golden/*}/plots # not beside this program
unset CUDA_VISIBLE_DEVICES
small_data data 4
cat > grid.yaml << END
data: {path: $work/data, radius: 1}
network: {modes: 4, classes: 4, layers: 1, start: [haar, file], start_file: loud.nc}
training:
  epochs: 1
  batch_size: [16, 32]
  seed: [1, 2, 3, 4]
backend: {name: cuda}
END
numbers 6 1 3.14 > theta # a start from which runs diverge
yes -- -3000 | head -12 > loss_db
netcdf loud.nc classic 'layer=1 node=6 shifter=2' '' theta:layer,node:theta phi:layer,node:theta \
  loss_db:layer,node,shifter:loss_db

# ----------------------------------------------------------------------------------------------------- which there are
expect 0 '' env CUONN_SIMT_NAMES=ABCD "$cuonn" info
for d in 0 1 2 3; do output "^GPU $d +emulated device [A-D], compute capability 9.0"; done
expect 0 '' env CUONN_SIMT_NAMES=ABCD CUDA_VISIBLE_DEVICES=2,0 "$cuonn" info --json
output '"gpus":\[\{"number":0,"device":"emulated device C,.*","usable":true\},' \
  '\{"number":1,"device":"emulated device A,[^}]*\}\]\}$'
expect 0 '' env CUDA_VISIBLE_DEVICES= "$cuonn" info
output '^GPU +none: no NVIDIA GPU can be used'

# ---------------------------------------------------------------------------------------------------- what is refused
refuse() { expect "$1" "$2" "$cuonn" sweep grid.yaml --output no "${@:3}"; check_not test -e no; }
for list in ',' '0,' ,1 0,,1 x -1 1-2 '0 1' al all,0 1.5 0x1 9999999; do
  refuse 2 "^cuonn sweep: backend.devices is '$list', which is neither all nor numbers such as 0,1$" --devices="$list"
done
refuse 2 'backend.devices names device 1 twice' --devices 1,0,1
refuse 4 'backend.devices names device 4, but 4 can be seen, numbered from 0' --devices 0,4
refuse 2 "backend.devices is 'all', but backend cpu computes, which has no devices to choose" \
  --devices all --backend cpu
refuse 2 "backend reference computes, which has no devices" --devices 0 --backend reference
refuse 2 'backend cuda has no gradients from the losses of moved phases' \
  --devices 1 --backend auto --set training.gradient=spsa # auto passes over no device that is named
sed 's/\[haar, file\]/haar/; s/, start_file: loud.nc//; s/\[16, 32\]/16/; s/\[1, 2, 3, 4\]/1/' grid.yaml > single.yaml
expect 2 "^cuonn train: backend.devices is 'all', which gives this process 4 devices, and only cuonn sweep " \
  "$cuonn" train single.yaml --output no --devices all
expect 4 'names device 7' "$cuonn" train single.yaml --output no --devices 7
check_not test -e no

# ------------------------------------------------------------------------------------------------------ which computes
# count_of FILE: 1 for each device that ran kernels, 0 for others.
counts() { od -An -v -t d8 -w8 -N 32 "$1" | tr -d ' '; }
count_of() { counts "$1" | sed 's/[1-9][0-9]*/1/' | tr -d '\n'; }
for d in 0 2; do
  expect 0 '' env CUONN_SIMT_COUNT=count "$cuonn" train single.yaml --output on-$d --devices $d
  check test "$(count_of count)" = "$([[ $d == 0 ]] && echo 1000 || echo 0010)"
done
check same_values 0 on-0/last.nc theta on-2/last.nc theta
expect 0 '' "$cuonn" train --resume on-2 --set training.epochs=2 --devices 1 # which may differ
expect 0 '' "$cuonn" eval on-2/last.nc --data data # wherever it was trained
expect 0 '' env CUONN_SIMT_COUNT=count "$cuonn" matrix on-2/last.nc --backend cuda --devices 3 --output u.nc
check test "$(count_of count)" = 0001

# --------------------------------------------------------------------------------------------------------------- sweeps
# Sums on a GPU depend on how many networks are side by side (float: 2e-5 as in tests/simt/sweep.c); texts do not.
near() {
  paste -d '|' "$1" "$2" | tr -d ' ,;\t' | awk -F'|' '{ d = $1 - $2; if (d < 0) d = -d }
    $1 != $2 && !($1 ~ /^[0-9.e-]+$/ && $2 ~ /^[0-9.e-]+$/ && d <= 2e-5 * $1) { print; bad = 1 } END { exit bad }'
}
as_wanted() {
  sweep_results "$1" > found
  check near "${2:-wanted}" found
}
expect 0 '' env CUONN_SIMT_COUNT=count "$cuonn" sweep grid.yaml --output whole
check test "$(count_of count)" = 1000
output '^done: 8 of 16 runs finished, 8 failed'
sweep_results whole > wanted
for list in 1,3 all; do
  expect 0 '' "$cuonn" sweep grid.yaml --output "on-$list" --devices $list
  output "^devices $([[ $list == all ]] && echo 0, 1, 2, 3 || echo 1, 3)$"
  output '^done: 8 of 16 runs finished, 8 failed'
  as_wanted "on-$list"
done
expect 0 '' "$cuonn" sweep grid.yaml --output lines --devices all --json
check test "$(grep -c '^{"run":' out)" = 16
check test "$(grep '^{"run":' out | cut -d, -f1 | sort -u | wc -l)" = 16

# A device that runs nothing before the others have done all that it has not taken: here one group of seven is left,
# whose runs train side by side and take the kernels of one.
sed "/start:/s/start: .*}/start: haar}/; s/\[1, 2, 3, 4\]/[$(seq -s, 16)]/; s/\[16, 32\]/16/" grid.yaml > even.yaml
expect 0 '' env CUONN_SIMT_COUNT=count "$cuonn" sweep even.yaml --output even
sweep_results even > even-wanted
kernels=$(counts count | head -n 1)
expect 0 '' env CUONN_SIMT_AFTER=1:$((6 * kernels + 1)) CUONN_SIMT_COUNT=count \
  "$cuonn" sweep even.yaml --output uneven --devices 0,1
as_wanted uneven even-wanted
check test "$(counts count | tr '\n' ' ')" = "$((7 * kernels)) $kernels 0 0 "

# A device that is lost, and that another waits for until then: that one ends, runs that are done stay, and the rest is
# done without it.
expect 4 '^cuonn sweep: device 1: the GPU failed: ' env CUONN_SIMT_AFTER=0:40 CUONN_SIMT_LOSE=1:40 \
  "$cuonn" sweep grid.yaml --output lost --devices 0,1
check_not test -e lost/sweep.nc
expect 0 '' "$cuonn" sweep --resume lost --devices 0,2,3
as_wanted lost

# As with Ctrl-C: all devices finish their present steps.
"$cuonn" sweep grid.yaml --output stopped --devices all --set training.epochs=100000 > out 2> err &
wait_for test -e stopped/runs
kill -TERM $! # a background job of a script ignores INT
wait $!
judge 130 '^cuonn sweep: interrupted; go on with: cuonn sweep --resume stopped$' $? 'sweep that is stopped'

# --------------------------------------------------------------------------------------------------- processes of MPI
if [[ ${MPIEXEC:-} ]]; then
  for list in '' all; do
    expect 0 '' mpi 2 sweep grid.yaml --output "mpi-$list" --devices="$list"
    as_wanted "mpi-$list"
  done
  cat > each.sh << END
CUONN_SIMT_COUNT=count-\${OMPI_COMM_WORLD_RANK-\${PMI_RANK-}} exec "$cuonn" sweep grid.yaml "\$@"
END
  expect 0 '' launch 3 bash each.sh --output shared --devices 0,3
  check test "$(count_of count-0)" = 1000
  check test "$(count_of count-1)" = 0001
  check test "$(count_of count-2)" = 1000
  as_wanted shared
fi
finish
