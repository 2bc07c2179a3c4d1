# plot of sweeps: the numbers of each figure are those of sweep.nc, failed and missing runs are seen as such; refusals.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 256 64
small_config "$work/data" > config.yaml

# text FILE REGEX: a text in an SVG matches.
text() { grep -oE '<text[^>]*>.*</text>' "$1" | sed -E 's/<[^>]*>//g; s/^ +| +$//g' | grep -qE "^($2)\$"; }
# rows FILE INDEX: the numbers of a block of a data file.
rows() { awk -v want="$2" 'BEGIN { RS = "\n\n\n" } NR == want + 1' "$1" | grep -v '^#\|^$'; }
# draw WHAT FILE OUTPUT: in all formats, well-formed, the same from the directory and from sweep.nc.
draw() {
  expect 0 '' "$cuonn" plot "$1" "$2/sweep.nc" --output "$3.svg" --keep-data
  check xmllint --noout --nonet "$3.svg"
  cp "$3.svg.txt" first.txt
  expect 0 '' "$cuonn" plot "$1" "$2" --output "$3.svg" --keep-data
  check cmp first.txt "$3.svg.txt"
  for format in png pdf; do expect 0 '' "$cuonn" plot "$1" "$2" --output "$3.$format"; done
}

# ------------------------------------------------------------------------------- a grid with repeats and runs that fail
# A mesh that amplifies by 10^300 gives no loss: all runs that start from it fail.
yes -- -3000 | head -480 > loss_db
numbers 240 1 3.14 > theta
numbers 240 2 6.28 > phi
netcdf loud.nc classic 'layer=2 node=120 shifter=2' '' theta:layer,node:theta phi:layer,node:phi \
  loss_db:layer,node,shifter:loss_db
loud=(--set 'network.start=[haar, file]' --set network.start_file=loud.nc)
expect 0 '' "$cuonn" sweep config.yaml --output run --set sweep.repeats=2 --set 'training.optimizer.name=[sgd, adam]' \
  --set 'training.optimizer.learning_rate=[0.001, 0.01, 0.1]' --set 'training.batch_size=[32, 64]' "${loud[@]}"
draw sweep-map run map
check test "$(rows map.svg.txt 0)" = '"learning rate / radians" "batch size / examples" 3 2 2 2 2 2 24 0'
check test "$(rows map.svg.txt 1 | paste -sd,)" = '0 "0.001",1 "0.01",2 "0.1"'
check test "$(rows map.svg.txt 3 | paste -sd,)" = '0 "start haar",1 "start file"'
check test "$(rows map.svg.txt 4 | paste -sd,)" = '0 "optimizer sgd",1 "optimizer adam"'
for label in 'learning rate / radians' 'batch size / examples' 'start file' 'optimizer adam' 0.1 64 \
  'Test error after epoch 2 in %, mean of 2 runs\.' '.* all or some of a cell.s runs failed, 24 in all.*' \
  '[0-9.]{4}' ×; do
  check text map.svg "$label"
