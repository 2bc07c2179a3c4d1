# Layers with amplitudes through the commands: any matrix as an svd layer; training, resuming, in situ, gradients,
# sweeps, energy, pictures, and refusals.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 512 128
small_config "$work/data" > config.yaml
sed -i 's/epochs: 2/epochs: 1/' config.yaml

# ------------------------------------------------------------------------------------------------------- decomposition
awk 'BEGIN { srand(2); for (i = 0; i < 70; i++) print rand() - .5 }' > numbers
netcdf wide.nc classic 'row=5 column=7 complex=2' '' matrix:row,column,complex:numbers
netcdf tall.nc classic 'row=7 column=5 complex=2' '' matrix:row,column,complex:numbers
golden_group /decompose/5 unitary > golden.cdl
values golden.cdl unitary > fields
netcdf square.nc classic 'row=5 column=5 complex=2' '' unitary:row,column,complex:fields
for size in wide:5:7:7 tall:7:5:7 square:5:5:5; do
  IFS=: read -r name rows columns modes <<< "$size"
  expect 0 '' "$cuonn" decompose "$name.nc" --svd --output "$name-layer.nc" --json
  output "^\\{\"rows\":$rows,\"columns\":$columns,\"modes\":$modes,.*\"reconstruction_error\":[0-9.]+e-1[4-7],"
  check test "$(values "$name-layer.nc" amplitude | sort -gr | head -1)" = 1
  check test "$(values "$name-layer.nc" amplitude | wc -l)" = $((2 * modes))
  check test "$(ncdump -h "$name-layer.nc" | grep -c 'layer = "svd"\|:scale = ')" = 2
done
expect 0 '' "$cuonn" decompose square.nc --svd --output square-layer.nc --architecture triangular \
  --phase-style differential
output '^scale                 1$' # of a unitary
output '^amplitudes            1 to 1$'
expect 3 '^cuonn decompose: square-layer.nc: ' "$cuonn" decompose square-layer.nc --svd --output none.nc
expect 2 '^cuonn decompose: --svd has the matrix itself, --nearest another: give one of them$' \
  "$cuonn" decompose wide.nc --svd --nearest --output none.nc
check_not test -e none.nc

# ------------------------------------------------------------------------------------------------- matrices of a layer
# An svd layer has the matrix up to its scale, in the corner of as many rows and columns.
expect 0 '' "$cuonn" matrix wide-layer.nc --output u.nc
scale=$(ncdump -h wide-layer.nc | sed -n 's/.*:scale = \([^ ]*\) ;/\1/p')
values u.nc unitary | head -70 | awk -v s="$scale" '{ printf "%.17g\n", s * $1 }' > got
check close_to 1e-13 got numbers
expect 0 '' "$cuonn" matrix square-layer.nc --output u.nc
check same_values 1e-13 u.nc unitary square.nc unitary

# Rows of a diagonal layer are those of its mesh times their amplitudes; the layer of a network is one of several.
numbers 12 3 1 > phases
seq 0.9 -0.2 -0.5 > amplitudes
for layers in 1 2; do
  netcdf network.nc classic "layer=$layers node=6 waveguide=4" 'layer=diagonal classes=2' \
    theta:layer,node:<(head -$((6 * layers)) phases) phi:layer,node:<(head -$((6 * layers)) phases) \
    gamma:layer,waveguide:<(yes 0 | head -$((4 * layers))) amplitude:layer,waveguide:<(head -$((4 * layers)) amplitudes)
  if ((layers == 2)); then
    expect 2 '^cuonn matrix: network.nc: holds a network of 2 layers; --layer takes one of them, 0 to 1$' \
      "$cuonn" matrix network.nc --output u.nc
    expect 2 '^cuonn matrix: --layer: found "2"' "$cuonn" matrix network.nc --layer 2 --output u.nc
  fi
  for ((layer = 0; layer < layers; layer++)); do
    tail -n +$((6 * layer + 1)) phases | head -6 > one
    netcdf mesh.nc classic 'node=6' '' theta:node:one phi:node:one
    expect 0 '' "$cuonn" matrix mesh.nc --output u.nc
    values u.nc unitary | awk -v before=$((4 * layer)) 'NR == FNR { a[NR] = $1; next }
      { printf "%.17g\n", $1 * a[before + int((FNR + 7) / 8)] }' amplitudes - > want
    expect 0 '' "$cuonn" matrix network.nc --output u.nc --layer $layer
    values u.nc unitary > got
    check close_to 1e-14 got want
  done
