# The directory of a run stands for the file in it that a command reads, and a file in it for the directory; every
# command says what it did, as text and as JSON.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 256 64
small_config "$work/data" > config.yaml
numbers 120 1 3 > phases
numbers 96 2 1 > values
printf '0\n4\n9\n' > label
netcdf mesh.nc classic 'node=120' '' theta:node:phases phi:node:phases
netcdf batch.nc classic 'example=3 waveguide=16 complex=2' '' input:example,waveguide,complex:values \
  cotangent:example,waveguide,complex:values label:example:label:int
expect 0 '' "$cuonn" train config.yaml --output x/run
expect 0 '' "$cuonn" train config.yaml --output 'x/of a name' --set training.epochs=1
expect 0 '' "$cuonn" sweep config.yaml --output x/sweep --set training.epochs=1 --set 'training.seed=[0, 1]' \
  --set 'training.optimizer.learning_rate=[0.01, 0.001]'

# ------------------------------------------------------------------------------------------------------- what is meant
"$cuonn" eval x/run/best.nc > want
for path in x/run x/run/ ./x//run "$work/x/run"; do
  expect 0 '' "$cuonn" eval "$path"
  output '^network   .*best.nc$'
  check cmp -s <(tail -n +2 out) <(tail -n +2 want)
done
expect 0 '' env -C x/run "$cuonn" eval .
expect 3 'metrics.csv: ' "$cuonn" eval x/run/metrics.csv # a file that is named is not another
expect 0 '' "$cuonn" eval x/run/last.nc
output '^network   x/run/last.nc$'
expect 0 '' "$cuonn" eval 'x/of a name' --json
output '"checkpoint":"x/of a name/best.nc"'
expect 0 '' "$cuonn" eval x/run --chips 2 --set chip.coupler_std=0.1
output '^network   x/run/best.nc$'
cp -r x/run early
rm early/best.nc
expect 0 '' "$cuonn" eval early
output '^network   early/last.nc$'
"$cuonn" gradient x/run/best.nc --input batch.nc --output want.nc > /dev/null
expect 0 '' "$cuonn" gradient x/run --input batch.nc --output got.nc
check cmp -s got.nc want.nc
expect 0 '' "$cuonn" wrap x/run --output wrapped.nc
output '^output        wrapped.nc$'
"$cuonn" energy --network x/run/best.nc > want
expect 0 '' "$cuonn" energy --network x/run
check cmp -s out want
expect 0 '' "$cuonn" energy --network x/run/config.yaml
output '^network x/run/config.yaml: 2 layers of N = 16'
same_figure() { # WHAT PATH FILE: drawn from the path as from the file
  expect 0 '' "$cuonn" plot "$1" "$3" --output want.svg --keep-data
  expect 0 '' "$cuonn" plot "$1" "$2" --output got.svg --keep-data
  output "^$1 of $3 in got.svg, its data in got.svg.txt$"
  check cmp -s got.svg.txt want.svg.txt
}
same_figure curves x/run x/run/metrics.csv
for what in confusion examples phases power; do same_figure $what x/run x/run/best.nc; done
same_figure sweep-map x/sweep/sweep.yaml x/sweep/
same_figure sweep-bars x/sweep/report.html x/sweep/
expect 0 '' "$cuonn" plot curves x/run 'x/of a name' --output two.svg --keep-data
output '^curves of x/run/metrics.csv and 1 more in two.svg'
check grep -qF '"of a name"' two.svg.txt
for path in x/run x/run/ x/run/last.nc x/run/best.nc x/run/metrics.csv x/run/config.yaml x/run/report.html; do
  rm x/run/report.html
  [[ $path == *html ]] && touch $path
  expect 0 '' "$cuonn" report $path
  output '^report in x/run/report.html$'
  check test -s x/run/report.html
done
expect 0 '' env -C x/run "$cuonn" report last.nc
output '^report in ./report.html$'
for path in x/sweep x/sweep/sweep.yaml x/sweep/sweep.nc x/sweep/report.html; do
  expect 0 '' "$cuonn" report $path
  output '^report in x/sweep/report.html$'
