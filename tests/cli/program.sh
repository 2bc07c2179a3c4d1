# program: phases of a chip for a matrix, by every method, and refusals.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
number='[0-9][0-9.e-]*'

# A chip whose couplers are off, the phases of another matrix on it, and a target.
numbers 28 1 3 | awk '{ printf "%.17g\n", $1 + 0.05 }' > theta
numbers 28 2 6 > phi
numbers 8 3 6 > gamma
numbers 56 4 0.1 | awk '{ printf "%.17g\n", $1 - 0.05 }' > error
yes 0 | head -56 > none
netcdf ideal.nc classic 'node=28 waveguide=8' '' theta:node:theta phi:node:phi gamma:waveguide:gamma
expect 0 '' "$cuonn" matrix ideal.nc --output target.nc
for style in top bottom differential; do
  netcdf chip-$style.nc netCDF-4 'node=28 side=2' "phase_style=$style" theta:node:phi phi:node:phi \
    coupler_error:node,side:error
done

# The matrix error that is printed is that of the file that is written.
# error_of FILE: ||U' - U||_F / sqrt(N) of it.
error_of() {
  "$cuonn" matrix "$1" --output u.nc > /dev/null && paste <(values u.nc unitary) <(values target.nc unitary) |
    awk '{ sum += ($1 - $2) * ($1 - $2) } END { printf "%.17g\n", sqrt(sum / 8) }'
}
# json NAME: a number of the last command's JSON.
json() { jq ".$1" "$work/out"; }
for style in top bottom differential; do
  for method in decompose local nulling gradient; do
    expect 0 '' "$cuonn" program target.nc --chip chip-$style.nc --method $method --output $method.nc --json
    json error_after > got
    error_of $method.nc > want
    check awk '{ d = $1 - $2; exit !(d < 1e-13 && d > -1e-13) }' <(paste got want)
    check test "$(json method)" = "\"$method\""
    check same_values 0 $method.nc coupler_error chip-$style.nc coupler_error
    check grep -q "phase_style = \"$style\"" <(ncdump -h $method.nc)
  done
  # local and nulling come far nearer than no correction, the gradient at least as near as local
  for method in decompose local nulling gradient; do error_of $method.nc; done | paste -sd ' ' > errors
  check awk '{ exit !($2 < $1 / 3 && $3 < $1 / 3 && $4 <= $2 && $1 > 0.05) }' errors
done

# As text; local is the default.
expect 0 '' "$cuonn" program target.nc --chip chip-top.nc --output default.nc
output '^modes +8$'
output '^method +local$'
output "^matrix error +$number before, $number after\$"
output "^normalised error +$number before, $number after\$"
output '^out of reach +[0-9]+ of 28 nodes$'
expect 0 '' "$cuonn" program target.nc --chip chip-top.nc --method local --output local.nc
for v in theta phi gamma; do check same_values 0 default.nc $v local.nc $v; done
expect 0 '' "$cuonn" program target.nc --chip chip-top.nc --method nulling --output exact.nc
output '^readings +276$' # nine a node, three an output
expect 0 '' "$cuonn" program target.nc --chip chip-top.nc --method gradient --iterations 2 --output two.nc
output '^steps +2$'
for b in $(backends); do
  expect 0 '' "$cuonn" program target.nc --chip chip-top.nc --output float.nc --backend "$b"
  for v in theta phi gamma; do check same_values 0 float.nc $v local.nc $v; done
  expect 0 '' "$cuonn" program target.nc --chip chip-top.nc --output float.nc --backend "$b" --method gradient
done

# Noise of readings: the same seed is the same noise.
for seed in 1 1 2; do
  expect 0 '' "$cuonn" program target.nc --chip chip-top.nc --method nulling --tap-shot 1e-3 --seed $seed \
    --output noisy.nc
  values noisy.nc theta | cksum
