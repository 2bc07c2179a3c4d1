# Meshes of every shape through the commands: decomposition, matrix, fields, gradients, files, training, in situ,
# sweeps, pictures, and refusals.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 512 128
small_config "$work/data" > config.yaml
sed -i 's/epochs: 2/epochs: 1/' config.yaml

# ------------------------------------------------------------------------------------------------------- decomposition
golden_group /decompose/5 unitary > golden.cdl
values golden.cdl unitary > numbers
netcdf unitary.nc classic 'row=5 column=5 complex=2' '' unitary:row,column,complex:numbers
for shape in rectangular triangular; do
  for style in top bottom differential; do
    expect 0 '' "$cuonn" decompose unitary.nc --output mesh.nc --architecture $shape --phase-style $style
    expect 0 '' "$cuonn" matrix mesh.nc --output back.nc
    check same_values 1e-14 back.nc unitary unitary.nc unitary # 7 nodes, each with some 10 roundings of 1e-16
  done
  check test "$(ncdump -h mesh.nc | grep -o 'architecture = .*')" = "architecture = \"$shape\" ;"
done
for shape in butterfly tree custom; do
  expect 2 "^cuonn decompose: --architecture $shape: such a mesh cannot have every unitary; rectangular and" \
    "$cuonn" decompose unitary.nc --output none.nc --architecture $shape
done
expect 2 '^cuonn decompose: architecture "round" is unknown; it is one of rectangular, triangular, butterfly, tree,' \
  "$cuonn" decompose unitary.nc --output none.nc --architecture round
check_not test -e none.nc

# --------------------------------------------------------------------------------------------------------- mesh files
# A butterfly of 4 waveguides, by its name and by the list of its nodes, with a list's last column empty.
printf '%s\n' .3 1.2 2 .7 > theta
printf '%s\n' 1 .4 3 5 > phi
printf '%s\n' 0 1 2 3 > gamma
printf '%s\n' 0 2 1 3 0 1 2 3 > pair
printf '%s\n' 0 0 1 1 > column
mesh() { # FILE ATTRIBUTES VARIABLES...
  netcdf "$1" "${kind:-classic}" 'node=4 waveguide=4 arm=2' "$2" theta:node:theta phi:node:phi gamma:waveguide:gamma \
    "${@:3}"
}
listed=('pair:node,arm:pair' 'column:node:column')
mesh butterfly.nc architecture=butterfly
mesh custom.nc architecture=custom "${listed[@]}"
kind=netCDF-4 mesh custom4.nc architecture=custom pair:node,arm:pair:int column:node:column:int
mesh empty.nc 'architecture=custom columns=3' "${listed[@]}"
awk 'BEGIN { srand(1); for (i = 0; i < 24; i++) print rand() }' > input
netcdf fields.nc classic 'example=3 waveguide=4 complex=2' '' input:example,waveguide,complex:input \
  cotangent:example,waveguide,complex:input
for mesh in butterfly custom custom4 empty; do
  expect 0 '' "$cuonn" matrix $mesh.nc --output $mesh-u.nc
  expect 0 '' "$cuonn" vjp $mesh.nc --input fields.nc --output $mesh-g.nc
  expect 0 '' "$cuonn" propagate $mesh.nc --input fields.nc --output $mesh-y.nc --taps
  expect 0 '' "$cuonn" wrap $mesh.nc --output $mesh-w.nc
  check same_values 0 $mesh-u.nc unitary butterfly-u.nc unitary
  check same_values 0 $mesh-y.nc output butterfly-y.nc output
  for v in d_theta d_phi d_gamma backward; do check same_values 0 $mesh-g.nc $v butterfly-g.nc $v; done
  check same_values 0 $mesh-w.nc theta butterfly-w.nc theta
  for b in cpu reference; do
    expect 0 '' "$cuonn" matrix $mesh.nc --output float.nc --backend $b
    check same_values 2e-6 float.nc unitary butterfly-u.nc unitary
  done
done
check test "$(values butterfly-y.nc before_phi | wc -l)" = 48 # 2 columns
check test "$(values empty-y.nc before_phi | wc -l)" = 72     # 3
# What was read is written again, the empty column, too.
expect 0 '' "$cuonn" wrap empty-w.nc --output again.nc
for v in pair column; do check same_values 0 again.nc $v custom.nc $v; done
check test "$(ncdump -h again.nc | grep -c 'short pair(node, arm)\|short column(node)\|:columns = 3 ;')" = 3
check test "$(ncdump -h butterfly-w.nc | grep -c 'pair\|columns')" = 0
# More columns than waveguides; without the attribute, the number of nodes is wrong.
printf '%s\n' 0 0 0 > gamma3
yes 1 | head -7 > seven
netcdf longer.nc classic 'node=7 waveguide=3' 'architecture=rectangular columns=7' theta:node:seven phi:node:seven \
  gamma:waveguide:gamma3
