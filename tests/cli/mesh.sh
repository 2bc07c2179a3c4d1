# decompose, matrix, propagate and vjp: against golden values, against each other, and refusals.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1

# golden_mesh N STYLE FILE KIND: phases, errors and losses of the golden file as a mesh made elsewhere.
golden_mesh() {
  local v
  for v in theta phi gamma coupler_error loss_db; do values golden$1.cdl $v > $v; done
  netcdf "$3" "$4" "node=$(wc -l < theta) waveguide=$1 side=2 shifter=2" "architecture=rectangular phase_style=$2" \
    theta:node:theta phi:node:phi gamma:waveguide:gamma coupler_error:node,side:coupler_error \
    loss_db:node,shifter:loss_db
}
golden_fields() {
  values golden$1.cdl input > input
  values golden$1.cdl cotangent > cotangent
  netcdf "$2" "$3" "example=$(($(wc -l < input) / 2 / $1)) waveguide=$1 complex=2" '' \
    input:example,waveguide,complex:input cotangent:example,waveguide,complex:cotangent
}

# ------------------------------------------------------------------------------------------------------- golden values
# Double against double; fields go through N columns, each rounding by some 1e-16.
for n in 4 5; do
  golden_group /forward/$n theta phi gamma coupler_error loss_db input cotangent \
    {output,d_theta,d_phi,d_gamma}_{top,bottom,symmetric,differential} > golden$n.cdl
  golden_fields $n fields$n.nc classic
  kind=$([[ $n == 4 ]] && echo classic || echo netCDF-4)
  for style in top bottom symmetric differential; do
    golden_mesh $n $style mesh.nc "$kind"
    expect 0 '' "$cuonn" propagate mesh.nc --input fields$n.nc --output out.nc
    check same_values 1e-13 out.nc output golden$n.cdl output_$style
    expect 0 '' "$cuonn" vjp mesh.nc --input fields$n.nc --output out.nc
    for v in d_theta d_phi d_gamma; do check same_values 1e-13 out.nc $v golden$n.cdl ${v}_$style; done
    # The cotangent of the input is what comes out when the cotangent is sent backward.
    values fields$n.nc cotangent > cotangent
    netcdf cotangent.nc classic "example=$(($(wc -l < cotangent) / 2 / n)) waveguide=$n complex=2" '' \
      input:example,waveguide,complex:cotangent
    expect 0 '' "$cuonn" propagate mesh.nc --input cotangent.nc --output back.nc --backward
    check same_values 0 out.nc backward back.nc output
  done
done
expect 0 '' "$cuonn" matrix mesh.nc --output u.nc
check test "$(ncdump -k u.nc)" = '64-bit offset'

# Light into one waveguide after the other: the outputs are the columns of the matrix.
awk 'BEGIN { for (e = 0; e < 5; e++) for (k = 0; k < 5; k++) print (e == k), 0 }' | tr ' ' '\n' > unit
netcdf unit.nc netCDF-4 'example=5 waveguide=5 complex=2' '' input:example,waveguide,complex:unit
expect 0 '' "$cuonn" propagate mesh.nc --input unit.nc --output out.nc
values out.nc output | paste - - | awk '{ re[NR - 1] = $0 }
  END { for (r = 0; r < 5; r++) for (c = 0; c < 5; c++) print re[c * 5 + r] }' | tr '\t' '\n' > want
values u.nc unitary > got
check close_to 1e-15 got want
for b in $(backends); do
  expect 0 '' "$cuonn" matrix mesh.nc --output float.nc --backend "$b" --threads 2
  check same_values 2e-6 float.nc unitary u.nc unitary # float, 5 columns
done

