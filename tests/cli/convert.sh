# convert: meshes as other programs count their phases, against those programs' matrices, and what is refused.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1

# stored CONVENTION SET N: theta, phi, gamma, coupler_error and unitary as files, of golden/conventions.nc.
stored() {
  local prefix=${1//-/_}_$2_$3 v all=()
  for v in theta phi gamma unitary $([[ $2 == errors ]] && echo coupler_error); do all+=("${prefix}_$v"); done
  ncdump -p 17 -v "$(IFS=,; echo "${all[*]}")" "${golden%/*}/conventions.nc" > stored.cdl
  for v in "${all[@]}"; do values stored.cdl "$v" > "${v#"${prefix}"_}"; done
}
# stored_mesh N FILE ATTRIBUTES [VARIABLE...]: the phases of stored() as a file.
stored_mesh() {
  netcdf "$2" classic "node=$(($1 * ($1 - 1) / 2)) waveguide=$1 side=2 shifter=2" "$3" theta:node:theta phi:node:phi \
    gamma:waveguide:gamma "${@:4}"
}
stored_unitary() {
  netcdf "$2" classic "row=$1 column=$1 complex=2" '' unitary:row,column,complex:unitary
}

# ------------------------------------------------------------------------------------------- against other programs
for convention in interferometer strawberryfields strawberryfields-symmetric perceval perceval-last simphox \
  simphox-bottom simphox-differential neurophox neurophox-sm neurophox-hadamard neurophox-sm-hadamard torchonn meshes \
  meshes-out; do
  stored $convention random 5
  stored_mesh 5 theirs.nc ''
  stored_unitary 5 want.nc
  expect 0 '' "$cuonn" convert theirs.nc --from $convention --to cuonn --output ours.nc
  for line in 'modes +5' 'layers +1' "from +$convention" 'to +cuonn-top' 'matrix error +([0-9.]+e-1[4-9]|0)' \
    'output +ours.nc'; do
    output "^$line\$"
  done
  expect 0 '' "$cuonn" matrix ours.nc --output got.nc
  check same_values 1e-12 got.nc unitary want.nc unitary
  # Back, and forth again: what is written says by whose convention.
  case $convention in
    torchonn) continue ;; # as any mesh: below
  esac
  expect 0 '' "$cuonn" convert ours.nc --to $convention --output theirs.nc
  check grep -q "convention = \"$convention\"" <(ncdump -h theirs.nc)
  check_not grep -q phase_style <(ncdump -h theirs.nc)
  expect 0 '' "$cuonn" convert theirs.nc --to cuonn-differential --output ours.nc --json
  output "^\\{\"modes\":5,\"layers\":1,\"from\":\"$convention\",\"to\":\"cuonn-differential\",\"matrix_error\":" \
    '[0-9.e-]+,"output":"ours.nc"\}$'
  check grep -q 'phase_style = "differential"' <(ncdump -h ours.nc)
  expect 0 '' "$cuonn" matrix ours.nc --output got.nc
  check same_values 1e-12 got.nc unitary want.nc unitary
done

# Coupler errors stay; the gamma of nodes that have phi behind is that of the inputs.
stored meshes-out errors 4
stored_mesh 4 theirs.nc convention=meshes-out coupler_error:node,side:coupler_error
stored_unitary 4 want.nc
expect 0 '' "$cuonn" convert theirs.nc --from meshes-out --to cuonn --output ours.nc
check same_values 0 ours.nc coupler_error theirs.nc coupler_error
expect 0 '' "$cuonn" matrix ours.nc --output got.nc
check same_values 1e-12 got.nc unitary want.nc unitary
expect 0 '' "$cuonn" convert ours.nc --to neurophox --output theirs.nc
ncdump -h theirs.nc > header
check grep -q 'gamma:long_name = "input phase of each waveguide"' header
check grep -q 'theta:period = 12.56637' header
check grep -q 'phi:period = 6.28318' header

# ------------------------------------------------------------------------------------------- networks, our own styles
for v in theta phi; do numbers 20 3 6 > $v; done
numbers 10 4 6 > gamma
netcdf network.nc classic 'layer=2 node=10 waveguide=5' 'phase_style=bottom' theta:layer,node:theta phi:layer,node:phi \
  gamma:layer,waveguide:gamma