done

# ------------------------------------------------------------------------------------------------------------ training
for layer in svd diagonal; do
  run="--set network.layer=$layer --set network.layers=2"
  for backend in reference cpu; do
    # shellcheck disable=SC2086 # words
    expect 0 '' "$cuonn" train config.yaml $run --set backend.name=$backend --output $layer-$backend
  done
  # 8 steps by Adam of .001 each, whose signs may differ where a derivative is about 0
  for v in theta amplitude; do check same_values 2e-2 $layer-cpu/last.nc $v $layer-reference/last.nc $v; done
  check test "$(values $layer-cpu/last.nc amplitude | awk '$1 < 1 { moved++ } $1 > 1 { beyond++ }
    END { print (moved > 0 && beyond == 0) }')" = 1
  # shellcheck disable=SC2086 # words
  expect 0 '' "$cuonn" train config.yaml $run --set training.gradient=analog --set chip.tap_shot=0.01 \
    --output $layer-situ
  check test "$(awk -F, 'NR == 2 { print ($7 < .5) }' $layer-situ/metrics.csv)" = 1
  expect 0 '' "$cuonn" eval $layer-cpu
  expect 0 '' "$cuonn" gradient $layer-cpu --images 20 --output gradient.nc --method digital --backend auto
  check test "$(ncdump -h gradient.nc | grep -c ' d_amplitude(\| exact_d_amplitude(')" = 2
  expect 0 '' "$cuonn" matrix $layer-cpu --output matrix.nc --layer 0
  expect 0 '' "$cuonn" plot power $layer-cpu --output $layer-power.svg
  expect 0 '' "$cuonn" plot phases $layer-cpu --output $layer-phases.svg
  check grep -q "layers $layer, nonlinearity modulus" $layer-cpu/report.html
  # Two epochs in one go, and with a stop between them, are one training.
  # shellcheck disable=SC2086 # words
  expect 0 '' "$cuonn" train config.yaml $run --set backend.name=cpu --set training.epochs=2 --output $layer-whole
  expect 0 '' "$cuonn" train --resume $layer-cpu --set training.epochs=2
  for v in amplitude first_moment_amplitude second_moment_amplitude theta; do
    check same_values 0 $layer-cpu/last.nc $v $layer-whole/last.nc $v
  done
  # shellcheck disable=SC2086 # words
  expect 0 '' "$cuonn" train config.yaml $run --set network.start=file --set network.start_file=$layer-cpu/last.nc \
    --set training.optimizer.learning_rate=1e-12 --output $layer-again
  check same_values 1e-9 $layer-again/last.nc amplitude $layer-cpu/last.nc amplitude
  # shellcheck disable=SC2086 # words
  expect 0 '' "$cuonn" sweep config.yaml $run --set 'training.seed=[0,1]' --output $layer-sweep
  check same_values 0 $layer-sweep/networks/000000.nc amplitude $layer-reference/last.nc amplitude
done
# An svd layer has two meshes and a column of attenuators: more light, and more phases held, than a layer of one mesh.
expect 0 '' "$cuonn" energy --network svd-cpu
expect 2 '^cuonn energy: svd-cpu.*: network.layer may not differ from what the file holds$' \
  "$cuonn" energy --network svd-cpu/last.nc --set network.layer=unitary

expect 2 'network.layers is 3 meshes, but a layer of network.layer svd takes two: set network.layers to 6 for 3' \
  "$cuonn" train config.yaml --set network.layer=svd --set network.layers=3 --output none
expect 2 'network.layer: found "dense"' "$cuonn" train config.yaml --set network.layer=dense --output none
expect 2 'method dense of backend cpu does not compute svd layers with the nonlinearity modulus; use columns or auto' \
  "$cuonn" train config.yaml --set network.layer=svd --set backend.name=cpu --set backend.method=dense --output none
check_not test -e none
finish
