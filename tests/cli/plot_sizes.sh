# plot at many sizes: of 1 to 50 runs and 2 to 64 waveguides, with strange names and extreme numbers, every text of a
# figure can be read, and what is drawn is told apart.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1

# ------------------------------------------------------------------------------------------------------ learning curves
# metrics EPOCHS SEED: a file of a run that learns.
metrics() {
  echo epoch,train_loss,test_loss,test_accuracy,seconds,examples_per_second
  awk -v n="$1" -v s="$2" 'BEGIN { for (e = 1; e <= n; e++)
    printf "%d,%.6f,%.6f,%.4f,1,100\n", e, 1 / (e + s), 1.1 / (e + s), 1 - 0.5 / (e + s) }'
}
# runs FOLDER COUNT EPOCHS: folders with metrics.csv of so many runs, whose paths are left in $made.
runs() {
  made=()
  for ((k = 1; k <= $2; k++)); do
    mkdir -p "$1/run $k"
    metrics "$3" "$k" > "$1/run $k/metrics.csv"
    made+=("$1/run $k/metrics.csv")
  done
}
# Every run has a key of its own, and dashes are those of training alone.
for count in 1 2 7 8 30; do
  for epochs in 1 60; do
    runs "of$count-$epochs" "$count" "$epochs"
    draw "curves$count-$epochs" curves "${made[@]}"
    keys=$(sed -n '/gnuplot_plot_1c/,$p' "curves$count-$epochs.svg" |
      grep -oE "#gpPt[0-9]+|#gpDot| color='rgb[^']*'" | paste -d' ' - - | sort -u | wc -l)
    check test "$keys" = "$count"
    check test "$(grep -c stroke-dasharray "curves$count-$epochs.svg")" = "$count"
  done
done
runs of42 42 5
draw curves42 curves "${made[@]}"
has_not curves42.svg repeated
runs of50 50 5
draw curves50 curves "${made[@]}"
has curves50.svg 'Colours and marks are repeated after 42 runs.'
# Nothing learned, nothing known, everything known, and numbers that are far from all others.
for numbers in 1,0,0,0.5 1,0,0,0 1,0,0,1 1,1e300,2e300,0.1 1,1e-300,2e-300,0.1; do
  mkdir -p edge
  { metrics 0 0; echo "$numbers,1,100"; echo "2,${numbers#1,},1,100"; } > edge/metrics.csv
  draw edge curves edge/metrics.csv
  has_not edge.svg '^-|^1[0-9][1-9]$' # no accuracy below 0 or above 100 %
done

# ---------------------------------------------------------------------------------------------------------------- names
names=('a "quoted" name' "it's" 'back\slash \n \134 "' '100 % %d $HOME {x}_y^2 @z' 'a <b> &amp; #c ; d' 'öäü π – “x”' \
  日本語の名前 '# x'
  "rate-0.001-batch-64-optimizer-adam-momentum-0.9-decay-1e-4-seed-12345-of-a-study-whose-name-goes-on-and-on\
-and-on-to-the-end")
made=()
for name in "${names[@]}"; do
  mkdir -p "odd/$name"
  metrics 3 1 > "odd/$name/metrics.csv"
  made+=("odd/$name/metrics.csv")
done
expect 0 '' "$cuonn" plot curves "${made[@]}" --output odd.svg --keep-data
readable odd.svg
for name in "${names[@]:0:8}"; do has odd.svg "$name"; done
has_not odd.svg 'decay-1e-4'
check grep -q 'rate-0.001-batch-64-.*….*-to-the-end' odd.svg
check grep -qxF '"a \042quoted\042 name"' odd.svg.txt
check grep -qxF '"back\134slash \134n \134134 \042"' odd.svg.txt
# What is no text, and folders that are called the same.
broken=$(printf 'odd/x\xffy\001z')
mkdir -p "$broken" odd/one/same odd/two/same
for folder in "$broken" odd/one/same odd/two/same; do metrics 3 2 > "$folder/metrics.csv"; done
draw same curves "$broken/metrics.csv" odd/one/same/metrics.csv odd/two/same/metrics.csv
for name in 'x?y?z' one/same two/same; do has same.svg "$name"; done

