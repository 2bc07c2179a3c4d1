# sweep in parts: several processes in one directory make what one process makes; a part that was stopped or killed is
# started again; what contradicts is refused.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
no_figures
slice data 64 32
cat > grid.yaml << END
data: {path: $work/data, radius: 1}
network: {modes: 4, classes: 4, layers: 2}
training:
  epochs: 2
  batch_size: [16, 32]
  seed: [1, 2, 3, 4]
  gradient: [exact, digital]
backend: {name: cpu, threads: 1}
END
small_data data 4

results() { sweep_results "$1" | grep -v hash; }
part() { "$cuonn" sweep grid.yaml --output "$1" --part "$2" "${@:3}"; }

expect 0 '' "$cuonn" sweep grid.yaml --output whole
check_not test -e whole/parts
results whole > wanted

# ---------------------------------------------------------------------------------------------------- 1, 2 and 3 parts
expect 0 '' part one 1/1
results one > found
check diff -q wanted found
check test "$(ls one)" = "$(ls whole)"
for n in 2 3; do
  for ((k = n; k > 1; k--)); do
    expect 0 '' part "in$n" "$k/$n"
    output "^part $k/$n: [0-9]+ of the runs$"
    output "^done: part $k/$n, ([0-9]+) of its \\1 runs finished, 0 failed, in [0-9.]+ s; " \
      '[0-9]+ of all 16 runs are missing$'
    check_not test -e "in$n/sweep.nc"
  done
  expect 0 '' part "in$n" "1/$n"
  output '; the runs of all parts are there$'
  output "^done: 16 of 16 runs finished, 0 failed, in [0-9.]+ s; results in in$n/sweep.nc$"
  output "^report in in$n/report.html$"
  check test "$(cat "in$n/parts")" = "$n"
  results "in$n" > found
  check diff -q wanted found
  for p in 000000 000015; do
    for v in theta first_moment_theta; do check same_values 0 whole/networks/$p.nc $v "in$n/networks/$p.nc" $v; done
  done
done
# Its share: runs that train side by side stay together.
expect 0 '' part shares 1/4
check test "$(cd shares/runs && echo *)" = '000000.nc 000002.nc 000004.nc 000006.nc'

# All at once.
for k in 1 2 3; do part together $k/3 > out$k 2> err$k & done
wait
check test "$(cat err1 err2 err3)" = ''
results together > found
check diff -q wanted found
check grep -q 'results in together/sweep.nc$' out1 out2 out3

# ------------------------------------------------------------------------------------------------------------- going on
before=$(fingerprint in2/runs)
expect 0 '' part in2 2/2 # a task that is started again finds its runs there
output '^sweep of 16 runs, 0 to do, '
expect 0 '' "$cuonn" sweep --resume in2 --part 1/2
check test "$before" = "$(fingerprint in2/runs)"

cp -r in3 killed
rm killed/sweep.nc killed/report.html killed/runs/00000[0-9].nc killed/networks/000001.nc
touch killed/runs/.cuonn-0123456789abcdef.tmp
missing=$(($(ls whole/runs | wc -l) - $(ls killed/runs | wc -l)))
expect 3 "^cuonn sweep: killed: $missing of 16 runs are missing; start the parts that have not ended again" \
  "$cuonn" sweep --collect killed
for k in 1 2 3; do expect 0 '' "$cuonn" sweep --resume killed --part $k/3; done
results killed > found
check diff -q wanted found
rm killed/sweep.nc
expect 0 '' "$cuonn" sweep --collect killed
results killed > found
check diff -q wanted found
check test ! -e killed/runs/.cuonn-0123456789abcdef.tmp
expect 0 '' "$cuonn" sweep --collect whole
results whole > found
check diff -q wanted found


# ------------------------------------------------------------------------------------------------------ a job array
array() { env SLURM_ARRAY_TASK_ID="$1" SLURM_ARRAY_TASK_MIN="$2" SLURM_ARRAY_TASK_MAX="$3" SLURM_ARRAY_TASK_COUNT="$4" \
  "$cuonn" sweep "${@:5}"; }
for task in 10 20 30; do
  expect 0 '' array $task 10 30 3 grid.yaml --output array
  output "^part $((task / 10))/3, as the Slurm array says: "
