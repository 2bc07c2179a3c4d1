# bench: table, JSON, script of the drawing, what is skipped, and refusals. No time is asserted.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
mkdir bin keep
tiny=(--modes "8,16" --batch 3 --layers 2 --samples 4)

# ---------------------------------------------------------------------------------------------------- table and JSON
expect 0 '' "$cuonn" bench "${tiny[@]}" --json bench.json --commit abc
for b in $(backends); do
  output "^$b .*: .* GB/s, .* GFLOP/s$"
  for case in forward train_step; do
    for n in 8 16; do output "^$case +$n +3 +2  $b +[0-9.]+ +[0-9.]+\.\.[0-9.]+ +[0-9]+ +[0-9.]+ +[0-9.e+-]+ +4$"; done
  done
  for case in propagate propagate_stages; do output "^$case +16 +3 +-  $b +[0-9.]+ "; done
  output "^evaluate +16 +10000 +2  $b +[0-9.]+ "
  output "^features +16 +3 +-  $b +[0-9.]+ "
  output "^features +8 +3 +-  $b +skipped: .*not 8$"
done
output '^train_step +16 +3 +2  cpu .* 1 +4$'
# bare: JSON without its spaces, a row a line.
bare() { tr -d ' \n' < "$1" | sed 's/},{/},\n{/g'; }
bare bench.json > bare
for key in '"date":"20[0-9-]*T[0-9:]*Z"' '"commit":"abc"' '"processor":"' '"modes":\[8,16\]' '"batch":\[3\]' '"samples":4' \
  '"case":"train_step","modes":16,"batch":3,"layers":2,"backend":"cpu","median_s":[0-9.e-]*,"p10_s":' \
  '"steps_per_sample":16' '"case":"features","modes":8,"batch":3,"layers":null,"backend":"cpu","skipped":"Fourier'; do
  check grep -qE -- "$key" bare
done
check_not test -e bench.json.tmp

# Lists that a case does not use are not gone through; a time that is too short skips, and says so.
expect 0 '' "$cuonn" bench --case evaluate,propagate --modes 8 --batch 1,2 --layers 1,2 --samples 1
check test "$(grep -c '^evaluate.* cpu ' out)" = 2
check test "$(grep -c '^propagate.* cpu ' out)" = 2
expect 0 '' "$cuonn" bench --case forward --modes 64 --batch 65536 --samples 1 --seconds 0.01
output '^forward +64 +65536 +3  reference +skipped: one operation would take about [0-9.e+]+ s; --seconds 0.01 allows 0.0025$'

# ------------------------------------------------------------------------------------------------------------ drawing
# A gnuplot of ours that draws nothing, and none at all.
printf '#!/bin/sh\necho "<svg>$(wc -l < "$1")"\n' > bin/gnuplot
printf '#!/bin/sh\nexit 1\n' > bin/broken
chmod +x bin/*
drawn() { PATH=$work/bin:$PATH "$cuonn" bench --case propagate,features "${tiny[@]}" --plot curves.svg; }
expect 0 '' drawn
check grep -q '^<svg>' curves.svg
check grep -qx "set title 'propagate' noenhanced" curves.svg.gp
check grep -q 'plot \$curve' curves.svg.gp
for n in 8 16; do check grep -qE "^$n [0-9.e+-]+ [0-9.e+-]+ [0-9.e+-]+ [0-9.e+-]+$" curves.svg.gp; done
check_not test -e curves.svg.tmp
mkdir empty
undrawn() { PATH=$work/empty "$cuonn" bench --case propagate "${tiny[@]}" --plot none.svg --json with.json; }
expect 4 '^cuonn bench: gnuplot is missing \(Debian package gnuplot-nox\); with it: gnuplot none.svg.gp > none.svg$' undrawn
check test -s none.svg.gp
check test -s with.json
check_not test -e none.svg
mv bin/broken bin/gnuplot
expect 1 '^cuonn bench: curves.svg could not be drawn from curves.svg.gp: gnuplot failed' drawn
check grep -q '^<svg>' curves.svg

# ----------------------------------------------------------------------------------------------------------- refusals
kept=keep
echo old > keep/old.json
refuse() { expect "$1" "$2" "$cuonn" bench "${@:3}"; }
refuse 2 '^cuonn bench: the number of modes is 7; allowed: 8 to 1024' --modes 8,7
refuse 2 '^cuonn bench: the number of modes is 1025' --modes 1025
refuse 2 '^cuonn bench: the batch size is 0; allowed: 1 to 65536' --batch 0
refuse 2 '^cuonn bench: the batch size is 65537' --batch 65537
refuse 2 '^cuonn bench: the number of layers is 0' --layers 0
refuse 2 '^cuonn bench: the number of samples is 0' --samples 0
refuse 2 '^cuonn bench: --modes: the list is empty' --modes ''
refuse 2 "^cuonn bench: --modes: '' is not a whole number" --modes 8,
refuse 2 "^cuonn bench: --batch: '-1' is not a whole number" --batch=-1
refuse 2 "^cuonn bench: --batch: '99999999999999999999' is not a whole number" --batch 99999999999999999999
refuse 2 "^cuonn bench: --layers: '2.5' is not a whole number" --layers 2.5
refuse 2 '^cuonn bench: case "fly" is unknown; it is one of features' --case forward,fly
refuse 2 "^cuonn bench: --seconds: 'inf' is not a positive number" --seconds inf
refuse 2 "^cuonn bench: --seconds: '0' is not a positive number" --seconds 0
refuse 2 '^cuonn bench: threads is' --threads 2000
refuse 3 '^cuonn bench: nowhere/b.json cannot be written: No such file' --json nowhere/b.json
refuse 3 '^cuonn bench: keep cannot be written: Is a directory' --json keep
refuse 3 '^cuonn bench: nowhere/b.svg cannot be written' --json keep/new.json --plot nowhere/b.svg
full() { "$cuonn" bench --case propagate "${tiny[@]}" > /dev/full; }
expect 3 '^cuonn bench: cannot write to standard output' full
finish
