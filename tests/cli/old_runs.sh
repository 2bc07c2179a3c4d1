# Runs of an earlier version go on as they would have gone on in it. tests/cases/old-runs: directories as that
# version left them after one epoch on backend reference, and what it came to after two. exact: shuffled, with a key
# that is no more; chip: in situ, with errors and noise of the chip, and gamma trained.
source "$(dirname "$0")/harness.sh"
cases=$(realpath "$(dirname "$0")/../cases/old-runs")
cd "$work" || exit 1
# That version summed features in another order, and without fused multiply-add libm's sines are others, too: some 2e-16
# of each number, of which sums of some hundred terms leave less than a hundredfold.
tolerance=1e-13
slice data 64 32
for set in train:64 t10k:32; do # four classes in turn
  {
    printf '\0\0\10\1'
    be32 "${set#*:}"
    for ((i = 0; i < ${set#*:}; i += 4)); do printf '\0\1\2\3'; done
  } > "data/${set%:*}-labels-idx1-ubyte"
done

for run in exact chip; do
  cp -r "$cases/$run/run" "$run"
  cp "$run/last.nc" "$run/best.nc" # of one epoch, they are one
  expect 0 '' "$cuonn" train --resume "$run" --set training.epochs=2
  for v in theta phi gamma {first,second}_moment_{theta,phi,gamma}; do
    check same_values "$tolerance" "$run/last.nc" "$v" "$cases/$run/after.nc" "$v"
  done
  check_not same_values 0 "$run/last.nc" theta "$cases/$run/run/last.nc" theta # it did train
  check test "$(ncdump -h "$run/last.nc" | grep -c 'method: columns')" = 1      # all that there was
done

# A file may say that its mesh is rectangular, by either name; another shape has other nodes.
for attribute in architecture mesh_shape; do
  for shape in rectangular butterfly hexagonal; do
    ncdump -p 9,17 exact/last.nc | sed "s/:architecture = \"rectangular\"/:$attribute = \"$shape\"/" |
      grep -v ':cuonn_hash\|:hash' > "$attribute-$shape.cdl"
    ncgen -o "$attribute-$shape.nc" "$attribute-$shape.cdl"
  done
  expect 0 '' "$cuonn" wrap "$attribute-rectangular.nc" --output "$attribute.nc"
  expect 3 "^cuonn wrap: .*: $attribute is \"hexagonal\"; it is one of rectangular, triangular," "$cuonn" \
    wrap "$attribute-hexagonal.nc" --output refused.nc
  expect 3 '^cuonn wrap: .*: theta has [0-9]+ nodes; a butterfly mesh of the [0-9]+ waveguides of gamma has [0-9]+$' \
    "$cuonn" wrap "$attribute-butterfly.nc" --output refused.nc
  check_not test -e refused.nc
done
finish