done
expect 0 '' "$cuonn" train --resume x/run/last.nc --set training.epochs=3
check test "$(wc -l < x/run/metrics.csv)" = 4
expect 0 '' "$cuonn" train --resume x/run/ --set training.epochs=3
output '^nothing to do: x/run'
expect 0 '' "$cuonn" sweep --resume x/sweep/sweep.nc
output '^sweep of 4 runs, 0 to do'

# A directory that has nothing of the kind is refused with what to give.
mkdir empty killed
cp x/run/config.yaml killed
head -1 x/run/metrics.csv > killed/metrics.csv
for command in 'eval' 'gradient --input batch.nc --output g.nc' 'energy --network' 'plot confusion --output f.svg' \
  'plot phases --output f.svg'; do
  [[ $command == energy* ]] && continue
  expect 3 'empty: is a folder without best.nc or last.nc; give that file, or the directory of a run' "$cuonn" \
    $command empty
  expect 3 'x/sweep: is the directory of a sweep; name one of its networks, such as x/sweep/networks/000000.nc' \
    "$cuonn" $command x/sweep
  expect 3 'killed: holds a run of which no epoch was finished' "$cuonn" $command killed
done
expect 3 'empty: is a folder without best.nc' "$cuonn" energy --network empty
expect 3 'empty: is a folder without metrics.csv' "$cuonn" plot curves empty --output f.svg
expect 3 'x/sweep: is the directory of a sweep, which has no metrics.csv; its figures are sweep-map' \
  "$cuonn" plot curves x/sweep --output f.svg
expect 3 'absent: cannot be ' "$cuonn" eval absent
expect 3 'absent: cannot be ' "$cuonn" report absent

# ------------------------------------------------------------------------------------------------- what a command did
netcdf three.nc classic 'example=3 waveguide=16 complex=2' '' input:example,waveguide,complex:values
power=$(awk '{ s += $1 * $1 } END { printf "%.6g", s }' values)
expect 0 '' "$cuonn" matrix mesh.nc --output u.nc
output '^modes            16$'
output '^unitarity error  [0-9.]+e-1[5-9]$'
output '^output           u.nc$'
expect 0 '' "$cuonn" decompose u.nc --output again.nc
output '^output +again.nc$'
expect 0 '' "$cuonn" propagate mesh.nc --input three.nc --output out.nc
for line in 'modes +16' 'examples +3' "power in +$power" "power out +$power" 'output +out.nc'; do output "^$line$"; done
expect 0 '' "$cuonn" vjp mesh.nc --input batch.nc --output out.nc
for line in 'modes +16' 'examples +3' 'gradient norm +[0-9.]+' 'output +out.nc'; do output "^$line$"; done
{ values out.nc d_theta; values out.nc d_phi; values out.nc d_gamma
} | awk '{ s += $1 * $1 } END { printf "%.6g\n", sqrt(s) }' > want
check test "$(awk '$1 == "gradient" { print $3 }' out)" = "$(cat want)"
expect 0 '' "$cuonn" gradient x/run --input batch.nc --output g.nc
output '^output    g.nc$'
expect 0 '' "$cuonn" energy --grid energy.modes=4:16:4 --grid energy.bits=4,6 --output grid.nc
output '^points  8$'
output '^output  grid.nc$'

# All commands that work print JSON: one object a line.
json() { # FILTER COMMAND...
  local filter=$1
  shift
  expect 0 '' "$cuonn" "$@" --json
  check jq -e -s "length > 0 and (.[-1] | $filter)" out > /dev/null
}
small=(--case forward --modes 8 --batch 8 --samples 1 --seconds 0.5)
json '.result == "done" and .directory == "json/run"' train config.yaml --output json/run --set training.epochs=1
json '.result == "done"' sweep config.yaml --output json/sweep --set training.epochs=1 --set 'training.seed=[0, 1]'
json '.examples == 64 and .checkpoint == "x/run/best.nc"' eval x/run
json '.chips == 2' eval x/run --chips 2 --set chip.coupler_std=0.1
json '.modes == 16 and .unitarity_error < 1e-14 and .output == "u.nc"' matrix mesh.nc --output u.nc
json '.modes == 16 and .output == "again.nc"' decompose u.nc --output again.nc
json '.modes == 16 and .examples == 3 and .backward and (.power_in / .power_out - 1 | fabs) < 1e-13' propagate mesh.nc \
  --input three.nc --output out.nc --backward