# ------------------------------------------------------------------------------------------------------- sizes of chips
train 4 4 1 'radius: 1'
train 9 9 2 'features: resample, side: 3'
train 64 10 2 'radius: 4'
for n in 4 9 64; do
  for what in confusion examples phases power; do draw "$what$n" $what "chip$n/best.nc"; done
  has_not "power$n.svg" '^-?[0-9]+\.[0-9]+$' # a waveguide is a whole number
  has "power$n.svg" read
  expect 0 '' "$cuonn" gradient "chip$n/best.nc" --images 4 --output "gradient$n.nc" --method analog \
    --set chip.tap_shot=0.02
  draw "gradients$n" gradients "gradient$n.nc"
done
# Every column of a small mesh has its number.
for column in 0 1 2 3; do has power4.svg $column; done
# Many layers: numbers stand where they fit.
sed 's/layers: 1/layers: 40/' chip4.yaml > deep.yaml
expect 0 '' "$cuonn" train deep.yaml --output deep
draw deep power deep/best.nc
# Two waveguides: one interferometer.
echo 1 > one
netcdf two.nc classic 'node=1' '' theta:node:one phi:node:one
draw phases2 phases two.nc
# The scripts themselves, with what a network of two would write.
printf '# \n2 1 2 0 1 0 0.75 2\n\n\n# \n-3 -1 0\n-3 -7 -400\n\n\n# \n0\n' > power2.txt
printf '# \n32 20\n\n\n# \n0 0 10 0.625\n1 0 6 0.375\n0 1 6 0.375\n1 1 10 0.625\n\n\n# \n1\n' > confusion2.txt
printf '# \n0.9 0.1\n\n\n# \n0.1 0.2\n\n\n# \n0 0\n' > gradients2.txt
printf '# \n0 0\n\n\n# \n0 0\n\n\n# \n0 0\n' > nothing.txt
plots=$(realpath "$(dirname "$cuonn")/../share/cuonn/plots")
for what in power confusion gradients; do
  check gnuplot -d -c "$plots/$what.gp" ${what}2.txt svg > ${what}2.svg 2> /dev/null
  readable ${what}2.svg
done
check gnuplot -d -c "$plots/gradients.gp" nothing.txt svg > nothing.svg 2> /dev/null
readable nothing.svg

# --------------------------------------------------------------------------------------------------------------- energy
for grid in 8 2,4 2:9:1 4:512:4 4:4096:512; do
  expect 0 '' "$cuonn" energy --grid "energy.modes=$grid" --output grid.nc
  draw energy energy grid.nc
  rm grid.nc
done
expect 0 '' "$cuonn" energy --grid energy.modes=8 --output grid.nc
draw energy energy grid.nc
check test "$(grep -c "gpPt6' transform" energy.svg)" -ge 16 # one N: points, where lines would show nothing
has energy.svg 8
has_not energy.svg '^[0-9]+\.[0-9]+[1-9]$'

# ----------------------------------------------------------------------------------------------------------- throughput
# measured FILE MODES...: what bench --json writes, as far as the figure reads it.
measured() {
  local file=$1 rows=
  shift
  for n in "$@"; do
    for backend in cpu reference; do
      rows+="${rows:+,}{\"case\":\"forward\",\"modes\":$n,\"batch\":512,\"layers\":2,\"backend\":\"$backend\",
        \"median_s\":0.001,\"p10_s\":0.0009,
        \"p90_s\":0.0012,\"examples_per_second\":$((4000000 / n)),\"of_limit\":0.5}"
    done
  done
  echo "{\"results\":[$rows],\"options\":{\"threads\":2}}" > "$file"
}
measured one.json 64
draw throughput1 throughput one.json
has throughput1.svg "cross: limit of the machine's memory or arithmetic"
many=()
for k in 1 2 3 4 5; do
  name="measurements of a machine with a long name, number $k, \"quiet\" and cool"
  many+=("$name, of a day in the autumn of the year.json")
  measured "${many[-1]}" 8 64 256
done
mkdir p q
measured p/same.json 8 64
measured q/same.json 8 64
draw throughput7 throughput "${many[@]}" p/same.json q/same.json
for name in 'cpu, p/same.json' 'reference, q/same.json'; do has throughput7.svg "$name"; done
check grep -qF '\042quiet\042' throughput7.svg.txt
check test "$(grep -c stroke-dasharray throughput7.svg)" = 14 # limits alone are dashed

# -------------------------------------------------------------------------------------------------------------- reports
# Figures of a report, apart.
for page in chip4 chip9 chip64 deep; do
  rm -f figure.*
  awk '/<svg/ { n++ } n { print > ("figure." n) }' "$page/report.html"
  for figure in figure.*; do
    sed -n '/<svg/,/<\/svg>/p' "$figure" > figure.svg
    readable figure.svg
  done
done
finish