done
results array > found
check diff -q wanted found
expect 0 '' array 2 0 2 3 --resume array --part 3/3
expect 0 '' array 7 7 7 1 grid.yaml --output alone # one task is no cut
check_not test -e alone/parts

# -------------------------------------------------------------------------------------------------------------- refused
expect 0 '' part first 2/2
mkdir keep
cp -r first whole keep
kept=$work/keep
cd keep || exit 1
refuse() { local code=$1 regex=$2; shift 2; expect "$code" "^cuonn sweep: $regex" "$@"; }
for bad in 0/8 9/8 3 1/2/3 ' 1/2' 1/1000001 99999999999/99999999999; do
  refuse 2 "--part .*: is not K/N with K from 1 to N and N up to 1000000, such as 3/8$" \
    "$cuonn" sweep ../grid.yaml --output new --part "$bad"
done
cut='first: its runs are cut into 2 parts, and this would be one of'
refuse 2 "$cut 3; give --part K/2, or remove first/parts when no part runs, and what is missing is cut anew$" \
  "$cuonn" sweep ../grid.yaml --output first --part 1/3
refuse 2 "$cut 1; " "$cuonn" sweep --resume first
refuse 2 'first: already holds sweep.yaml of another sweep' "$cuonn" sweep ../grid.yaml --output first
refuse 2 'first/sweep.yaml: is of another sweep, in which training.optimizer.learning_rate differs; ' \
  "$cuonn" sweep ../grid.yaml --output first --part 1/2 --set training.optimizer.learning_rate=0.5
refuse 2 'first/sweep.yaml: is of another sweep, in which the lists of values differs; ' \
  "$cuonn" sweep ../grid.yaml --output first --part 1/2 --set 'training.seed=[1, 2]'
refuse 2 'task 1 of a Slurm array of 3 tasks from 0 to 5 has no place' array 1 0 5 3 ../grid.yaml --output new
refuse 2 'task 9 of a Slurm array of 8 tasks from 0 to 7 has no place' array 9 0 7 8 ../grid.yaml --output new
refuse 2 "SLURM_ARRAY_TASK_MAX is 'x', which is no number" array 1 0 x 8 ../grid.yaml --output new
refuse 2 'SLURM_ARRAY_TASK_ID is set, but SLURM_ARRAY_TASK_MIN is not; ' \
  env SLURM_ARRAY_TASK_ID=1 "$cuonn" sweep ../grid.yaml --output new
refuse 2 '--part 3/8 contradicts the Slurm array, in which this is task 4 of 8; ' \
  array 3 0 7 8 ../grid.yaml --output new --part 3/8
refuse 2 'OMPI_COMM_WORLD_SIZE says that this is one of 4 processes, but ' \
  env OMPI_COMM_WORLD_SIZE=4 "$cuonn" sweep ../grid.yaml --output new # mpirun's, but no MPI, or not that MPI
refuse 2 '--collect DIR goes with no CONFIG' "$cuonn" sweep ../grid.yaml --collect first
refuse 2 '--collect DIR goes with no CONFIG' "$cuonn" sweep --collect first --part 1/2
refuse 3 'first: [0-9]+ of 16 runs are missing' "$cuonn" sweep --collect first
refuse 3 'none/sweep.yaml: ' "$cuonn" sweep --collect none
kept=
echo many > first/parts
refuse 3 'first/parts: is not a number of parts from 2 to 1000000; remove it' "$cuonn" sweep --resume first --part 1/2
cp -r whole whole2
expect 0 '' "$cuonn" sweep --resume whole2 --part 1/2 # begun by one process, gone on with by two
cd .. || exit 1

# Two processes of one part, and one that takes the directory for itself: refused while the first lives.
set -m # background jobs keep SIGINT, which a script's jobs ignore otherwise
"$cuonn" sweep grid.yaml --output held --part 2/3 --set training.epochs=100000 > out 2> err.held &
check wait_for test -d held/networks
again=("$cuonn" sweep grid.yaml --output held --set training.epochs=100000)
expect 2 '^cuonn sweep: held: part 2/3 runs already; wait for it, stop it, or start another part$' \
  "${again[@]}" --part 2/3
expect 2 '^cuonn sweep: held: another run is writing there; ' "$cuonn" sweep --resume held
kill -INT $!
wait $!
code=$?
cp err.held err
judge 130 '^cuonn sweep: interrupted; go on with: cuonn sweep --resume held --part 2/3$' $code 'interrupted part'
finish
