# train on processes of MPI with emulated GPUs: the bits of one process, through the hosts, and by a library in place of
# NCCL's in the folder $NCCL. $MPIEXEC starts them.
source "$(dirname "$0")/../cli/harness.sh"
source "$(dirname "$0")/../cli/processes.sh"
cd "$work" || exit 1
no_figures
mkdir none
true > none/libnccl.so.2 # cannot be opened, whatever the machine has
export CUONN_PLOTS=${golden%/tests/golden/*}/plots CUONN_SIMT_DEVICES=4
small_data data 4
cat > config.yaml << END
data: {path: $work/data, radius: 1}
network: {modes: 4, layers: 2, classes: 4}
training: {epochs: 2, batch_size: 50, drop_last: false, order: shuffled}
backend: {name: cuda, threads: 1}
END

same() {
  train_results "$1" > found
  check diff -q wanted found
}
# on LIBRARY N ARGUMENT...: trains on N processes that look for NCCL in a folder first.
on() { LD_LIBRARY_PATH=$1 mpi "$2" train config.yaml "${@:3}"; }
by_nccl() { check grep -q '^GPUs exchange by NCCL 2.28.9$' out; }
by_hosts() { check grep -q '^GPUs exchange through host memory$' out; }
why='^cuonn: GPUs exchange through host memory: '

expect 0 '' "$cuonn" train config.yaml --output one
check_not grep -q exchange out
train_results one > wanted
expect 0 "${why}rank 0 finds no libnccl.so.2 of NCCL 2.14 or later$" on none 2 --output hosts
by_hosts
same hosts
expect 0 "${why}rank 0 finds" on none 2 --output each --devices 1,3
same each
check test -e each/report.html # which one of them computes
expect 0 '' "$cuonn" eval each/last.nc --data data
expect 0 '' on "$NCCL" 3 --output nccl
by_nccl
same nccl
STAND_IN_FAILS='join 1' expect 0 "${why}NCCL fails on rank 1: unhandled system error$" \
  on "$NCCL" 2 --output failing --json
check_not grep -q exchange out
same failing

# One that fails while they train ends all.
STAND_IN_FAILS='exchange 1' expect 4 '^cuonn train: rank 1: NCCL failed in an exchange: unhandled system error$' \
  on "$NCCL" 2 --output ended
finish