done
check_not text map.svg '.*not done.*'
# Cells: seeds vary slowest but for the start and the batch, rates fastest.
last() { values run/sweep.nc test_error | awk 'NR % 2 == 0'; }
dimensions='start, batch_size, seed, optimizer, learning_rate, epoch'
check grep -qF "test_error($dimensions)" <(ncdump -h run/sweep.nc)
# mean BATCH OPTIMIZER RATE: mean and deviation over the two seeds of the runs that start from haar.
mean() { last | awk -v a=$(($1 * 12 + $2 * 3 + $3 + 1)) 'NR == a { x = $1 } NR == a + 6 { y = $1 }
  END { d = x > y ? x - y : y - x; print 50 * (x + y), 100 * d / sqrt(2) }'; }
for optimizer in 0 1; do
  for batch in 0 1; do for rate in 0 1 2; do mean $batch $optimizer $rate; done; done | tr ' ' '\n' > want
  rows map.svg.txt $((5 + 2 * optimizer)) | cut -d' ' -f3,4 | tr ' ' '\n' > got
  check close_to 1e-4 got want
done
check test "$(rows map.svg.txt 5 | cut -d' ' -f5- | paste -sd,)" = '2 0 0,2 0 0,2 0 0,2 0 0,2 0 0,2 0 0'

check test "$(rows map.svg.txt 6 | cut -d' ' -f3- | sort -u)" = 'NaN NaN 0 2 0'

draw sweep-bars run bars
check test "$(rows bars.svg.txt 0)" = '2 3 2 24 0'
check test "$(rows bars.svg.txt 1 | paste -sd,)" = '0 "optimizer sgd",1 "optimizer adam"'
check test "$(rows bars.svg.txt 2 | paste -sd,)" = \
  '"start" 0 0,"batch size / examples" 1 0,"learning rate / radians" 1 1'
# Adam at the rate 0.1, over batches and seeds.
last | awk 'NR % 6 == 0 && $1 != "_" { n++; sum += $1; squares += $1 * $1; if (n == 1 || $1 < low) low = $1;
  if ($1 > high) high = $1 }
  END { print 100 * sum / n; print 100 * sqrt((squares - sum * sum / n) / (n - 1)); print 100 * low; print 100 * high;
    print n }' > want
rows bars.svg.txt 8 | sed -n 3p | cut -d' ' -f3-7 | tr ' ' '\n' > got
check close_to 1e-4 got want
for label in 'optimizer sgd' start 'test error, epoch 2 / %' 'Mean of up to 12 runs; .*range\. 24 runs failed\.' 0.001 \
  haar; do
  check text bars.svg "$label"
done

# ----------------------------------------------------------------------------------------------------------- tolerance
expect 0 '' "$cuonn" sweep config.yaml --output chips --set sweep.repeats=2 --set 'chip.coupler_std=[0.3, 0, 0.05]' \
  --set 'training.gradient=[exact, analog]'
draw tolerance chips tolerance
check test "$(rows tolerance.svg.txt 0)" = '"coupler error σ / radians" 2 2 2 0 0'
check test "$(rows tolerance.svg.txt 2 | head -n 1)" = '"gradient analog"'
# Errors of couplers rise, whatever the order of the list; they run fastest in the file, seeds before methods.
check grep -qF 'test_error(seed, gradient, coupler_std, epoch)' <(ncdump -h chips/sweep.nc)
values chips/sweep.nc test_error | awk 'NR % 2 == 0 { x[++n] = $1 }
  END { for (i = 1; i <= 3; i++) { a = x[i == 3 ? 4 : i + 4]; b = x[i == 3 ? 10 : i + 10]; d = a > b ? a - b : b - a
    print i == 1 ? 0 : i == 2 ? 0.05 : 0.3; print 50 * (2 - a - b); print 100 * d / sqrt(2); print 2 } }' > want
rows tolerance.svg.txt 2 | tail -n +2 | cut -d' ' -f1-4 | tr ' ' '\n' > got
check close_to 1e-4 got want
for label in 'coupler error σ / radians' 'test accuracy after epoch 2 / %' 'gradient exact' 'gradient analog' \
  'Mean and standard deviation of 2 runs\.'; do
  check text tolerance.svg "$label"
done

# -------------------------------------------------------------------------------------------------------------- budget
expect 0 '' "$cuonn" sweep config.yaml --output ways --set sweep.repeats=2 --set chip.estimates=3 \
  --set 'training.gradient=[exact, spsa, digital]' --set 'training.batch_size=[32, 64]'
draw budget ways budget
check test "$(rows budget.svg.txt 0)" = '6 2 2 0 0 16 2 256'
for i in 1 2 3 4 5 6; do rows budget.svg.txt $i | head -n 1; done > got
printf '%s\n' '"exact" "batch size 64 examples" 0' '"spsa, 3 estimates" "batch size 64 examples" 1' \
  '"digital" "batch size 64 examples" 1' > want