# ------------------------------------------------------------------------------------------------------------- taps
expect 0 '' "$cuonn" propagate mesh.nc --input fields5.nc --output none.nc
expect 0 '' "$cuonn" propagate mesh.nc --input fields5.nc --output two.nc --taps
expect 0 '' "$cuonn" propagate --taps all mesh.nc --input fields5.nc --output all.nc
expect 0 '' "$cuonn" propagate mesh.nc --taps=all --input fields5.nc --output all-joined.nc
variables() { ncdump -h "$1" | awk '$1 == "double" { sub(/\(.*/, "", $2); print $2 }' | sort | paste -sd ' '; }
check test "$(variables none.nc)" = output
check test "$(variables two.nc)" = 'before_phi before_theta output'
check test "$(variables all.nc)" = 'after_coupler after_phi after_theta before_phi before_theta output'
check cmp all.nc all-joined.nc
check test "$(ncdump -h two.nc | grep -c 'column = 5 ;\|example = 6 ;\|waveguide = 5 ;\|complex = 2 ;')" = 4
for v in before_phi before_theta output; do check same_values 0 two.nc $v all.nc $v; done
# A column's output is the next one's input, the first one's input is the field itself.
values all.nc before_phi | head -60 > got
values fields5.nc input > want
check close_to 0 got want
values all.nc before_phi | tail -n +61 > got
values all.nc after_coupler | head -240 > want
check close_to 0 got want

# Without losses, a phase's derivative is -Im(field x backward field) at its place (style top: upper waveguide).
for v in theta phi gamma; do values golden5.cdl $v > $v; done
netcdf plain.nc classic 'node=10 waveguide=5' 'phase_style=top' theta:node:theta phi:node:phi gamma:waveguide:gamma
expect 0 '' "$cuonn" vjp plain.nc --input fields5.nc --output gradient.nc
expect 0 '' "$cuonn" propagate plain.nc --input fields5.nc --output forward.nc --taps
expect 0 '' "$cuonn" propagate plain.nc --input cotangent.nc --output backward.nc --taps --backward
for v in phi theta; do
  paste <(values forward.nc before_$v | paste - -) <(values backward.nc before_$v | paste - -) | awk '
    { k = (NR - 1) % 5; c = int((NR - 1) / 30); product[c, k] -= $1 * $4 + $2 * $3 }
    END { for (c = 0; c < 5; c++) for (k = c % 2; k + 1 < 5; k += 2) printf "%.17g\n", product[c, k] }' > want
  values gradient.nc d_$v > got
  check close_to 1e-13 got want
done

# ----------------------------------------------------------------------------------------------------------- decompose
numbers 496 1 6.28 > theta
numbers 496 2 6.28 > phi
numbers 32 3 6.28 > gamma
netcdf random.nc classic 'node=496 waveguide=32' '' theta:node:theta phi:node:phi gamma:waveguide:gamma
expect 0 '' "$cuonn" matrix random.nc --output u32.nc
for style in top bottom differential; do
  expect 0 '' "$cuonn" decompose u32.nc --output again.nc --phase-style $style
  output '^modes +32$'
  check awk '/error/ { if (!($NF > 0 && $NF < 1e-12)) bad = 1; n++ } END { exit bad || n != 2 }' out
  check grep -q "phase_style = \"$style\"" <(ncdump -h again.nc)
  expect 0 '' "$cuonn" matrix again.nc --output u32-again.nc
  check same_values 1e-12 u32-again.nc unitary u32.nc unitary
done
expect 0 '' "$cuonn" decompose u32.nc --output again.nc --json
output '^\{"modes":32,"phase_style":"top","unitarity_error":[0-9.e-]+,"reconstruction_error":[0-9.e-]+,' \
  '"output":"again.nc"\}$'
