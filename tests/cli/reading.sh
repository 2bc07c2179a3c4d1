#!/bin/bash
# What is read where another thing was meant: pipes, files of other kinds, headers made to do harm, names and units.
source "$(dirname "$0")/harness.sh"
cases=$(realpath "$(dirname "$0")/../cases")
cd "$work" || exit 1
slice data 128 32
config() { small_config "$work/data"; }
config > config.yaml
set -m # background jobs keep SIGINT, which a script's jobs ignore otherwise

# ------------------------------------------------------------------------------------------------------------ pipes

# A configuration may come through a pipe, at once or late; a pipe into which nobody writes is refused, and nothing
# hangs.
once='--set training.epochs=1'
expect 0 '' "$cuonn" train config.yaml $once --output plain
expect 0 '' "$cuonn" train <(config) $once --output substituted
check same_values 0 plain/last.nc theta substituted/last.nc theta
expect 0 '' "$cuonn" train <(config | head -c 20; sleep 0.3; config | tail -c +21) $once --output late
check same_values 0 plain/last.nc theta late/last.nc theta
expect 0 '' bash -c "cat config.yaml | '$cuonn' train /dev/stdin $once --output standard"
check same_values 0 plain/last.nc theta standard/last.nc theta
expect 0 '' "$cuonn" energy --network <(config)
mkfifo pipe
for command in 'train pipe --output refused' 'sweep pipe --output refused' 'energy --network pipe' 'eval pipe' \
  'matrix pipe --output refused' 'decompose pipe --output refused' 'plot energy pipe --output refused.svg' \
  'plot power pipe --output refused.svg' 'propagate pipe --input pipe --output refused'; do
  # shellcheck disable=SC2086 # words of a command
  expect 3 'pipe: is (a pipe from which nothing comes|not a regular file)' timeout 120 "$cuonn" $command
done
for name in train-images-idx3-ubyte t10k-labels-idx1-ubyte; do
  cp -r data piped
  rm -f "piped/$name" "piped/$name.gz"
  mkfifo "piped/$name"
  expect 3 "^cuonn train: piped/$name: is not a regular file, expected an IDX file" \
    timeout 120 "$cuonn" train config.yaml --set data.path=piped --output refused
  rm -r piped
done
check_not test -e refused

# The first signal ends a command that waits for a pipe, whose writer (this shell) writes nothing.
exec 9<> pipe
for command in train sweep; do
  for signal in TERM INT; do
    "$cuonn" $command pipe --output refused > "$work/out" 2> "$work/err" 9>&- &
    for _ in {1..1200}; do # until the program has the pipe open, which is after it has begun to listen for signals
      if [[ $(readlink "/proc/$!/exe") == "$cuonn" ]] && readlink "/proc/$!/fd/"* | grep -q '/pipe$'; then break; fi
      sleep 0.05
    done
    kill -"$signal" $!
    wait $!
    judge 130 "^cuonn $command: pipe: interrupted while it was read$" $? "$command pipe, SIG$signal"
  done
done
exec 9>&-
check_not test -e refused

# ------------------------------------------------------------------------------------------- files of other kinds

printf '\x93NUMPY\x01\x00v\x00{}' > u.npy
no='is not a netCDF file, but'
expect 3 "^cuonn decompose: u.npy: $no a NumPy array \(.npy\); convert it: python3 -c 'import numpy" \
  "$cuonn" decompose u.npy --output refused
printf '1,0\n0,1\n' > u.csv
load='loadtxt\("u.csv", dtype=complex, delimiter=","\)'
expect 3 "^cuonn decompose: u.csv: $no text, such as CSV; convert it: .*$load" \
  "$cuonn" decompose u.csv --output refused
expect 3 '^cuonn matrix: u.csv: .*"theta": \(\["node"\], a\[0\]\)' "$cuonn" matrix u.csv --output refused
expect 2 '^cuonn train: u.npy: is a NumPy array' "$cuonn" train u.npy --output refused
# the lines themselves, where Python has what they need
if python3 -c 'import numpy, xarray' 2> /dev/null; then
  "$cuonn" decompose u.csv --output refused 2>&1 | sed "s/.*convert it: //; s/, see docs.*//" > convert.sh
  check bash convert.sh
  expect 0 '' "$cuonn" decompose u.nc --output mesh.nc
fi
check_not test -e refused

# ------------------------------------------------------------------------------------- headers made to do harm

# shellcheck disable=SC2059 # the bytes are the format
printf "$(sed 's/../\\x&/g' "$cases/many-dimensions.nc.hex")" > many.nc
check test "$(stat -c %s many.nc)" = 112
for command in 'decompose many.nc --output refused' 'matrix many.nc --output refused' 'eval many.nc' \
  'plot power many.nc --output refused.svg' 'plot energy many.nc --output refused.svg' \
  'plot sweep-map many.nc --output refused.svg' 'energy --network many.nc' \
  'propagate many.nc --input many.nc --output refused' \
  'vjp many.nc --input many.nc --output refused' 'gradient many.nc --input many.nc --output refused'; do
  # shellcheck disable=SC2086 # words of a command
  expect 3 'many.nc: is damaged or cut: its netCDF header cannot be followed' "$cuonn" $command
done
check_not test -e refused

# ------------------------------------------------------------------------------------------- names and units

# a permutation that is no involution: its transpose is another matrix
printf '%s\n' 0 0 1 0 0 0  0 0 0 0 1 0  1 0 0 0 0 0 > whole # rows: 1, 2, 0
printf '%s\n' 0 0 0 0 1 0  1 0 0 0 0 0  0 0 1 0 0 0 > turned
netcdf rows.nc classic 'row=3 column=3 complex=2' '' unitary:row,column,complex:whole
netcdf columns.nc netCDF-4 'row=3 column=3 complex=2' '' unitary:column,row,complex:turned
netcdf twice.nc classic 'row=3 complex=2' '' unitary:row,row,complex:whole
expect 0 '' "$cuonn" decompose rows.nc --output a.nc
expect 0 '' "$cuonn" decompose columns.nc --output b.nc
for v in theta phi gamma; do check same_values 0 a.nc $v b.nc $v; done
expect 3 'twice.nc: unitary has the dimensions \(row, row, complex\), it must have \(row, column, complex\)' \
  "$cuonn" decompose twice.nc --output refused

printf '%s\n' 90 45 30 > degrees
awk '{ printf "%.17g\n", $1 * atan2(0, -1) / 180 }' degrees > radians
netcdf radians.nc classic 'node=3 waveguide=3' '' theta:node:radians phi:node:radians gamma:waveguide:radians
netcdf degrees.nc classic 'node=3 waveguide=3' '' theta:node:degrees:double:degree phi:node:degrees:float:deg \
  gamma:waveguide:degrees:int:degrees
expect 0 '' "$cuonn" matrix radians.nc --output a.nc
expect 0 '' "$cuonn" matrix degrees.nc --output b.nc
check same_values 1e-15 a.nc unitary b.nc unitary # one rounding of a phase below 2
netcdf metres.nc classic 'node=3 waveguide=3' '' theta:node:degrees:double:metre phi:node:degrees \
  gamma:waveguide:degrees
expect 3 'metres.nc: theta has the units "metre"; known are radian, mrad, degree' "$cuonn" matrix metres.nc \
  --output refused
check_not test -e refused
finish