check cmp <(grep 64 got) want
# Costs are those of cuonn energy; accuracies the means over the seeds.
expect 0 '' "$cuonn" energy --network config.yaml --set training.gradient=spsa --set chip.estimates=3 --json
tr -d ' \n' < out | grep -oE '"all":\{[^}]*' | tr '{,' '\n\n' | grep ':[0-9]' | cut -d: -f2 > all
awk '{ x[NR] = $1 } END { print x[1]; print x[2] + x[3]; print x[4]; print x[5]; print x[6] }' all > want
line=$(for i in 1 2 3 4 5 6; do rows budget.svg.txt $i | grep -q '^"spsa.* 64 ' && echo $i; done)
rows budget.svg.txt "$line" | sed -n 3p | cut -d' ' -f2-6 | tr ' ' '\n' > got
check close_to 1e-6 got want
check grep -qF 'test_error(batch_size, seed, gradient, epoch)' <(ncdump -h ways/sweep.nc)
values ways/sweep.nc test_error | awk '{ x[NR] = $1 } END { print 50 * (2 - x[16] - x[22]) }' > want
rows budget.svg.txt "$line" | sed -n 3p | cut -d' ' -f7 > got
check close_to 1e-4 got want
for label in 'optical passes, vectors through a mesh' 'phases written' 'spsa, 3 est.*64 examples' \
  '2 layers of N = 16, 2 epochs\. Means of 2 runs.*'; do
  check text budget.svg "$label"
done

# ----------------------------------------------------------------------------------------------------------- trade-off
expect 0 '' "$cuonn" sweep config.yaml --output noisy --set training.gradient=analog --set chip.measurement=matrix \
  --set 'chip.tap_shot=[0, 0.0005, 0.2]' --set 'chip.io_amplitude=[0, 0.05]' --set chip.io_phase=0.03 \
  --set energy.detection=direct
draw tradeoff noisy tradeoff
check test "$(rows tradeoff.svg.txt 0)" = '16 2 1 1'
check test "$(rows tradeoff.svg.txt 2 | paste -sd,)" = '0 "0",1 "0.0005",2 "0.2"'
# What has a price is what has noise at the taps: as many photons as energy counts for the bits, or 1 / (.8 x .003 x
# .0005^2) / 16, of each unit vector: the simulation adds up their noise.
cost() {
  expect 0 '' "$cuonn" energy "$@" --set energy.detection=direct --set energy.modes=16 --set energy.batch=64 \
    --set energy.measurement=matrix --json; cat out
}
cost --set energy.bits=5 --set energy.converter_bits=5 | grep -oE '"photons": *[0-9.e+]+' | sed 's/.*: *//' > five
cost | grep -oE '"photons": *[0-9.e+]+' | sed 's/.*: *//' > six
check test "$(wc -l < five) $(wc -l < six)" = '1 1'
{ echo 104166667; echo 104166667; cat six five; } > want
rows tradeoff.svg.txt 3 | cut -d' ' -f5 > got
check close_to 1e-5 got want
check test "$(rows tradeoff.svg.txt 3 | cut -d' ' -f6-8 | paste -sd,)" = '8 1 1,5 1 1,8 2 1,5 2 1'
cost --set energy.bits=5 --set energy.converter_bits=5 | tr -d ' \n' | grep -oE '"gradient":\{[^}]*' |
  grep -oE '"tops_per_watt":[0-9.]+' | cut -d: -f2 > want
rows tradeoff.svg.txt 3 | sed -n 4p | cut -d' ' -f3 > got
check close_to 1e-5 got want
values noisy/sweep.nc test_error | awk 'NR % 2 == 0 && NR > 4 { print 100 * $1 }' > want
rows tradeoff.svg.txt 3 | cut -d' ' -f1 > got
check close_to 1e-5 got want
for label in 'in situ gradient / \(TOPS/W\)' 'laser, electricity for N = 16 / W' 'test error after epoch 2 / %' \
  '5 bits' '8 bits' 0.2; do
  check text tradeoff.svg "$label"