for v in decompose/16 decompose/33; do
  n=${v#*/}
  golden_group /$v unitary > golden.cdl
  values golden.cdl unitary > unitary
  netcdf golden-u.nc netCDF-4 "row=$n column=$n complex=2" '' unitary:row,column,complex:unitary
  expect 0 '' "$cuonn" decompose golden-u.nc --output again.nc
  expect 0 '' "$cuonn" matrix again.nc --output again-u.nc
  check same_values 1e-12 again-u.nc unitary golden-u.nc unitary
done
# Exact zeros: the identity, a permutation, the discrete Fourier transform.
make_unitary() {
  awk "BEGIN { pi = atan2(0, -1); n = 8; for (r = 0; r < n; r++) for (c = 0; c < n; c++) { $1 } }" > unitary
  netcdf "$2" classic 'row=8 column=8 complex=2' '' unitary:row,column,complex:unitary
}
make_unitary 'print r == c; print 0' identity.nc
make_unitary 'print r == (c * 3 + 1) % 8; print 0' permutation.nc
make_unitary 'printf "%.17g\n%.17g\n", cos(2 * pi * r * c / n) / sqrt(n), sin(2 * pi * r * c / n) / sqrt(n)' dft.nc
for f in identity permutation dft; do
  expect 0 '' "$cuonn" decompose $f.nc --output again.nc
  expect 0 '' "$cuonn" matrix again.nc --output again-u.nc
  check same_values 1e-12 again-u.nc unitary $f.nc unitary
done

# --nearest: six digits are mended, the distance is told, and a unitary stays what it is.
values u32.nc unitary | awk '{ printf "%.6f\n", $1 }' > unitary
netcdf digits.nc classic 'row=32 column=32 complex=2' '' unitary:row,column,complex:unitary
expect 3 '^cuonn decompose: digits.nc: the matrix is not unitary: .*--nearest' "$cuonn" decompose digits.nc \
  --output no.nc
expect 0 '' "$cuonn" decompose digits.nc --output near.nc --nearest
check awk '/^distance, Frobenius/ { n += $NF > 1e-6 && $NF < 1e-4 }
  /^distance, largest/ { n += $NF > 1e-7 && $NF < 1e-5 }
  /^singular values/ { n += $3 > 0.9999 && $3 <= 1 && $5 >= 1 && $5 < 1.0001 } /error/ { n += $NF < 1e-13 }
    END { exit n != 5 }' out
expect 0 '' "$cuonn" matrix near.nc --output near-u.nc
check same_values 2e-6 near-u.nc unitary u32.nc unitary
expect 0 '' "$cuonn" decompose u32.nc --output near.nc --nearest --json
output '"distance_frobenius":[0-9.]+e-1[0-9],"distance_largest":[0-9.]+e-1[0-9],' \
  '"least_singular_value":(0.99999|1.0)[0-9]*,"largest_singular_value":(0.99999|1.0)[0-9]*\}$'
awk 'BEGIN { for (i = 0; i < 8; i++) print i == 0 || i == 2 }' > unitary # two equal columns
netcdf singular.nc classic 'row=2 column=2 complex=2' '' unitary:row,column,complex:unitary
expect 3 '^cuonn decompose: singular.nc: the matrix is singular ' "$cuonn" decompose singular.nc --output no.nc \
  --nearest
check_not test -e no.nc

# theta from 0 to pi, phi and gamma from 0 to below 2 pi, printed with all 17 digits: for signs alone (hadamard), too.
within() {
  check awk -v low="$2" -v high="$3" -v closed="$4" '!($1 >= low && ($1 < high || (closed && $1 == high))) { bad = 1 }
    END { exit bad || NR == 0 }' <(values again.nc "$1")
}
echo '0.5 0 0.5 0 0.5 0 0.5 0 0.5 0 -0.5 0 0.5 0 -0.5 0 0.5 0 0.5 0 -0.5 0 -0.5 0 0.5 0 -0.5 0 -0.5 0 0.5 0' |
  tr ' ' '\n' > unitary
netcdf hadamard.nc classic 'row=4 column=4 complex=2' '' unitary:row,column,complex:unitary
for f in hadamard identity permutation dft u32; do
  for style in top bottom differential; do
    expect 0 '' "$cuonn" decompose $f.nc --output again.nc --phase-style $style
    within theta 0 3.1415926535897931 1
    within phi 0 6.2831853071795862 0
    within gamma 0 6.2831853071795862 0
  done
done

# ---------------------------------------------------------------------------------------------------------------- wrap
# Phases far outside, in every style: the matrix stays, and all are within one turn. Modulo 2 pi alone it would not
# stay.
for style in top bottom symmetric differential; do
  numbers 15 4 40 | awk '{ printf "%.17g\n", $1 - 20 }' > theta
  numbers 15 5 40 | awk '{ printf "%.17g\n", $1 - 20 }' > phi
  numbers 6 6 40 | awk '{ printf "%.17g\n", $1 - 20 }' > gamma
  numbers 30 7 0.3 > coupler_error
  numbers 30 8 1 > loss_db
  netcdf far.nc classic 'node=15 waveguide=6 side=2 shifter=2' "phase_style=$style" theta:node:theta phi:node:phi \
    gamma:waveguide:gamma coupler_error:node,side:coupler_error loss_db:node,shifter:loss_db
  expect 0 '' "$cuonn" wrap far.nc --output again.nc
  output '^phases +36, [0-9]+ of them changed$'
  output '^matrix error +[0-9.]+e-1[4-9]$'
  for v in theta phi gamma; do within $v 0 6.2831853071795862 0; done
  for v in coupler_error loss_db; do check same_values 0 again.nc $v far.nc $v; done
  check grep -q "phase_style = \"$style\"" <(ncdump -h again.nc)
  expect 0 '' "$cuonn" matrix far.nc --output far-u.nc
  expect 0 '' "$cuonn" matrix again.nc --output again-u.nc
  check same_values 1e-13 again-u.nc unitary far-u.nc unitary
  expect 0 '' "$cuonn" wrap again.nc --output twice.nc --json
  output '^\{"modes":6,"layers":1,"phase_style":"'$style'","phases":36,"changed":0,"matrix_error":0.0,' \
    '"output":"twice.nc"\}$'
  modulo() {
    awk '{ t = 6.283185307179586; x = $1 - t * int($1 / t); printf "%.17g\n", x < 0 ? x + t : x }' $1 > $1-modulo
  }
  for v in theta phi gamma; do modulo $v; done
  netcdf modulo.nc classic 'node=15 waveguide=6 side=2 shifter=2' "phase_style=$style" theta:node:theta-modulo \
    phi:node:phi-modulo gamma:waveguide:gamma-modulo coupler_error:node,side:coupler_error loss_db:node,shifter:loss_db
  expect 0 '' "$cuonn" matrix modulo.nc --output modulo-u.nc
  case $style in
    top | bottom) check same_values 1e-13 modulo-u.nc unitary far-u.nc unitary ;;
    *) check_not same_values 0.1 modulo-u.nc unitary far-u.nc unitary ;;
  esac
