# No command replaces what it reads: an output that is the same file as an input, by name, symbolic link or hard link,
# is refused before anything is computed, and both stay as they are.
source "$(dirname "$0")/harness.sh"
# hold FOLDER: what follows, until `same`, must leave it as it is. Once for many commands: a fingerprint takes its time.
hold() {
  held=$1
  before=$(fingerprint "$held")
}
same() { check test "$before" = "$(fingerprint "$held")"; }
base=$work/files # output of commands stands outside of it
mkdir "$base"
cd "$base" || exit 1
slice data 256 64
small_config "$base/data" > config.yaml
expect 0 '' "$cuonn" train config.yaml --output run --set training.epochs=1
expect 0 '' "$cuonn" sweep config.yaml --output sweep --set training.epochs=1 --set 'training.seed=[0,1]' \
  --set 'training.optimizer.learning_rate=[0.01,0.001]'
numbers 120 1 3 > phases
numbers 96 2 1 > values
printf '0\n4\n9\n' > label
netcdf mesh.nc classic 'node=120' '' theta:node:phases phi:node:phases
netcdf batch.nc classic 'example=3 waveguide=16 complex=2' '' input:example,waveguide,complex:values \
  cotangent:example,waveguide,complex:values label:example:label:int
expect 0 '' "$cuonn" matrix mesh.nc --output u.nc
expect 0 '' "$cuonn" gradient run/best.nc --input batch.nc --output g.nc --method analog
expect 0 '' "$cuonn" energy --grid energy.modes=4:16:4 --output grid.nc
expect 0 '' "$cuonn" bench --case forward --modes 8 --batch 8 --samples 1 --seconds 0.5 --json bench.json
mkdir links
mkdir copies

# refused OPTION INPUT ENDING COMMAND...: the command, whose output follows OPTION, with every name of INPUT that ends
# so.
refused() {
  local option=$1 input=$2 ending=$3 name
  shift 3
  rm -f links/*
  ln -s "$base/$input" "links/soft$ending"
  ln -s "soft$ending" "links/twice$ending"
  ln "$input" "links/hard$ending"
  cp "$input" copies/input
  for name in "$input" "$base/links/../$input" links/twice"$ending" links/hard"$ending"; do
    expect 2 "the output $name is the same file as the input .*, which would be replaced" "$cuonn" "$@" "$option" \
      "$name"
  done
  check cmp "$input" copies/input
  check test -L links/soft"$ending" -a -L links/twice"$ending" -a links/hard"$ending" -ef "$input"
}
refused --output u.nc .nc decompose u.nc
refused -o mesh.nc .nc matrix mesh.nc
for input in u.nc mesh.nc; do refused --output $input .nc program u.nc --chip mesh.nc; done
refused --output run/best.nc .nc wrap run/best.nc
for input in mesh.nc batch.nc; do
  refused --output $input .nc propagate mesh.nc --input batch.nc
  refused --output $input .nc vjp mesh.nc --input batch.nc
done
for input in run/best.nc batch.nc; do refused --output $input .nc gradient run/best.nc --input batch.nc; done
for part in train-images-idx3 t10k-labels-idx1; do
  refused --output data/$part-ubyte '' gradient run/best.nc --images 2
done
# Images under names of the user's own, in the folder and elsewhere, and fields.
cp -r data named
mv named/train-images-idx3-ubyte named/mine.idx
mv named/t10k-labels-idx1-ubyte labels.idx
names="--set data.path=named --set data.train_images=mine.idx --set data.test_labels=$base/labels.idx"
refused --output named/mine.idx .idx gradient run/best.nc --images 2 $names
refused --output labels.idx .idx gradient run/best.nc --images 2 $names
netcdf errors.nc classic 'layer=2 node=120 side=2' '' coupler_error:layer,node,side:<(numbers 480 1 0.01)
refused --output errors.nc .nc gradient run/best.nc --input batch.nc --set chip.errors_file=errors.nc
refused --output config.yaml .yaml energy config.yaml --grid energy.modes=4:16:4
# Figures, and their data: the ending of a figure is only a name.
cp -r run data sweep grid.nc g.nc mesh.nc bench.json copies
as_before() { check diff -r "$1" "copies/$1"; }
for output in figure.svg.txt figure.svg; do
  for from in curves:run/metrics.csv confusion:run/best.nc phases:mesh.nc power:run/last.nc energy:grid.nc \
    gradients:g.nc \
    throughput:bench.json sweep-map:sweep/sweep.nc examples:run/best.nc; do
    rm -f figure.svg*
    ln "${from#*:}" $output
    expect 2 "the output $output is the same file as the input" "$cuonn" plot "${from%%:*}" "${from#*:}" \
      --output figure.svg --keep-data
  done
  rm -f figure.svg*
  ln run/metrics.csv $output
  expect 2 'the same file as the input run/metrics.csv' "$cuonn" plot curves beside.csv run/metrics.csv \
    --output figure.svg
  for part in sweep.yaml runs/000002.nc; do
    rm -f figure.svg*
    ln sweep/$part $output
    expect 2 "the same file as the input sweep/$part" "$cuonn" plot sweep-map sweep --output figure.svg
  done
  rm -f figure.svg*
  ln -s data/t10k-images-idx3-ubyte $output
  expect 2 'the same file as the input data/t10k-images' "$cuonn" plot examples run/best.nc --data data \
    --output figure.svg
  expect 2 'the same file as the input .*/data/t10k-images' "$cuonn" plot examples run/best.nc --output figure.svg
done
rm -f figure.svg*
for name in run data sweep grid.nc g.nc mesh.nc bench.json; do as_before $name; done
expect 2 'json and --plot name the same file, b.svg' "$cuonn" bench --json b.svg --plot b.svg
check_not test -e b.svg

# Reports.
for part in metrics.csv best.nc last.nc config.yaml; do
  rm -rf again
  cp -r run again
  ln -f again/$part again/report.html
  hold "$base/again"
  expect 2 "the output again/report.html is the same file as the input again/$part" "$cuonn" report again
  same
done
rm -rf again
cp -r sweep again
ln -f again/runs/000001.nc again/report.html
hold "$base/again"
expect 2 'the output again/report.html is the same file as the input again/runs/000001.nc' "$cuonn" report again
same
cp sweep/sweep.nc alone.nc
mkdir page
ln alone.nc page/report.html
hold "$base/page"
expect 2 'the same file as the input page/report.html' "$cuonn" report page/report.html
same

# What is in the same folder and is no input is replaced as ever, and so is what a link names.
cp mesh.nc sweep/map.svg
for _ in 1 2; do expect 0 '' "$cuonn" plot sweep-map sweep --output sweep/map.svg --keep-data; done
for _ in 1 2; do expect 0 '' "$cuonn" report run; done
cp u.nc old.nc
ln -s old.nc new.nc
expect 0 '' "$cuonn" matrix mesh.nc --output new.nc
check test -L new.nc
# The JSON of a benchmark is written beside nobody's file.
echo 'my own' > bench.json.tmp
expect 0 '' "$cuonn" bench --case forward --modes 8 --batch 8 --samples 1 --seconds 0.5 --json bench.json
check grep -q 'my own' bench.json.tmp
finish
