# bench: table, JSON, drawing, what is skipped, and refusals. No time is asserted.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
mkdir keep
busy='(  busy: .*)?$' # what a row ends with where other programs run
tiny=(--modes "8,16" --batch 3 --layers 2 --samples 4 --seconds 600) # nothing is skipped where the machine is busy

# ---------------------------------------------------------------------------------------------------- table and JSON
expect 0 '' "$cuonn" bench "${tiny[@]}" --json bench.json --commit abc
for b in $(backends); do
  output "^$b .*: .* GB/s, .* GFLOP/s$"
  for case in forward train_step; do
    for n in 8 16; do
      output "^$case +$n +3 +2  $b +columns +[0-9.]+ +[0-9.]+\.\.[0-9.]+ +[0-9]+ +[0-9.]+ +[0-9.e+-]+ +4$busy"
    done
  done
  for case in propagate propagate_stages; do output "^$case +16 +3 +-  $b +- +[0-9.]+ "; done
  output "^evaluate +16 +10000 +2  $b +columns +[0-9.]+ "
  output "^features +16 +3 +-  $b +- +[0-9.]+ "
  output "^features +8 +3 +-  $b +- +skipped: .*not 8$"
done
output "^train_step +16 +3 +2  cpu .* 1 +4$busy"
for case in forward train_step; do output "^$case +16 +3 +2  cpu +dense +[0-9.]+ "; done
check_not grep -qE '^[a-z_]+ .* reference +dense' out
# bare: JSON without its spaces, a row a line.
bare() { tr -d ' \n' < "$1" | sed 's/},{/},\n{/g'; }
bare bench.json > bare
for key in '"date":"20[0-9-]*T[0-9:]*Z"' '"commit":"abc"' '"processor":"' '"modes":\[8,16\]' '"batch":\[3\]' \
  '"samples":4' \
  '"case":"train_step","modes":16,"batch":3,"layers":2,"backend":"cpu","method":"columns"' \
  '"backend":"cpu","method":"columns","auto":true,"median_s":[0-9.e-]*,"p10_s":' \
  '"layers":2,"backend":"cpu","method":"dense","auto":false,"median_s":' '"auto_slower":\[' \
  '"steps_per_sample":16' '"case":"features","modes":8,"batch":3,"layers":null,"backend":"cpu"' \
  '"method":null,"auto":true,"skipped":"Fourier'; do
  check grep -qE -- "$key" bare
done
check_not test -e bench.json.tmp

# What was measured before a run is killed is kept, as JSON that can be read.
for signal in KILL TERM; do
  rm -f cut.json
  "$cuonn" bench --case propagate --modes "$(seq -s, 8 1024)" --samples 1 --json cut.json > cut.txt 2>&1 &
  while kill -0 $! 2> none && ! { jq -es '.[0].results | length > 2' cut.json > none 2>&1; }; do sleep 0.02; done
  kill -$signal $!
  wait $! 2> none
  check jq -es '.[0].results | length > 2 and all(.median_s > 0)' cut.json # -s: jq calls an empty file true
  check grep -q '^propagate  *8 ' cut.txt
done

# Lists that a case does not use are not gone through; a time that is too short skips, and says so.
expect 0 '' "$cuonn" bench --case evaluate,propagate --modes 8 --batch 1,2 --layers 1,2 --samples 1
check test "$(grep -c '^evaluate.* cpu ' out)" = 4
check test "$(grep -c '^propagate.* cpu ' out)" = 2
expect 0 '' "$cuonn" bench --case forward --modes 64 --batch 65536 --samples 1 --seconds 0.01
output '^forward +64 +65536 +3  reference +columns +skipped: one operation would take about [0-9.e+]+ s; ' \
  '--seconds 0.01 allows 0.0025$'

# One method alone, of the cases that have two; auto's is one of them.
expect 0 '' "$cuonn" bench --case forward,propagate "${tiny[@]}" --method dense
check test "$(grep -c '^forward.* dense ' out)" = 2
check_not grep -q '^forward.* columns ' out
output '^propagate +8 +3 +-  cpu +- '
expect 0 '' "$cuonn" bench --case train_step "${tiny[@]}" --method auto
check test "$(grep -c '^train_step.* cpu ' out)" = 2