done
ncdump -h again.nc > header
check grep -q 'theta:period = 12.56637' header
check grep -q 'phi:period = 12.56637' header
check grep -q 'gamma:period = 6.28318' header
check_not grep -q 'valid_m' header

# ----------------------------------------------------------------------------------------------------------- refusals
mkdir keep
cp u32.nc mesh.nc fields5.nc keep
kept=$work/keep
out=keep/fields5.nc # an output that exists stays as it was
refuse() { local code=$1 regex=$2; shift 2; expect "$code" "$regex" "$cuonn" "$@"; }

refuse 3 '^cuonn decompose: none.nc: ' decompose none.nc --output $out
refuse 2 '^cuonn decompose: .*symmetric' decompose u32.nc --output $out --phase-style symmetric
refuse 2 '^cuonn decompose: .*sideways.*differential' decompose u32.nc --output $out --phase-style sideways
awk 'BEGIN { for (i = 0; i < 8; i++) print (i % 6 == 0) * 1.001 }' > unitary
netcdf scaled.nc classic 'row=2 column=2 complex=2' '' unitary:row,column,complex:unitary
refuse 3 '^cuonn decompose: scaled.nc: .*(0\.002|2\.00?1?e-0?3)' decompose scaled.nc --output $out
numbers 12 1 1 > unitary
netcdf oblong.nc classic 'row=2 column=3 complex=2' '' unitary:row,column,complex:unitary
refuse 3 '^cuonn decompose: oblong.nc: .*2 rows and 3 columns' decompose oblong.nc --output $out
echo 'NaN 0 0 0 0 0 1 0' | tr ' ' '\n' > unitary
netcdf nan.nc classic 'row=2 column=2 complex=2' '' unitary:row,column,complex:unitary
refuse 3 '^cuonn decompose: nan.nc: ' decompose nan.nc --output $out
refuse 3 '^cuonn decompose: mesh.nc: .*unitary' decompose mesh.nc --output $out
refuse 3 '^cuonn wrap: none.nc: ' wrap none.nc --output $out
refuse 3 '^cuonn wrap: u32.nc: .*theta' wrap u32.nc --output $out
refuse 3 '^cuonn wrap: u32.nc/u.nc' wrap mesh.nc --output u32.nc/u.nc

