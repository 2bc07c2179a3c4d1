# Every command makes the folders above what it writes; where it cannot, it says so in one line.
source "$(dirname "$0")/harness.sh"
base=$work/files # output of commands stands outside of it
mkdir "$base"
cd "$base" || exit 1
slice data 256 64
small_config "$base/data" > config.yaml
numbers 120 1 3 > phases
numbers 96 2 1 > values
printf '0\n4\n9\n' > label
netcdf mesh.nc classic 'node=120' '' theta:node:phases phi:node:phases
netcdf batch.nc classic 'example=3 waveguide=16 complex=2' '' input:example,waveguide,complex:values \
  cotangent:example,waveguide,complex:values label:example:label:int
small=(--case forward --modes 8 --batch 8 --samples 1 --seconds 0.5)

# makes FILE COMMAND...: into folders that are not there, one of which is only on the way.
makes() {
  local file=$1
  shift
  expect 0 '' "$cuonn" "$@"
  check test -s "$file"
}
makes a/b/run/last.nc train config.yaml --output a/b/run --set training.epochs=1
makes a/default/run/best.nc train config.yaml --set output.directory=a/default/run --set training.epochs=1
makes a/up/../slash/last.nc train config.yaml --output a/up/../slash/ --set training.epochs=1
makes b/c/sweep/sweep.nc sweep config.yaml --output b/c/sweep --set training.epochs=1 --set 'training.seed=[0, 1]'
makes c/1/u.nc matrix mesh.nc --output c/1/u.nc
makes c/2/mesh.nc decompose c/1/u.nc --output "$base/c/2/mesh.nc"
makes c/2/x/p.nc program c/1/u.nc --chip mesh.nc --output c/2/x/p.nc
makes c/3/x/out.nc propagate mesh.nc --input batch.nc --output c/3/x/out.nc
makes c/4/x/out.nc vjp mesh.nc --input batch.nc --output ./c/4//x/out.nc
makes c/5/x/g.nc gradient a/b/run/best.nc --input batch.nc --output c/5/x/g.nc
makes c/6/x/grid.nc energy --grid energy.modes=4:16:4 --output c/6/x/grid.nc
makes c/7/x/curves.svg plot curves a/b/run/metrics.csv --output c/7/x/curves.svg --keep-data
check test -s c/7/x/curves.svg.txt
makes c/8/x/bench.json bench "${small[@]}" --json c/8/x/bench.json
makes c/9/x/bench.svg bench "${small[@]}" --plot c/9/x/bench.svg
# The folders are those that the umask and the one above give, not more open.
check test "$(stat -c %a c/3/x)" = 755

# A folder that cannot be made is named, and nothing is left of what was tried.
touch file
ln -s nowhere link
mkdir closed
chmod 555 closed
kept=$base
for folder in file file/below link /proc/none; do
  reason='(cannot be written: Not a directory|.*is a file, not a directory|.*cannot be made: )'
  expect 3 "^cuonn matrix: $folder/u.nc: $reason" \
    "$cuonn" matrix mesh.nc --output "$folder/u.nc"
  expect 3 '(is a file, not a directory|cannot be made: )' "$cuonn" train config.yaml --output "$folder/run"
  expect 3 '(is a file, not a directory|cannot be made: )' "$cuonn" sweep config.yaml --output "$folder/sweep"
  expect 3 "^cuonn bench: $folder/b.json: (.*is a file, not a directory|.*cannot be made: )" "$cuonn" bench \
    "${small[@]}" --json "$folder/b.json"
  expect 3 "^cuonn bench: $folder/b.svg: (.*is a file, not a directory|.*cannot be made: )" "$cuonn" bench \
    "${small[@]}" --plot "$folder/b.svg"
done
if [[ $(id -u) != 0 ]]; then
  expect 3 '^cuonn matrix: closed/in/u.nc: closed/in: cannot be made: Permission denied' "$cuonn" matrix mesh.nc \
    --output closed/in/u.nc
  expect 3 '^cuonn train: closed/in: cannot be made: Permission denied' "$cuonn" train config.yaml \
    --output closed/in/run
fi
# What is refused for another reason makes no folder.
expect 3 'absent.nc: cannot be opened' "$cuonn" matrix absent.nc --output new/u.nc
expect 2 'training.epochs' "$cuonn" train config.yaml --output new/run --set training.epochs=0
expect 3 'last.nc: cannot be opened' "$cuonn" train --resume new/run
expect 3 'sweep.yaml: cannot be opened' "$cuonn" sweep --resume new/sweep
kept=
check_not test -e new
finish