expect 0 '' "$cuonn" convert network.nc --to perceval --output theirs.nc
for line in 'layers +2' 'from +cuonn-bottom' 'to +perceval'; do output "^$line\$"; done
check grep -q 'theta(layer, node)' <(ncdump -h theirs.nc)
expect 0 '' "$cuonn" convert theirs.nc --to cuonn-bottom --output again.nc
expect 0 '' "$cuonn" convert again.nc --to cuonn --output same.nc
for line in 'from +cuonn-bottom' 'to +cuonn-bottom' 'matrix error +0'; do output "^$line\$"; done
for v in theta phi gamma; do check same_values 0 same.nc $v again.nc $v; done

# ------------------------------------------------------------------------------------------- other shapes
for v in theta phi; do numbers 12 6 6 > $v; done
numbers 8 7 6 > gamma
netcdf butterfly.nc classic 'node=12 waveguide=8' 'architecture=butterfly phase_style=differential' \
  theta:node:theta phi:node:phi gamma:waveguide:gamma
expect 0 '' "$cuonn" convert butterfly.nc --to meshes-out --output theirs.nc
check grep -q 'architecture = "butterfly"' <(ncdump -h theirs.nc)
expect 0 '' "$cuonn" convert theirs.nc --to cuonn --output ours.nc
for mesh in butterfly ours; do expect 0 '' "$cuonn" matrix $mesh.nc --output $mesh-u.nc; done
check same_values 1e-12 ours-u.nc unitary butterfly-u.nc unitary

# ------------------------------------------------------------------------------------------- refusals
cp network.nc kept.nc
refuse() { local code=$1 regex=$2; shift 2; expect "$code" "$regex" "$cuonn" "$@"; }
stored interferometer haar 4
stored_mesh 4 theirs.nc convention=interferometer
for command in 'matrix theirs.nc' 'wrap theirs.nc' 'gradient theirs.nc --input x.nc' \
  'propagate theirs.nc --input x.nc'; do
  # shellcheck disable=SC2086 # words
  refuse 3 "^cuonn ${command%% *}: theirs.nc: its phases are counted as interferometer does; convert it first: cuonn " \
    $command --output kept.nc
done
refuse 3 '^cuonn convert: theirs.nc: says that its phases are counted by interferometer, not by perceval' \
  convert theirs.nc --from perceval --to cuonn --output kept.nc
refuse 3 '^cuonn convert: theirs.nc: says that its phases are counted by interferometer, not by cuonn;' \
  convert theirs.nc --from cuonn --to cuonn --output kept.nc
refuse 3 '^cuonn convert: network.nc: says that its phases are counted by cuonn-bottom, not by interferometer' \
  convert network.nc --from interferometer --to cuonn --output kept.nc
refuse 2 '^cuonn convert: convention "clements" is unknown; it is one of cuonn-top, .*meshes-out$' \
  convert theirs.nc --from clements --to cuonn --output kept.nc
refuse 2 '^cuonn convert: network.nc: node [0-9]+ would need a phase of .*for which torchonn has no shifter$' \
  convert network.nc --to torchonn --output kept.nc
refuse 2 '^cuonn convert: butterfly.nc: cuonn-differential and neurophox can be converted for rectangular meshes only' \
  convert butterfly.nc --to neurophox --output kept.nc
refuse 2 '^cuonn convert: --to CONVENTION is missing' convert network.nc --output kept.nc
refuse 2 '^cuonn convert: .*network.nc' convert network.nc --to perceval --output network.nc
stored_mesh 4 bad.nc convention=clements
refuse 3 '^cuonn convert: bad.nc: convention "clements" is unknown' convert bad.nc --to cuonn --output kept.nc
stored_mesh 4 bad.nc 'convention=interferometer phase_style=top'
refuse 3 '^cuonn convert: bad.nc: has both convention and phase_style' convert bad.nc --to cuonn --output kept.nc
numbers 12 5 1 > loss_db
stored_mesh 4 lossy.nc 'phase_style=top' loss_db:node,shifter:loss_db
refuse 2 '^cuonn convert: lossy.nc: node 0 has a lossy phase shifter; cuonn-top and cuonn-bottom do not have' \
  convert lossy.nc --to cuonn-bottom --output kept.nc
expect 0 '' "$cuonn" convert lossy.nc --to perceval --output theirs.nc # the same node
check same_values 0 theirs.nc loss_db lossy.nc loss_db
check cmp -s kept.nc network.nc
finish