for bad in NaN Infinity -Infinity; do
  { echo $bad; numbers 9 1 6; } > theta
  numbers 10 1 6 > phi
  netcdf bad.nc classic 'node=10' '' theta:node:theta phi:node:phi
  refuse 3 '^cuonn matrix: bad.nc: .*theta' matrix bad.nc --output $out
  refuse 3 '^cuonn wrap: bad.nc: .*theta' wrap bad.nc --output $out
  refuse 3 '^cuonn vjp: bad.nc: .*theta' vjp bad.nc --input fields5.nc --output $out
  { numbers 9 1 6; echo $bad; } > input
  netcdf bad-fields.nc classic 'example=1 waveguide=5 complex=2' '' input:example,waveguide,complex:input \
    cotangent:example,waveguide,complex:input
  refuse 3 '^cuonn propagate: bad-fields.nc: .*input' propagate mesh.nc --input bad-fields.nc --output $out
  refuse 3 '^cuonn vjp: bad-fields.nc: ' vjp mesh.nc --input bad-fields.nc --output $out
done
refuse 3 '^cuonn propagate: fields4.nc: .*4.*5' propagate mesh.nc --input fields4.nc --output $out
refuse 3 '^cuonn vjp: fields4.nc: .*4.*5' vjp mesh.nc --input fields4.nc --output $out
refuse 3 '^cuonn vjp: unit.nc: .*cotangent' vjp mesh.nc --input unit.nc --output $out
refuse 3 '^cuonn propagate: cotangent2.nc: ' propagate mesh.nc --input cotangent2.nc --output $out
numbers 11 1 6 > theta
netcdf eleven.nc classic 'node=11' '' theta:node:theta phi:node:theta
refuse 3 '^cuonn matrix: eleven.nc: .*11' matrix eleven.nc --output $out
netcdf styled.nc classic 'node=10' 'phase_style=sideways' theta:node:phi phi:node:phi
refuse 3 '^cuonn matrix: styled.nc: .*sideways' matrix styled.nc --output $out
netcdf half.nc classic 'node=10' '' theta:node:phi
refuse 3 '^cuonn matrix: half.nc: .*phi' matrix half.nc --output $out
refuse 3 '^cuonn matrix: .*http://example.org/mesh.nc' matrix http://example.org/mesh.nc --output $out
refuse 3 '^cuonn matrix: .*://' matrix mesh.nc --output file://keep/u.nc
refuse 3 '^cuonn matrix: keep' matrix mesh.nc --output keep
refuse 3 '^cuonn matrix: u32.nc/u.nc' matrix mesh.nc --output u32.nc/u.nc
finish