expect 0 '' "$cuonn" matrix longer.nc --output u.nc
output '^unitarity error  [0-9.]+e-1[5-7]$'

# refuse REGEX FILE...: a mesh file.
refuse() { expect 3 "^cuonn matrix: $1" "$cuonn" matrix "$2" --output none.nc; check_not test -e none.nc; }
netcdf bad.nc classic 'node=7 waveguide=3' '' theta:node:seven phi:node:seven gamma:waveguide:gamma3
refuse 'bad.nc: theta has 7 nodes; a rectangular mesh of the 3 waveguides of gamma has 3$' bad.nc
mesh bad.nc architecture=custom
refuse 'bad.nc: has no variable pair$' bad.nc
mesh bad.nc architecture=custom pair:node,arm:pair
refuse 'bad.nc: has no variable column$' bad.nc
bad() { # REGEX PAIRS COLUMNS [ATTRIBUTES]
  tr ' ' '\n' <<< "$2" > bad-pair
  tr ' ' '\n' <<< "$3" > bad-column
  mesh bad.nc "architecture=custom${4:+ $4}" pair:node,arm:bad-pair column:node:bad-column
  refuse "bad.nc: $1" bad.nc
}
bad 'waveguide 2 is in column 0 twice$' '0 2 2 3 0 1 2 3' '0 0 1 1'
bad 'pair of node 3 is 4; it is a whole number from 0 to 3$' '0 2 1 3 0 1 2 4' '0 0 1 1'
bad 'pair of node 1 is -1; ' '0 2 -1 3 0 1 2 3' '0 0 1 1'
bad 'pair of node 0 is 0.5; ' '0.5 2 1 3 0 1 2 3' '0 0 1 1'
bad 'node 1 of column 0 is on waveguides 3 and 1; the top one comes first$' '0 2 3 1 0 1 2 3' '0 0 1 1'
bad 'column of node 2 is 1.5; it is a whole number from 0 to 16383$' '0 2 1 3 0 1 2 3' '0 0 1.5 2'
bad 'column of node 3 is 16384; ' '0 2 1 3 0 1 2 3' '0 0 1 16384'
bad 'node 2 is in column 0, but the one before it in column 1; nodes stand column by column$' '0 2 1 3 0 1 2 3' \
  '0 1 0 1'
bad 'node 2 is in column 1, but attribute columns is 1, which counts from 0 to 0$' '0 2 1 3 0 1 2 3' '0 0 1 1' \
  columns=1
bad 'attribute columns is 0; it is a whole number from 1 to 16384$' '0 2 1 3 0 1 2 3' '0 0 1 1' columns=0
mesh bad.nc 'architecture=butterfly columns=5'
refuse 'bad.nc: a butterfly mesh of 4 waveguides has 2 columns, not 5$' bad.nc
netcdf bad.nc classic 'node=4' architecture=tree theta:node:theta phi:node:phi
refuse 'bad.nc: has no gamma, whose length is the number of waveguides of a tree mesh$' bad.nc

# ------------------------------------------------------------------------------------------------------------ training
# Odd columns of a list for 16 waveguides: neighbours in the first, others in the second.
printf '%s\n' 0 1 4 5 0 15 3 7 > pair
netcdf shape.nc classic 'node=4 arm=2' '' "${listed[@]}"
declare -A settings=([triangular]='' [butterfly]='--set network.start=haar-phases'
  [tree]='--set network.start=haar-phases' [custom]="--set network.start=haar-phases --set network.shape_file=shape.nc"
  [rectangular]='--set network.start=haar-phases --set network.columns=5')
