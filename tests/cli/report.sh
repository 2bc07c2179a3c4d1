# report: one page that holds all it shows, after training and by itself; what it says is what the run's files say.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 256 32
small_config "$work/data" > config.yaml
mkdir none '<b> & "c"'
run='<b> & "c"/run <i>&'

# Steps so large that the second epoch is better than the first.
expect 0 '' "$cuonn" train config.yaml --output "$run" --json --set training.optimizer.learning_rate=0.02 \
  --set training.batch_size=8
page=$run/report.html
check grep -q '^<!DOCTYPE html>$' "$page"
# Well-formed but for what HTML may leave open, and no element of a name from the run's files.
sed -E 's/<meta ([^>]*)>/<meta \1\/>/' "$page" > page.xml
check xmllint --noout --nonet page.xml
check grep -q '<h1>run &lt;i&gt;&amp;</h1>' "$page"
check_not grep -q '<i>\|<b>' "$page"

# Nothing is fetched: no address but those that are names of XML, no scripts, no files.
check test "$(grep -oE '[a-z]+://[^"'\'' >]*' "$page" | sort -u | paste -sd' ')" = \
  'http://www.w3.org/1999/xlink http://www.w3.org/2000/svg'
check_not grep -qiE '<script|<link|<iframe|@import|src=|url\([^#]|href=.[^#d]' "$page"
check test "$(grep -c 'prefers-color-scheme: dark' "$page")" = 1
check test "$(grep -oE "id=['\"][^'\"]*" "$page" | sort | uniq -d | wc -l)" = 0

# Six figures: curves, confusion, examples, power, and the phases of two layers.
check test "$(grep -c '^<figure>' "$page")" = 6
check test "$(grep -c '^<svg' "$page")" = 6
for label in 'test accuracy / %' '. of 32 test images right: .* %' 'image 5' 'test image 0, label 9: .*' \
  'mesh of 16 waveguides, layer 1 of 0 to 1: .*'; do
  check grep -qE "<text>.*$label" "$page"
done

# Its numbers are those of metrics.csv, and its configuration is the run's.
check test "$(sed -n '/<summary>/,/<\/details>/p' "$page" | grep -c '<tr><th></th><td>[0-9]')" = 2
best=$(tail -n +2 "$run/metrics.csv" |
  awk -F, '$4 > most { most = $4; epoch = $1 } END {
    printf "%.2f %%</strong>, after epoch %d of 2", 100 * most, epoch }')
check grep -qF "<strong>$best" "$page"
check grep -qE "<tr><th>last</th><td>2</td><td>$(tail -n 1 "$run/metrics.csv" |
  awk -F, '{ printf "%.5f</td><td>%.5f</td><td>%.2f", $2, $3, 100 * $4 }')" "$page"
check grep -qF '480 phases' "$page"
check diff <(sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g; s/^<pre>//' "$page" |
  sed -n '/^data:$/,/^<\/pre>/p' | sed '$d') \
  <(sed -n '/^data:$/,$p' "$run/config.yaml")

# Made anew, it is the same; other test images give another.
cp "$page" first
expect 0 '' "$cuonn" report "$run/"
check test "$(cat out)" = "report in $run/report.html"
check cmp first "$page"
slice other 256 16
expect 0 '' "$cuonn" report "$run" --data other
check grep -qE '<text>.* of 16 test images right' "$page"

# A large mesh has a report without pictures.
sed 's/radius: 2/radius: 9/; s/modes: 16/modes: 324/; s/layers: 2/layers: 1/; s/epochs: 2/epochs: 1/
  s/reference/cpu/' config.yaml > large.yaml
expect 0 '' "$cuonn" train large.yaml --set network.start=haar-phases --output large
check grep -q 'Meshes of more than 128 waveguides or 256 columns have no picture' large/report.html
check test "$(grep -c '^<figure>' large/report.html)" = 3

# More figures than are drawn side by side: all are there, each with the number and the caption of its place.
expect 0 '' "$cuonn" train config.yaml --output deep --set network.layers=7 --set training.epochs=1
check test "$(grep -oE '^<figcaption>Figure [0-9]+' deep/report.html | grep -oE '[0-9]+' | paste -sd' ')" = \
  '1 2 3 4 5 6 7 8 9 10 11'
check test "$(grep -c '^<figcaption>Figure [0-9]*: a mesh as it lies on the chip' deep/report.html)" = 7
check test "$(sed -n 's/^<figcaption>Figure 4: //p' deep/report.html)" = \
  'light of the first test example on its way through the chip.</figcaption>'
check test "$(grep -oE 'mesh of 16 waveguides, layer [0-9]' deep/report.html | grep -oE '.$' | paste -sd' ')" = \
  '0 1 2 3 4 5 6'

# Training is done whatever becomes of its report: no gnuplot, no scripts, a report that cannot be written.
expect 0 '^cuonn train: gnuplot is not installed .*gnuplot-nox.*, so there is no report; later: cuonn report plain$' \
  env PATH="$work/none" "$cuonn" train config.yaml --output plain
check test "$(cd plain && echo *)" = 'best.nc config.yaml last.nc metrics.csv'
expect 0 '^cuonn train: none/report.css: No such file' env CUONN_PLOTS=none "$cuonn" train config.yaml \
  --output unscripted
cp -r "$(realpath "$(dirname "$cuonn")/../share/cuonn/plots")" broken
echo 'plot nothing' >> broken/examples.gp
expect 0 '^cuonn train: broken/examples.gp: gnuplot failed: .*undefined variable: nothing' env CUONN_PLOTS=broken \
  "$cuonn" train config.yaml --output undrawn
check test "$(cd undrawn && echo *)" = 'best.nc config.yaml last.nc metrics.csv'
mkdir -p resumed/report.html
cp plain/* resumed
expect 0 '^cuonn train: resumed/report.html: is a folder' "$cuonn" train --resume resumed --set training.epochs=3
check test "$(tail -n 1 resumed/metrics.csv | cut -d, -f1)" = 3

# ------------------------------------------------------------------------------------------------------------ refusals
kept=$work/plain
expect 4 '^cuonn report: gnuplot is not installed .*gnuplot-nox' env PATH="$work/none" "$cuonn" report plain
expect 3 '^cuonn report: nowhere: ' "$cuonn" report nowhere
expect 3 '^cuonn report: none/metrics.csv: ' "$cuonn" report none
expect 3 '^cuonn report: nowhere: ' "$cuonn" report plain --data nowhere
kept=
cp -r plain damaged
head -c 3000 plain/best.nc > damaged/best.nc
expect 3 '^cuonn report: damaged/best.nc: ' "$cuonn" report damaged
head -n 1 plain/metrics.csv > damaged/metrics.csv
expect 3 '^cuonn report: damaged/metrics.csv: has no finished epoch' "$cuonn" report damaged
finish