done
# What is left out is said: the two settings without noise at the taps, with their test error.
values noisy/sweep.nc test_error | awk 'NR == 2 || NR == 4 { x = 100 * $1; if (NR == 2 || x < low) low = x;
  if (NR == 2 || x > high) high = x }
  END { print 2; print low; print high; print 0; print 0 }' > want
rows tradeoff.svg.txt 4 | tr ' ' '\n' > got
check close_to 1e-5 got want
left='2 settings are left out, with a test error of [0-9.]+( to [0-9.]+)? %\.'
check text tradeoff.svg "Without noise at the taps there is no price: $left.*"
check grep -q Digital tradeoff.svg
# Without enough light, and without a run that finished.
expect 0 '' "$cuonn" sweep config.yaml --output dark --set training.gradient=analog \
  --set 'chip.tap_shot=[0.0001, 0.02]' \
  --set 'chip.io_amplitude=[0.0001, 0.05]' --set chip.io_phase=0.03 --set energy.detection=homodyne \
  --set energy.oscillator_photons=1e5 \
  "${loud[@]}"
expect 0 '' "$cuonn" plot tradeoff dark --output dark.svg --keep-data
check test "$(rows dark.svg.txt 5)" = '0 NaN NaN 2 4'
check text dark.svg 'No light is enough for 2 settings, left out\. 4 settings have no finished run\.'
# Components of one's own: half the efficiency of detectors doubles the photons for the taps.
expect 0 '' "$cuonn" plot tradeoff noisy --output own.svg --keep-data --set energy.detector_efficiency=0.4
check test "$(rows own.svg.txt 3 | head -n 1 | cut -d' ' -f5)" = 2.08333e+08
# With a price for the digital products that a measured matrix leaves, none is left out.
expect 0 '' "$cuonn" plot tradeoff noisy --output own.svg --keep-data --set energy.product_energy=1
check test "$(rows own.svg.txt 3 | cut -d' ' -f8 | sort -u)" = 0
check_not grep -q Digital own.svg

# ------------------------------------------------------------------------------------------------- what may be missing
# A sweep of which some runs are not done: its directory says so, as it would while the sweep runs.
cp -r run part
rm part/sweep.nc part/runs/00000[0-9].nc
expect 0 '' "$cuonn" plot sweep-map part --output part.svg --keep-data
check test "$(rows part.svg.txt 0 | grep -o '24 10$')" = '24 10'
check text part.svg '.*Grey and empty: 10 runs are not done\.'
# One axis, and one of words.
expect 0 '' "$cuonn" sweep config.yaml --output words --set 'training.optimizer.name=[sgd, adam]'
draw sweep-map words words
check text words.svg adam
draw sweep-bars words words
check text words.svg adam
# Keys of a group are one axis, with the values of all of them; seeds of a group are repeats.
expect 0 '' "$cuonn" sweep config.yaml --output group --set 'training.seed=[1, 2]' --set 'chip.seed=[3, 4]' \
  --set 'training.optimizer.momentum=[0, 0.5, 0]' --set 'training.optimizer.learning_rate=[0.1, 0.1, 0.2]' \
  --set training.optimizer.name=sgd \
  --set 'chip.coupler_std=[0.1, 0]' --set 'chip.scale=[example, study]' \
  --set 'sweep.zip=[[training.seed, chip.seed], [training.optimizer.momentum, training.optimizer.learning_rate],
    [chip.coupler_std, chip.scale]]'
draw sweep-map group group
check test "$(rows group.svg.txt 0)" = \
  '"learning rate / radians, momentum" "scale, coupler error σ / radians" 3 2 1 1 2 2 0 0'
check test "$(rows group.svg.txt 1 | paste -sd,)" = '0 "0.1, 0",1 "0.1, 0.5",2 "0.2, 0"'
values group/sweep.nc test_error | awk 'NR % 2 == 0 { x[n++] = $1 }
  END { for (y = 0; y < 2; y++) for (i = 0; i < 3; i++) print 50 * (x[2 * i + y] + x[6 + 2 * i + y]) }' > want