for shape in rectangular triangular butterfly tree custom; do
  run="--set network.architecture=$shape ${settings[$shape]}"
  for backend in reference cpu; do
    # shellcheck disable=SC2086 # words
    expect 0 '' "$cuonn" train config.yaml $run --set backend.name=$backend --output $shape-$backend
  done
  # 8 steps by Adam of .001 each, whose signs may differ where a derivative is about 0
  check same_values 2e-2 $shape-cpu/last.nc theta $shape-reference/last.nc theta
  check test "$(awk -F, 'NR == 2 { print ($2 > 0 && $2 < 5) }' $shape-cpu/metrics.csv)" = 1
  # shellcheck disable=SC2086 # words
  expect 0 '' "$cuonn" train config.yaml $run --set training.gradient=analog --set chip.tap_shot=0.01 \
    --output $shape-situ
  check test "$(awk -F, 'NR == 2 { print ($7 < .5) }' $shape-situ/metrics.csv)" = 1 # measured and exact gradients point
  expect 0 '' "$cuonn" eval $shape-cpu
  expect 0 '' "$cuonn" gradient $shape-cpu --images 20 --output gradient.nc --method digital
  expect 0 '' "$cuonn" plot gradients gradient.nc --output gradients.svg
  expect 0 '' "$cuonn" plot power $shape-cpu --output $shape-power.svg --keep-data
  expect 0 '' "$cuonn" plot phases $shape-cpu --output $shape-phases.svg --keep-data
  check_not grep -q 'scale(0[.0]*)' $shape-phases.svg # what is scaled to nothing makes some viewers give up
  # A run goes on, also without the file that its shape was read from.
  mv shape.nc shape-away.nc
  expect 0 '' "$cuonn" train --resume $shape-cpu --set training.epochs=2
  mv shape-away.nc shape.nc
  check test "$(wc -l < $shape-cpu/metrics.csv)" = 3
  # shellcheck disable=SC2086 # words
  expect 0 '' "$cuonn" sweep config.yaml $run --set 'training.seed=[0,1]' --output $shape-sweep
  check test "$(values $shape-sweep/sweep.nc status | paste -sd' ')" = '0 0'
  check same_values 0 $shape-sweep/networks/000000.nc theta $shape-reference/last.nc theta
done
# Nodes with a third coupler, and with a crossing, on a chip with errors; training from the same matrices.
for node in mzi3 mzix; do
  for backend in reference cpu; do
    expect 0 '' "$cuonn" train config.yaml --set network.node=$node --set chip.coupler_std=.05 \
      --set backend.name=$backend --output $node-$backend
  done
  check same_values 2e-2 $node-cpu/last.nc theta $node-reference/last.nc theta
  for backend in reference cpu; do
    expect 0 '' "$cuonn" train config.yaml --set network.node=$node --set chip.coupler_std=.05 \
      --set training.gradient=analog --set backend.name=$backend --output $node-in-situ-$backend
  done
  check same_values 2e-2 $node-in-situ-cpu/last.nc theta $node-in-situ-reference/last.nc theta
  check test "$(ncdump -h $node-cpu/last.nc | grep -c ":node = \"$node\" ;")" = 1
  check test "$(awk -F, 'NR == 2 { print ($2 > 0 && $2 < 5) }' $node-cpu/metrics.csv)" = 1
  expect 0 '' "$cuonn" eval $node-cpu
  expect 0 '' "$cuonn" plot power $node-cpu --output $node-power.svg
  expect 0 '' "$cuonn" train --resume $node-cpu --set training.epochs=2
  expect 0 '' "$cuonn" decompose unitary.nc --output $node.nc --node $node
  expect 0 '' "$cuonn" matrix $node.nc --output back.nc
  check same_values 1e-13 back.nc unitary unitary.nc unitary
  expect 2 "^cuonn convert: .*the nodes are of the kind $node, of which conventions say nothing" "$cuonn" convert \
    $node.nc --to perceval --output refused.nc
  expect 2 "network.node may not differ from what the file holds$" "$cuonn" eval $node-cpu --set network.node=mzi
done
check test "$(ncdump -h mzi3.nc | grep -c 'side = 3 ;')" = 1
expect 3 "^cuonn train: mzix.*: its nodes are of the kind mzix, the network.s are mzi3$" "$cuonn" train config.yaml \
  --set network.node=mzi3 --set network.start=file --set network.start_file=mzix-cpu/last.nc --output refused
expect 2 '^cuonn decompose: node "mzi4" is unknown; it is one of mzi, mzi3, mzix$' "$cuonn" decompose unitary.nc \
  --output refused.nc --node mzi4
check_not test -e refused.nc
# Energy, of a configuration and of what was trained by it: two shifters a node and N at the outputs.
for shape in rectangular:5:92 triangular:29:256 butterfly:4:80 tree:4:46 custom:2:24; do
  IFS=: read -r name columns shifters <<< "$shape"
  # shellcheck disable=SC2086 # words
  run="--set network.architecture=$name ${settings[$name]}"
  # shellcheck disable=SC2086 # words
  expect 0 '' "$cuonn" energy --network config.yaml $run
  output "^$name, $columns columns, $shifters phase shifters\$"
  output '^optical loss overtakes at  *- *- *-$'
  expect 0 '' "$cuonn" energy --network "$name-cpu" --json
  output "\"columns\":$columns,\"phase_shifters\":$shifters"
done
expect 2 'network.architecture may not differ from what the file holds$' "$cuonn" energy --network tree-cpu \
  --set network.architecture=butterfly
