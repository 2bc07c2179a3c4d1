# gradient: against golden values, with the zeros that must be exact, and refusals.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1

# The golden network of 3 layers, N = 5, 4 classes, as a file made elsewhere. Double against double, three meshes deep.
golden_group /network/odd input label loss > batch.cdl
for v in theta phi gamma coupler_error loss_db; do : > $v; done
for l in 0 1 2; do
  golden_group /network/odd/layer$l theta phi gamma coupler_error loss_db d_theta d_phi d_gamma > layer$l.cdl
  for v in theta phi gamma coupler_error loss_db d_theta d_phi d_gamma; do values layer$l.cdl $v >> $v; done
done
values batch.cdl input > input
values batch.cdl label > label
values batch.cdl loss > loss
dimensions='layer=3 node=10 waveguide=5 side=2 shifter=2'
phases='theta:layer,node:theta phi:layer,node:phi gamma:layer,waveguide:gamma '
phases+='coupler_error:layer,node,side:coupler_error loss_db:layer,node,shifter:loss_db'
for kind in classic netCDF-4; do
  netcdf network.nc $kind "$dimensions" 'phase_style=top classes=4' $phases
  netcdf bare.nc $kind "$dimensions" 'phase_style=top classes=4' theta:layer,node:theta phi:layer,node:phi \
    gamma:layer,waveguide:gamma
  netcdf batch.nc $kind 'example=6 waveguide=5 complex=2' '' input:example,waveguide,complex:input \
    label:example:label:int
  expect 0 '' "$cuonn" gradient network.nc --input batch.nc --output gradient.nc
  for v in loss d_theta d_phi; do
    values gradient.nc $v > got
    check close_to 1e-12 got $v
  done
done
expect 0 '' "$cuonn" gradient network.nc --input batch.nc --output gradient.nc --json
output '^\{"examples":6,"loss":0\.[0-9]+,"output":"gradient.nc"\}$'
grep -oE '"loss":[0-9.e-]+' out | cut -d: -f2 > got
values gradient.nc loss > want
check close_to 0 got want

# A derivative is what a difference of losses says: theta of node 3 in layer 1, +-1e-4 (third derivatives give 1e-8).
for sign in + -; do
  awk -v s="${sign}1" 'NR == 14 { printf "%.17g\n", $1 + s * 1e-4; next } { print }' theta > moved
  netcdf moved.nc classic "$dimensions" 'phase_style=top classes=4' theta:layer,node:moved phi:layer,node:phi \
    gamma:layer,waveguide:gamma coupler_error:layer,node,side:coupler_error loss_db:layer,node,shifter:loss_db
  expect 0 '' "$cuonn" gradient moved.nc --input batch.nc --output moved-gradient.nc
  values moved-gradient.nc loss > loss$sign
done
paste loss+ loss- | awk '{ printf "%.17g\n", ($1 - $2) / 2e-4 }' > got
values gradient.nc d_theta | sed -n 14p > want
check close_to 1e-6 got want

# Exact zeros: with 10 of 64 outputs read, 702 theta and 702 phi of the last layer reach none; gamma never matters.
numbers 6048 1 3.1 > theta
numbers 6048 2 6.2 > phi
numbers 384 3 1 > input
printf '0\n4\n9\n' > label
netcdf study.nc classic 'layer=3 node=2016' 'classes=10' theta:layer,node:theta phi:layer,node:phi
netcdf batch64.nc classic 'example=3 waveguide=64 complex=2' '' input:example,waveguide,complex:input \
  label:example:label:int
zeros() { awk -v from="$2" -v to="$3" 'NR > from && NR <= to && $1 == 0 { n++ } END { print n + 0 }' "$1"; }
for b in $(backends); do
  expect 0 '' "$cuonn" gradient study.nc --input batch64.nc --output gradient64.nc --backend "$b"
  for v in d_theta d_phi; do
    values gradient64.nc $v > got
    check test "$(wc -l < got) $(zeros got 0 4032) $(zeros got 4032 6048)" = '6048 0 702'
  done
  values gradient64.nc d_gamma > got
  check test "$(wc -l < got) $(zeros got 0 192)" = '192 192'
done

# Measured gradients, with the computed one beside them: the same on a lossless chip without noise, which golden values
# have losses against; with noise, one that depends on the seed.
sed 's/.*/0/' loss_db > lossless
netcdf lossless.nc classic "$dimensions" 'phase_style=top classes=4' theta:layer,node:theta phi:layer,node:phi \
  gamma:layer,waveguide:gamma coupler_error:layer,node,side:coupler_error loss_db:layer,node,shifter:lossless