json '.modes == 16 and .examples == 3 and .gradient_norm > 0 and .output == "out.nc"' vjp mesh.nc --input batch.nc \
  --output out.nc
json '.examples == 3 and .output == "g.nc"' gradient x/run --input batch.nc --output g.nc
json '.mvm.tops_per_watt > 0' energy
json '.points == 4 and .output == "grid.nc"' energy --grid energy.modes=4:16:4 --output grid.nc
json '.figure == "curves" and .files == ["x/run/metrics.csv"] and .output == "f.svg" and .data == null' plot curves \
  x/run --output f.svg
json '.data == "f.svg.txt"' plot curves x/run --output f.svg --keep-data
json '.of == "run" and .output == "x/run/report.html"' report x/run
json '.of == "sweep" and .output == "x/sweep/report.html"' report x/sweep
json '.version' info
json '.results | length > 0' bench "${small[@]}"

# ------------------------------------------------------------------------------------------- messages name the culprit
head -2 label > two
netcdf labels.nc classic 'example=3 waveguide=16 complex=2 other=2' '' input:example,waveguide,complex:values \
  label:other:two:int
expect 3 'labels.nc: input has 3 examples, but label has 2$' "$cuonn" gradient x/run --input labels.nc --output g.nc
printf '0\n4\n9\n0\n4\n9\n' > six
netcdf narrow.nc classic 'example=6 waveguide=8 complex=2' '' input:example,waveguide,complex:values \
  label:example:six:int \
  cotangent:example,waveguide,complex:values
expect 3 'narrow.nc: input has 8 waveguides, but the network in x/run/best.nc has 16$' "$cuonn" gradient x/run \
  --input narrow.nc --output g.nc
expect 3 'narrow.nc: input has 8 waveguides, but the mesh in mesh.nc has 16$' "$cuonn" vjp mesh.nc --input narrow.nc \
  --output g.nc
expect 3 'narrow.nc: input has 8 waveguides, but the mesh in mesh.nc has 16$' "$cuonn" propagate mesh.nc \
  --input narrow.nc --output g.nc
head -64 values > fewer
netcdf fewer.nc classic 'example=3 two=2 waveguide=16 complex=2' '' input:example,waveguide,complex:values \
  cotangent:two,waveguide,complex:fewer
expect 3 'fewer.nc: input has 3 examples, but cotangent 2; each' "$cuonn" vjp mesh.nc --input fewer.nc --output g.nc
netcdf wide.nc classic 'example=3 waveguide=16 six=6 eight=8 complex=2' '' input:example,waveguide,complex:values \
  cotangent:six,eight,complex:values
expect 3 'wide.nc: cotangent has 8 waveguides, but the mesh in mesh.nc has 16$' "$cuonn" vjp mesh.nc --input wide.nc \
  --output g.nc
cp -r data bad
gzip bad/train-images-idx3-ubyte
printf '\377' | dd of=bad/train-images-idx3-ubyte.gz bs=1 seek=40 conv=notrunc 2> /dev/null
expect 3 'train-images-idx3-ubyte.gz: ' "$cuonn" train config.yaml --data bad --output never
check_not grep -q '<fd' err
# A configuration that names nothing has all defaults.
: > nothing.yaml
echo '# nothing' > comment.yaml
echo '---' > start.yaml
for file in nothing comment start; do
  expect 0 '' "$cuonn" energy $file.yaml --json
  check cmp -s out <("$cuonn" energy --json)
  expect 3 "^cuonn train: none: " "$cuonn" train $file.yaml --data none --output never
done
finish
