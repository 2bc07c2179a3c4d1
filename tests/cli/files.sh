# Damaged files, full disks, size limits, and what an unprivileged user may not do.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 256 64
small_config "$work/data" > config.yaml
expect 0 '' "$cuonn" train config.yaml --output run
mkdir keep
for v in theta phi; do values run/last.nc $v > $v; done
numbers 96 1 1 > input
printf '0\n4\n9\n' > label
netcdf batch.nc classic 'example=3 waveguide=16 complex=2' '' input:example,waveguide,complex:input \
  label:example:label:int
head -120 theta > one
netcdf mesh.nc classic 'node=120' '' theta:node:one phi:node:one
expect 0 '' "$cuonn" matrix mesh.nc --output keep/u.nc

# ------------------------------------------------------------------------------------------------------ damaged files
# Ours: whatever byte is changed, the hash says so, before anything reads the file.
kept=$work/keep
size=$(stat -c %s run/last.nc)
for at in 0 3 5 40 1000 $((size / 2)) $((size - 33)) $((size - 20)) $((size - 9)); do
  cp run/last.nc bad.nc
  flip bad.nc "$at"
  expect 3 '^cuonn eval: bad.nc: ' "$cuonn" eval bad.nc
  expect 3 '^cuonn gradient: bad.nc: ' "$cuonn" gradient bad.nc --input batch.nc --output keep/u.nc
done
for length in 0 1 3 4 100 2000 $((size / 2)) $((size - 200)); do
  head -c "$length" run/last.nc > bad.nc
  expect 3 '^cuonn eval: bad.nc: ' "$cuonn" eval bad.nc
  expect 3 '^cuonn decompose: bad.nc: ' "$cuonn" decompose bad.nc --output keep/u.nc
done
echo 'No netCDF.' > bad.nc
expect 3 '^cuonn eval: bad.nc: ' "$cuonn" eval bad.nc
expect 3 '^cuonn eval: keep: ' "$cuonn" eval keep

# From elsewhere: netCDF-4 with bytes changed all over. Some do no harm; the others are refused, and nothing crashes.
netcdf foreign.nc netCDF-4 'node=120' 'note=made' theta:node:one phi:node:one
size=$(stat -c %s foreign.nc)
refused=0
printf 'leak:libhdf5\nleak:libnetcdf\n' > leaks # they themselves forget memory when they refuse a file
export LSAN_OPTIONS=suppressions=$work/leaks:print_suppressions=0
for at in $(seq 8 $((size / 25)) "$size"); do
  cp foreign.nc bad.nc
  printf '\377\377\377\377' | dd of=bad.nc bs=1 seek="$at" conv=notrunc status=none
  "$cuonn" matrix bad.nc --output out.nc > out 2> err
  code=$?
  if [[ $code == 0 ]]; then
    judge 0 '' 0 "byte $at changed"
  else
    judge 3 '^cuonn matrix: bad.nc: ' $code "byte $at changed"
  fi
  [[ $code == 3 ]] && refused=$((refused + 1))
done
check test $refused -gt 3
for length in 100 1000 $((size - 100)); do
  head -c "$length" foreign.nc > bad.nc
  expect 3 '^cuonn matrix: bad.nc: ' "$cuonn" matrix bad.nc --output keep/u.nc
done
unset LSAN_OPTIONS
netcdf classic.nc 64-bit-offset 'node=120' '' theta:node:one phi:node:one
head -c 700 classic.nc > bad.nc
expect 3 '^cuonn matrix: bad.nc: ' "$cuonn" matrix bad.nc --output keep/u.nc
kept=

