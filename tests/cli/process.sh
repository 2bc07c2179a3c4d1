# How the program lives in its machine: threads that the environment asks for, its end where memory is short, signals.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 256 64
small_config "$work/data" > config.yaml
numbers 120 1 3 > phases
netcdf mesh.nc classic 'node=120' '' theta:node:phases phi:node:phases

# ---------------------------------------------------------------------------------------------------------- threads
# More than are taken: said in a line, and no result depends on it.
if backends | grep -q cpu; then
  expect 0 '' "$cuonn" train config.yaml --backend cpu --output few
  for asked in 1025 3000 1000000 '3000,2'; do
    taken='\(OMP_NUM_THREADS\), of which 1024 are taken; computing with backend cpu'
    expect 0 "^cuonn: OpenMP is set to ${asked%,*} threads $taken$" \
      env OMP_NUM_THREADS="$asked" OMP_THREAD_LIMIT=2 "$cuonn" train config.yaml --backend cpu --output "many-$asked"
    check same_values 0 few/last.nc theta "many-$asked/last.nc" theta
  done
  told='of which 1024 are taken'
  expect 0 "$told" env OMP_NUM_THREADS=3000 "$cuonn" matrix mesh.nc --backend cpu --output u.nc
  expect 0 "$told" env OMP_NUM_THREADS=3000 OMP_THREAD_LIMIT=2 "$cuonn" eval few/last.nc --backend cpu
  expect 0 "$told" env OMP_NUM_THREADS=3000 OMP_THREAD_LIMIT=2 "$cuonn" bench --case forward --modes 8 --samples 1 \
    --seconds 0.5
  for asked in 1 4 4,3 1024; do
    expect 0 '' env OMP_NUM_THREADS="$asked" OMP_THREAD_LIMIT=2 "$cuonn" matrix mesh.nc --backend cpu --output u.nc
  done
  # Where the user says how many, the environment's number is none of them.
  expect 0 '' env OMP_NUM_THREADS=3000 "$cuonn" matrix mesh.nc --backend cpu --threads 2 --output u.nc
  expect 0 '' env OMP_NUM_THREADS=3000 "$cuonn" train config.yaml --set backend.name=cpu --set backend.threads=2 \
    --output set
fi
expect 0 '' env OMP_NUM_THREADS=3000 "$cuonn" matrix mesh.nc --backend reference --output u.nc
expect 2 'threads' "$cuonn" matrix mesh.nc --backend cpu --threads 1025 --output u.nc
expect 2 'backend.threads' "$cuonn" train config.yaml --set backend.threads=3000 --output more

# ------------------------------------------------------------------------------------------------- little memory
# OpenBLAS gets no threads there, and waits for them at its end. What ends must end: a program that hangs is killed.
if grep -qE '__asan_init|__gcov_exit' "$cuonn"; then
  echo 'no limit of memory: a build that measures itself needs more'
else
  limited() { (ulimit -v 220000 && exec timeout -s KILL 300 "$@"); }
  expect 0 '' limited "$cuonn" --version
  expect 0 '' limited "$cuonn" train --help
  expect 0 '' limited "$cuonn" matrix mesh.nc --output u.nc
  expect 2 'one argument is too many' limited "$cuonn" matrix mesh.nc mesh.nc --output u.nc
  limited "$cuonn" train config.yaml --output little > out 2> err # a report may want more memory than there is
  check test $? = 0
  check grep -q '^done: 2 epochs' out
  expect 3 'cannot write to standard output: No space left' limited bash -c '"$0" --version > /dev/full' "$cuonn"
fi

# --------------------------------------------------------------------------------------------------------- signals
set -m # background jobs keep SIGINT, which a script's jobs ignore otherwise
for signal in INT TERM HUP; do
  rm -f out err
  "$cuonn" train config.yaml --set training.epochs=100000 --output "stop-$signal" > out 2> err &
  check wait_for grep -q '^epoch ' out
  kill -"$signal" $!
  wait $!
  judge 130 "^cuonn train: interrupted after step [0-9]+; go on with: cuonn train --resume stop-$signal$" $? \
    "SIG$signal"
  check test -e "stop-$signal/last.nc"
done
# nohup: the end of the terminal is no end of the training.
rm -f out err
nohup "$cuonn" train config.yaml --set training.epochs=100000 --output nohup > out 2> err < /dev/null &
check wait_for grep -q '^epoch ' out
kill -HUP $!
lines=$(wc -l < out)
check wait_for grep -q "^epoch $((lines + 3))/" out
kill -TERM $!
wait $!
check test $? = 130
finish