done > sums
check test "$(uniq sums | wc -l)" = 2
check test "$(error_of noisy.nc | awk '{ print ($1 > 1e-4 && $1 < 0.1) }')" = 1

# A chip without errors is what decompose makes.
netcdf perfect.nc classic 'node=28' '' theta:node:phi phi:node:phi
for method in decompose local nulling gradient; do
  expect 0 '' "$cuonn" program target.nc --chip perfect.nc --method $method --output again.nc --json
  check awk '{ exit !($1 < 1e-12) }' <(json error_after)
done

# ----------------------------------------------------------------------------------------------------------- refusals
mkdir keep
cp target.nc keep
kept=$work/keep
out=keep/target.nc # an output that exists stays as it was
refuse() { local code=$1 regex=$2; shift 2; expect "$code" "$regex" "$cuonn" program "$@"; }
refuse 2 '^cuonn program: --chip CHIP.nc is missing' target.nc --output $out
refuse 2 '^cuonn program: .*"magic".*decompose, local, nulling, gradient' target.nc --chip chip-top.nc --method magic \
  --output $out
refuse 2 '^cuonn program: --tap-shot goes with --method nulling alone' target.nc --chip chip-top.nc --tap-shot 1 \
  --output $out
refuse 2 '^cuonn program: --seed goes with --method nulling alone' target.nc --chip chip-top.nc --seed 1 --output $out
refuse 2 '^cuonn program: --iterations goes with --method gradient alone' target.nc --chip chip-top.nc --iterations 1 \
  --output $out
for bad in -1 nan 1e3 1x ''; do
  refuse 2 '^cuonn program: --tap-shot: found ' target.nc --chip chip-top.nc --method nulling --tap-shot "$bad" \
    --output $out
done
for bad in 0 -1 1.5 x ''; do
  refuse 2 '^cuonn program: --iterations: found ' target.nc --chip chip-top.nc --method gradient --iterations "$bad" \
    --output $out
done
refuse 2 '^cuonn program: the output chip-top.nc is the same file as the input' target.nc --chip chip-top.nc \
  --output chip-top.nc
refuse 2 '^cuonn program: the output target.nc is the same file as the input' target.nc --chip chip-top.nc \
  --output target.nc
refuse 3 '^cuonn program: none.nc: ' none.nc --chip chip-top.nc --output $out
refuse 3 '^cuonn program: none.nc: ' target.nc --chip none.nc --output $out
refuse 3 '^cuonn program: target.nc: has neither coupler_error nor loss_db' target.nc --chip target.nc --output $out
head -15 theta > fifteen
netcdf six.nc classic 'node=15' '' theta:node:fifteen phi:node:fifteen
refuse 3 '^cuonn program: target.nc: the matrix has 8 rows, but the chip in six.nc has 6 waveguides' target.nc \
  --chip six.nc --output $out
netcdf symmetric.nc classic 'node=28' phase_style=symmetric theta:node:theta phi:node:phi
refuse 2 '^cuonn program: symmetric.nc: phase style symmetric' target.nc --chip symmetric.nc --output $out
values target.nc unitary | awk '{ printf "%.17g\n", $1 * 1.001 }' > unitary
netcdf scaled.nc classic 'row=8 column=8 complex=2' '' unitary:row,column,complex:unitary
refuse 3 '^cuonn program: scaled.nc: the matrix is not unitary' scaled.nc --chip chip-top.nc --output $out
sed -i '4s/.*/NaN/' unitary
netcdf nan.nc classic 'row=8 column=8 complex=2' '' unitary:row,column,complex:unitary
refuse 3 '^cuonn program: nan.nc: ' nan.nc --chip chip-top.nc --output $out
sed '3s/.*/NaN/' error > bad
netcdf bad.nc classic 'node=28 side=2' '' theta:node:theta phi:node:phi coupler_error:node,side:bad
refuse 3 '^cuonn program: bad.nc: .*coupler_error' target.nc --chip bad.nc --output $out
finish