# --------------------------------------------------------------------------------------------- a limit on a file's size
limited() { # KIB COMMAND...
  local kib=$1
  shift
  (ulimit -f "$kib" && GCOV_PREFIX=$work/gcov exec "$@")
}
kept=$work/keep
expect 3 '^cuonn matrix: keep/u.nc: ' limited 2 "$cuonn" matrix mesh.nc --output keep/u.nc
expect 3 '^cuonn matrix: keep/new.nc: ' limited 2 "$cuonn" matrix mesh.nc --output keep/new.nc
kept=
expect 3 '^cuonn completion: cannot write to standard output: File too large' limited 1 "$cuonn" completion bash
expect 3 '^cuonn train: short/(best|last).nc: ' limited 16 "$cuonn" train config.yaml --output short
check test "$(cd short && echo *)" = 'config.yaml metrics.csv'
cp -r run longer
expect 3 '^cuonn train: longer/(best|last).nc: ' limited 16 "$cuonn" train --resume longer --set training.epochs=3
check cmp run/last.nc longer/last.nc
check test "$(cd longer && ls -A | paste -sd' ')" = 'best.nc config.yaml last.nc metrics.csv report.html'
# The epoch that has a row but no checkpoint is done again.
expect 0 '' "$cuonn" train --resume longer --set training.epochs=3
check test "$(cut -d, -f1 longer/metrics.csv | paste -sd,)" = epoch,1,2,3

# ------------------------------------------------------------------------------------------------------- a full disk
mkdir disk
if [[ $(id -u) == 0 ]] && mount -t tmpfs -o size=256k none disk 2> /dev/null; then
  trap 'umount "$work/disk"; clean_up' EXIT
  cp keep/u.nc mesh.nc disk
  head -c 1000000 /dev/zero > disk/filler 2> /dev/null
  kept=$work/disk
  expect 3 '^cuonn matrix: disk/u.nc: .*No space left' "$cuonn" matrix mesh.nc --output disk/u.nc
  expect 3 '^cuonn decompose: disk/mesh.nc: .*No space left' "$cuonn" decompose keep/u.nc --output disk/mesh.nc
  kept=
  # Room for one epoch's files and not for the next one's, which are written beside them.
  rm disk/*
  file=$(($(stat -c %s run/last.nc) / 4096 + 1))
  head -c $(((64 - 2 * file - 3) * 4096)) /dev/zero > disk/filler
  expect 3 '^cuonn train: disk/run/.*: .*No space left' "$cuonn" train config.yaml --output disk/run \
    --set training.epochs=50
  check test "$(cd disk/run && ls -A | paste -sd' ')" = 'best.nc config.yaml last.nc metrics.csv'
  rm disk/filler
  expect 0 '' "$cuonn" eval disk/run/last.nc
  # There is room for the other epochs, and none for a report: training is done.
  expect 0 '^cuonn train: disk/run/report.html: .*No space left' "$cuonn" train --resume disk/run \
    --set training.epochs=3
  check test "$(cut -d, -f1 disk/run/metrics.csv | paste -sd,)" = epoch,1,2,3
  umount disk
  trap clean_up EXIT
else
  echo 'no full disk: only root can mount one'
fi

# --------------------------------------------------------------------------------------------------- permissions
as_user() { "$@"; }
program=$cuonn
if [[ $(id -u) == 0 ]]; then # root may write everywhere; nobody may not, and sees no more of the build than a copy
  cp "$cuonn" cuonn-copy
  program=$work/cuonn-copy
  mkdir -m 777 gcov-user # where a build that counts lines leaves its counts
  as_user() { GCOV_PREFIX=$work/gcov-user setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"; }
fi
mkdir closed
cp keep/u.nc closed
cp -r data secret
chmod 000 secret/t10k-labels-idx1-ubyte
chmod 555 closed
kept=$work/closed
expect 3 '^cuonn matrix: closed/u.nc: .*Permission denied' as_user "$program" matrix mesh.nc --output closed/u.nc
expect 3 '^cuonn matrix: closed/new.nc: .*Permission denied' as_user "$program" matrix mesh.nc --output closed/new.nc
expect 3 '^cuonn bench: closed/new.json: .*Permission denied' as_user "$program" bench --json closed/new.json
expect 3 '^cuonn train: closed/new: .*Permission denied' as_user "$program" train config.yaml --output closed/new
expect 3 '^cuonn train: closed.*: .*Permission denied' as_user "$program" train config.yaml --output closed
expect 3 '^cuonn train: secret/t10k-labels-idx1-ubyte: .*Permission denied' \
  as_user "$program" train config.yaml --set data.path=secret --output closed/new
chmod 600 config.yaml
[[ $(id -u) == 0 ]] && expect 3 '^cuonn train: config.yaml: .*Permission denied' as_user "$program" train config.yaml \
  --output closed/new
chmod 700 closed
kept=
finish