rows group.svg.txt 5 | cut -d' ' -f3 > got
check close_to 1e-4 got want
draw sweep-bars group group
check test "$(rows group.svg.txt 2 | head -n 1)" = '"learning rate / radians, momentum" 0 0'
draw tolerance group group
check test "$(rows group.svg.txt 1)" = '"learning rate 0.1 radians, momentum 0"
0 '"$(rows group.svg.txt 1 | sed -n 2p | cut -d' ' -f2-)"'
0.1 '"$(rows group.svg.txt 1 | sed -n 3p | cut -d' ' -f2-)"
expect 0 '' "$cuonn" sweep config.yaml --output seeds --set sweep.repeats=2
expect 0 '' "$cuonn" sweep config.yaml --output lost --set network.start=file --set network.start_file=loud.nc \
  --set 'training.optimizer.learning_rate=[0.01, 0.1]'

# ------------------------------------------------------------------------------------------------------------ refusals
kept=$work/run
refuse() {
  local code=$1 regex=$2; shift 2; expect "$code" "^cuonn plot: $regex" "$cuonn" plot "$@" --output run/new.svg
}
refuse 3 'run: chip.tap_shot does not vary by itself in this sweep; give it a list' tradeoff run
refuse 2 '--set training.epochs=3: only keys of the section energy' tradeoff noisy --set training.epochs=3
refuse 2 '.*energy.taps' tradeoff noisy --set energy.taps=3
refuse 3 'noisy: no run has a price' tradeoff noisy --set energy.detection=homodyne --set energy.oscillator_photons=1
refuse 3 'run: chip.coupler_std does not vary by itself in this sweep; give it a list' tolerance run
for what in sweep-map sweep-bars; do refuse 3 'seeds: only seeds vary in this sweep' $what seeds; done
for what in sweep-map sweep-bars tolerance tradeoff; do
  refuse 3 'lost: none of its 2 runs has finished' $what lost
  refuse 3 'config.yaml: is not a netCDF file' $what config.yaml
  refuse 3 'run/networks/000003.nc: is no sweep.nc of cuonn sweep' $what run/networks/000003.nc
  refuse 3 'data/sweep.yaml: ' $what data
  refuse 3 'nowhere: ' $what nowhere
  refuse 2 "--example is not for $what" $what run --example 1
done
rates=$(seq -s, 0.001 0.001 0.041)
expect 0 '' "$cuonn" sweep config.yaml --output long --set training.epochs=1 --set training.batch_size=256 \
  --set "training.optimizer.learning_rate=[$rates]"
refuse 3 'long: learning_rate has 41 values; a map has at most 40 on a side' sweep-map long
expect 0 '' "$cuonn" plot sweep-bars long --output long.svg
slice few 32 16
two() { for key in "$@"; do echo "--set $key=[0.5, 0.6]" | sed 's/ /\n/'; done; }
mapfile -t eight < <(two chip.tap_shot chip.io_amplitude chip.io_phase chip.loss_std chip.phase_error \
  training.optimizer.momentum \
  training.optimizer.beta1 training.optimizer.beta2)
expect 0 '' "$cuonn" sweep config.yaml --output many --set data.path=few --set training.epochs=1 \
  --set training.batch_size=32 "${eight[@]}"
refuse 3 'many: the grid makes 64 maps, but a page holds at most 48; sweep-bars draws it' sweep-map many
expect 0 '' "$cuonn" plot sweep-bars many --output many.svg

expect 0 '' "$cuonn" sweep config.yaml --output lines --set training.epochs=1 --set training.batch_size=256 \
  --set 'chip.coupler_std=[0, 0.1]' --set "training.optimizer.learning_rate=[$(seq -s, 0.001 0.001 0.015)]"
refuse 3 'lines: the other keys make 15 lines; at most 14 can be told apart' tolerance lines

# Without gnuplot the numbers are still written.
kept=
mkdir none
expect 4 '^cuonn plot: gnuplot is not installed .*; what it would draw is in missing.svg.txt$' \
  env PATH="$work/none" "$cuonn" plot sweep-map run --output missing.svg
check cmp missing.svg.txt map.svg.txt
finish