# ------------------------------------------------------------------------------------------------------------ drawing
draw() { "$cuonn" bench --case propagate,features "${tiny[@]}" "$@"; }
text() { grep -oE '<text[^>]*>.*</text>' "$1" | sed -E 's/<[^>]*>//g' | grep -qxE " *($2) *"; }
# rows FILE INDEX: the numbers of a block of a data file.
rows() { awk -v want="$2" 'BEGIN { RS = "\n\n\n" } NR == want + 1' "$1" | grep -v '^#\|^$'; }
expect 0 '' draw --plot curves.svg --json drawn.json
check xmllint --noout --nonet curves.svg
for label in propagate features 'modes N' 'examples a second' cpu reference 8 16; do
  check text curves.svg "$label"
done
check test "$(echo curves.svg*)" = curves.svg

# The same from the JSON, and its numbers are those of the JSON.
expect 0 '' "$cuonn" plot throughput drawn.json --output plotted.svg --keep-data
labels() { grep -oE '<text[^>]*>.*</text>' "$1" | sed -E 's/<[^>]*>//g' | grep '[a-z]'; }
# the JSON has six digits of each number, ticks depend on all of them
check cmp <(labels curves.svg) <(labels plotted.svg)
check test "$(rows plotted.svg.txt 0)" = '"modes N" 2 2'
check test "$(rows plotted.svg.txt 1 | paste -sd,)" = '0 "propagate",1 "features"'
bare drawn.json | grep -E '"case":"propagate".*"backend":"cpu"' > cpu
number() { grep -oE "\"$1\":[0-9.e+-]+" cpu | cut -d: -f2; }
curve=$(rows plotted.svg.txt 2 | grep -o '^[0-9] "cpu"' | cut -c1)
rows plotted.svg.txt $((4 + curve)) > numbers
cut -d' ' -f1 numbers > got
number modes > want
check cmp got want
cut -d' ' -f2 numbers > got
number examples_per_second > want
check close_to 1e-5 got want
cut -d' ' -f3 numbers > got
number p90_s | awk '{ print 3 / $1 }' > want
check close_to 1e-4 got want
awk '{ print $2 / $5 }' numbers > got
number of_limit > want
check close_to 1e-4 got want

# Curves tell methods apart where there are several.
expect 0 '' "$cuonn" bench --case forward "${tiny[@]}" --json methods.json
expect 0 '' "$cuonn" plot throughput methods.json --output methods.svg
for label in 'cpu, columns' 'cpu, dense'; do check text methods.svg "$label"; done

# Several files: over the threads if these vary most, and by the names of the files otherwise.
for t in 1 2; do
  expect 0 '' "$cuonn" bench --case propagate --modes 8 --batch 3 --samples 1 --threads $t --json t$t.json
done
expect 0 '' "$cuonn" plot throughput t2.json t1.json --output threads.svg --keep-data
check test "$(rows threads.svg.txt 0)" = '"threads" 1 1'
check test "$(rows threads.svg.txt 4 | cut -d' ' -f1 | paste -sd,)" = 1,2
expect 0 '' "$cuonn" plot throughput drawn.json bench.json --output files.svg
for label in 'cpu, drawn.json' 'cpu, bench.json' train_step; do check text files.svg "$label"; done

mkdir empty
undrawn() { PATH=$work/empty draw --plot none.svg --json with.json; }
expect 4 '^cuonn bench: gnuplot is not installed .*gnuplot-nox.*; what it would draw is in none.svg.txt$' undrawn
check test -s none.svg.txt
check test -s with.json
check_not test -e none.svg
unscripted() { CUONN_PLOTS=$work/empty draw --plot curves.svg; }
cp curves.svg before
expect 3 '^cuonn bench: .*empty/throughput.gp: No such file' unscripted
check cmp curves.svg before

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
refuse 2 "^cuonn bench: --method: 'rows' is none; it is columns, dense or auto$" --method rows
refuse 3 '^cuonn bench: keep/old.json/b.json: .*keep/old.json: is a file' --json keep/old.json/b.json
refuse 3 '^cuonn bench: keep: cannot be written: Is a directory' --json keep
refuse 3 '^cuonn bench: keep/old.json/b.svg: .*is a file' --json keep/new.json --plot keep/old.json/b.svg
echo '[1' > broken.json
echo '{"results": [], "options": {"threads": 1}}' > nothing.json
echo '{"results": [{"case": "fly"}], "options": {"threads": 1}}' > odd.json
plot() { expect 3 "^cuonn plot: $1" "$cuonn" plot throughput "${@:2}" --output keep/new.svg; }
plot 'broken.json: line 2: ' broken.json
plot 'nothing.json: nothing was measured in it' nothing.json
plot 'odd.json: is no result of cuonn bench --json' bench.json odd.json
plot 'none.json: ' none.json
full() { "$cuonn" bench --case propagate "${tiny[@]}" > /dev/full; }
expect 3 '^cuonn bench: cannot write to standard output' full
finish
