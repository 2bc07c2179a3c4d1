# plot of sweeps: the numbers of each figure are those of sweep.nc, failed and missing runs are seen as such; refusals.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
slice data 256 64
small_config "$work/data" > config.yaml

# text FILE REGEX: a text in an SVG matches.
text() { grep -oE '<text>.*</text>' "$1" | sed -E 's/<[^>]*>//g; s/^ +| +$//g' | grep -qE "^($2)\$"; }
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
# The rate 1e308 makes every loss of sgd infinite at once.
expect 0 '' "$cuonn" sweep config.yaml --output run --set sweep.repeats=2 --set 'training.optimizer.name=[sgd, adam]' \
  --set 'training.optimizer.learning_rate=[0.01, 0.1, 1e308]' --set 'training.batch_size=[32, 64]' --set 'network.phase_style=[top, bottom]'