for method in analog digital; do
  expect 0 '' "$cuonn" gradient lossless.nc --input batch.nc --output measured.nc --method $method
  output '^  all  '
  for v in d_theta d_phi; do
    values measured.nc $v > got
    values measured.nc exact_$v > want
    check close_to 1e-12 got want
  done
  expect 0 '' "$cuonn" gradient network.nc --input batch.nc --output measured.nc --method $method --json
  grep -oE '"gradient_error":[0-9.e-]+' out | cut -d: -f2 > got
  check awk '!($1 > 1e-6 && $1 < .5) { exit 1 }' got
done
expect 0 '' "$cuonn" gradient network.nc --input batch.nc --output ideal.nc --method ideal --set chip.phase_error=.1
expect 0 '' "$cuonn" gradient bare.nc --input batch.nc --output bare-gradient.nc
for v in d_theta d_phi; do
  values ideal.nc $v > got
  values bare-gradient.nc $v > want
  check diff got want
  values ideal.nc exact_$v > exact
  check_not diff -q got exact
done
for seed in 1 1 2; do
  expect 0 '' "$cuonn" gradient network.nc -i batch.nc -o noisy$seed.nc -m analog --set chip.tap_shot=0.02 \
    --set chip.seed=$seed
  values noisy$seed.nc d_theta > noisy$seed
  [ -f noisy ] || cp noisy$seed noisy
done
check diff noisy noisy1
check test "$(diff noisy noisy2 | grep -c '^<')" = 30

# ------------------------------------------------------------------------------------------------------------- refusals
mkdir keep
cp gradient.nc keep
kept=$work/keep
refuse() { local code=$1 regex=$2; shift 2; expect "$code" "$regex" "$cuonn" gradient "$@" --output keep/gradient.nc; }
refuse 3 '^cuonn gradient: none.nc: ' none.nc --input batch.nc
refuse 3 '^cuonn gradient: none.nc: ' network.nc --input none.nc
refuse 3 '^cuonn gradient: batch.nc: .*(5|64).*waveguides' study.nc --input batch.nc
refuse 3 '^cuonn gradient: network.nc: .*input' network.nc --input network.nc
refuse 2 '^cuonn gradient: .*method|training.gradient' network.nc --input batch.nc --method wrong
refuse 2 '^cuonn gradient: chip.tap_shot.*-1' network.nc --input batch.nc --set chip.tap_shot=-1
netcdf push.nc classic "$dimensions" 'phase_style=differential classes=4' theta:layer,node:theta phi:layer,node:phi
refuse 2 '^cuonn gradient: .*style differential' push.nc --input batch.nc --method analog
awk '{ printf "%.17g\n", $1 * 1e200 }' input > loud
netcdf loud.nc classic 'example=3 waveguide=64 complex=2' '' input:example,waveguide,complex:loud \
  label:example:label:int
refuse 3 '^cuonn gradient: loud.nc: powers overflow at the input; scale the fields down' study.nc --input loud.nc
refuse 4 '^cuonn gradient: .*cuda' network.nc --input batch.nc --backend cuda
values batch.cdl input > input
for labels in '0 1 2 3 0 4' '0 1 2 3 0 -1' '0 1 2 3 0 300'; do
  tr ' ' '\n' <<< "$labels" > label
  netcdf bad.nc classic 'example=6 waveguide=5 complex=2' '' input:example,waveguide,complex:input \
    label:example:label:int
  refuse 3 '^cuonn gradient: bad.nc: .*label' network.nc --input bad.nc
done
head -5 label > five
netcdf bad.nc classic 'example=6 few=5 waveguide=5 complex=2' '' input:example,waveguide,complex:input \
  label:few:five:int
refuse 3 '^cuonn gradient: bad.nc: ' network.nc --input bad.nc
netcdf bad.nc classic 'example=6 waveguide=5 complex=2' '' input:example,waveguide,complex:input
refuse 3 '^cuonn gradient: bad.nc: .*label' network.nc --input bad.nc
netcdf bad.nc classic "$dimensions" 'classes=6' theta:layer,node:theta
refuse 3 '^cuonn gradient: bad.nc: ' bad.nc --input batch.nc
finish