# Phases of a network as the start of another: of the same shape.
expect 0 '' "$cuonn" train config.yaml --set network.architecture=tree --set network.start=file \
  --set network.start_file=tree-cpu/last.nc --output from-tree
expect 3 'its meshes are tree with 15 nodes in 4 columns, the network.s are butterfly with 32 in 4' "$cuonn" train \
  config.yaml --set network.architecture=butterfly --set network.start=file --set network.start_file=tree-cpu/last.nc \
  --output refused
# A unitary is a start where there is a decomposition.
awk 'BEGIN { for (l = 0; l < 2; l++) for (i = 0; i < 256; i++) print (i % 17 == 0), 0 }' | tr ' ' '\n' > unit
netcdf units.nc classic 'layer=2 row=16 column=16 complex=2' '' unitary:layer,row,column,complex:unit
expect 0 '' "$cuonn" train config.yaml --set network.architecture=triangular --set network.start=file \
  --set network.start_file=units.nc --output from-units
expect 2 'units.nc: layer 0: only meshes that can have every unitary are found by decomposition' "$cuonn" train \
  config.yaml --set network.architecture=tree --set network.start=file --set network.start_file=units.nc \
  --output refused
# What a file holds is not said otherwise.
expect 2 'network.architecture may not differ from what the file holds$' "$cuonn" eval tree-cpu \
  --set network.architecture=butterfly
expect 2 'network.columns may not differ from what the file holds$' "$cuonn" eval rectangular-cpu \
  --set network.columns=6
# A list for other waveguides than those of the network.
printf '%s\n' 0 1 4 5 0 16 3 7 > pair
netcdf shape.nc classic 'node=4 arm=2' '' "${listed[@]}"
expect 3 '^cuonn train: shape.nc: pair of node 2 is 16; it is a whole number from 0 to 15$' "$cuonn" train config.yaml \
  --set network.architecture=custom --set network.shape_file=shape.nc --set network.start=haar-phases --output refused
# A list without columns.
echo 'netcdf empty { dimensions: node = UNLIMITED; arm = 2; variables: short pair(node, arm); short column(node); }' |
  ncgen -o none-listed.nc
expect 3 '^cuonn train: none-listed.nc: pair is empty: its dimension 1 has the length 0$' "$cuonn" train config.yaml \
  --set network.architecture=custom --set network.shape_file=none-listed.nc \
  --set network.start=haar-phases --output refused
expect 3 '^cuonn train: nowhere.nc: ' "$cuonn" train config.yaml --set network.architecture=custom \
  --set network.shape_file=nowhere.nc --set network.start=haar-phases --output refused
expect 2 '^cuonn train: crosstalk is known only for meshes whose nodes couple neighbouring waveguides' "$cuonn" train \
  config.yaml --set network.architecture=tree --set network.start=haar-phases --set chip.crosstalk=.1 --output refused
check_not test -e refused

# ------------------------------------------------------------------------------------------------------------ pictures
rows() { awk -v block="$2" '/^$/ { blank++; next } blank >= 2 { at++ } { blank = 0 } !/^#/ && at == block' "$1"; }
boxes() { grep -c '<polygon' "$1"; }
# Neighbours are two boxes, others two at each of their waveguides: 15 + 13 + 15 + ... nodes, 2 columns of far ones.
check test $(($(boxes triangular-phases.svg) - $(boxes rectangular-phases.svg))) = $((2 * (120 - 38)))
check test $(($(boxes butterfly-phases.svg) - $(boxes rectangular-phases.svg))) = $((2 * 8 + 4 * 24 - 2 * 38))
# Nodes that would cover each other stand side by side: 8, 4, 2 and 1 places for the columns of a butterfly.
check test "$(rows butterfly-phases.svg.txt 2 | paste -sd,)" = '0 8,8 4,12 2,14 1'
check test "$(rows butterfly-phases.svg.txt 1 | cut -d' ' -f1,2,5,6 | sed -n '2p;12p;32p' | paste -sd,)" = \
  '0 1 9 1,1 3 7 11,3 14 15 14'
# No light is lost on the way, and a layer begins with the moduli that the last ended with.
for shape in rectangular:5 triangular:29 butterfly:4 tree:4 custom:2; do
  n=${shape#*:}
  # shellcheck disable=SC2016 # awk's
  check awk -v n="$n" 'function power(db) { return 10 ^ (db / 10) }
    { for (i = 1; i <= NF; i++) sum[i] += power($i); if ($(n + 1) != $(n + 2)) bad = 1; places = NF }
    END { for (i = 1; i <= places; i++) if (sum[i] < 0.999 || sum[i] > 1.001) bad = 1;
      exit bad || places != 2 * (n + 1) }' <(rows "${shape%:*}-power.svg.txt" 1)
done
finish
