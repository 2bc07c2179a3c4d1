# report of sweeps: what it says is what sweep.nc says; sweeps that fail, that are not done, that have nothing to draw.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 256 64
small_config "$work/data" > config.yaml
yes -- -3000 | head -480 > loss_db
numbers 240 1 3.14 > theta
numbers 240 2 6.28 > phi
netcdf loud.nc classic 'layer=2 node=120 shifter=2' '' theta:layer,node:theta phi:layer,node:phi \
  loss_db:layer,node,shifter:loss_db
mkdir none '<b> & "c"'
name='<b> & "c"/sweep <i>&'

expect 0 '' "$cuonn" sweep config.yaml --output "$name" --set 'network.start=[haar, file]' \
  --set network.start_file=loud.nc \
  --set 'training.optimizer.learning_rate=[0.001, 0.1]' --set sweep.repeats=2
output '^report in .*/sweep <i>&/report.html$'
page=$name/report.html
sed -E 's/<meta ([^>]*)>/<meta \1\/>/' "$page" > page.xml
check xmllint --noout --nonet page.xml
check grep -q '<h1>sweep &lt;i&gt;&amp;</h1>' "$page"
check_not grep -q '<i>\|<b>' "$page"
# Nothing is fetched.
check test "$(grep -oE '[a-z]+://[^"'\'' >]*' "$page" | sort -u | paste -sd' ')" = \
  'http://www.w3.org/1999/xlink http://www.w3.org/2000/svg'
check_not grep -qiE '<script|<link|<iframe|@import|src=|url\([^#]|href=.[^#d]' "$page"
check test "$(grep -oE "id=['\"][^'\"]*" "$page" | sort | uniq -d | wc -l)" = 0

# Counts, grid, the best run and its numbers, failed ones and why, every run by its error.
check grep -q 'A sweep of 8 runs: .* 4 runs finished, 4 failed\.' "$page"
check_not grep -q 'not done\|--resume' "$page"
check grep -qF '</td><td>radians</td><td>0.001, 0.1</td></tr>' "$page"
# Runs 0 to 3 start from haar; the last epoch is every second number.
values "$name/sweep.nc" test_error | awk 'NR % 2 == 0 && NR <= 8 { printf "%s %06d\n", $1, NR / 2 - 1 }' |
  sort -s -g -k1,1 > ranking
check grep -qE "Least test error: <strong>$(head -n 1 ranking |
  awk '{ printf "%.2f %%</strong>, of run %s", 100 * $1, $2 }')" "$page"
sed -n '/<details>/,/<\/details>/p' "$page" | grep -oE '<th>[0-9]{6}</th><td>[0-9.]+' |
  sed 's/<th>\(.*\)<.th><td>/\1 /' > got
awk '{ printf "%s %.2f\n", $2, 100 * $1 }' ranking > want
check cmp got want
check test "$(sed -n '/<h3>Failed runs/,/<\/table>/p' "$page" | grep -c 'the loss is -*nan at step 1')" = 4
check test "$(sed -n '/<details>/,/<\/details>/p' "$page" | grep -c '<tr><th>0')" = 8
check test "$(grep -c '^<svg' "$page")" = 2
check grep -q 'cuonn sweep sweep.yaml --output again' "$page"
check diff <(sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g; s/^<pre>//' "$page" |
  sed -n '/^data:$/,/^<\/pre>/p' | sed '$d') \
  <(sed -n '/^data:$/,$p' "$name/sweep.yaml")

# Made anew from the directory or from sweep.nc, it is the same.
cp "$page" first
for from in "$name" "$name/" "$name/sweep.nc"; do
  rm "$page"
  expect 0 '' "$cuonn" report "$from"
  check test "$(cat out)" = "report in $name/report.html"
  check cmp first "$page"
done
cd "$name" || exit 1
expect 0 '' "$cuonn" report sweep.nc
check cmp ../../first report.html
cd "$work" || exit 1

# A sweep that is not done says how far it is, and how it goes on.
cp -r "$name" part
rm part/sweep.nc part/runs/00000[137].nc
expect 0 '' "$cuonn" report part
check grep -q '2 runs finished, 3 failed, <strong>3 are not done</strong>' part/report.html
check grep -q 'cuonn sweep --resume part</pre>' part/report.html
check test "$(sed -n '/<details>/,/<\/details>/p' part/report.html | grep -c 'not done')" = 3

# Figures are those that the grid has: none for seeds alone, the tolerance and the trade-off where their keys have
# lists.
expect 0 '' "$cuonn" sweep config.yaml --output seeds --set sweep.repeats=2
check grep -q 'Nothing but seeds varies' seeds/report.html
check_not grep -q '<svg' seeds/report.html
expect 0 '' "$cuonn" sweep config.yaml --output noisy --set 'training.gradient=[exact, analog]' \
  --set 'chip.coupler_std=[0, 0.1]' \
  --set 'chip.tap_shot=[0, 0.02]'
check test "$(grep -c '^<svg' noisy/report.html)" = 4
expect 0 '' "$cuonn" sweep config.yaml --output exact --set 'chip.tap_shot=[0, 0.02]'
check test "$(grep -c '^<svg' exact/report.html)" = 2
expect 0 '' "$cuonn" sweep config.yaml --output lost --set network.start=file --set network.start_file=loud.nc
check grep -q 'A sweep of 1 runs: .* 0 runs finished, 1 failed' lost/report.html
check grep -q 'No key has a list' lost/report.html

# The sweep is done whatever becomes of its report, and JSON has its lines alone.
expect 0 '^cuonn sweep: gnuplot is not installed .*gnuplot-nox.*, so there is no report; later: cuonn report plain$' \
  env PATH="$work/none" "$cuonn" sweep config.yaml --output plain --set 'training.optimizer.name=[sgd, adam]'
check test "$(cd plain && echo *)" = 'networks runs sweep.nc sweep.yaml'
expect 0 '^cuonn sweep: none/report.css: No such file' env CUONN_PLOTS=none "$cuonn" sweep --resume plain
expect 0 '' "$cuonn" sweep --resume plain --json
check test "$(wc -l < out)" = 1
check test -s plain/report.html

# ------------------------------------------------------------------------------------------------------------ refusals
kept=$work/plain
expect 4 '^cuonn report: gnuplot is not installed .*gnuplot-nox' env PATH="$work/none" "$cuonn" report plain
expect 3 '^cuonn report: config.yaml: is not a netCDF file' "$cuonn" report config.yaml
expect 3 '^cuonn report: plain/runs/000001.nc: is no sweep.nc of cuonn sweep' "$cuonn" report plain/runs/000001.nc
for option in '--data data' '--backend cpu' '--threads 1'; do
  expect 2 "^cuonn report: ${option% *} is not for sweeps" "$cuonn" report plain $option
done
kept=
head -c 300 part/runs/000000.nc > short
cp short part/runs/000000.nc
expect 3 '^cuonn report: part/runs/000000.nc: ' "$cuonn" report part
finish
