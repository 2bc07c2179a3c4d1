# Directories of runs and of sweeps: whose files are replaced and whose never, going on with other data, what a killed
# program leaves behind.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
# hold FOLDER: what follows, until `same`, must leave it as it is. Once for many commands: a fingerprint takes its time.
hold() {
  held=$1
  before=$(fingerprint "$held")
}
same() { check test "$before" = "$(fingerprint "$held")"; }
slice data 256 64
small_config "$work/data" > own.yaml
printf '# my own\n%s\n' "$(cat own.yaml)" > commented.yaml
some='--set training.epochs=1 --set training.batch_size=64'

# ------------------------------------------------------------------------------------------------ somebody else's files
# A directory that holds any file that a run would write, and no beginning of that run, is left as it is.
mkdir keep
kept=$work/keep
for name in config.yaml metrics.csv last.nc best.nc report.html; do
  mkdir -p "keep/$name"
  echo 'my own' > "keep/$name/$name"
  expect 2 "^cuonn train: keep/$name: already holds $name" "$cuonn" train own.yaml --output "keep/$name"
  mkdir -p "keep/link-$name"
  ln -s ../../own.yaml "keep/link-$name/$name"
  expect 2 "^cuonn train: keep/link-$name" "$cuonn" train own.yaml --output "keep/link-$name"
  mkdir -p "keep/dangling-$name"
  ln -s nowhere "keep/dangling-$name/$name"
  expect 2 "^cuonn train: keep/dangling-$name" "$cuonn" train own.yaml --output "keep/dangling-$name"
done
for name in sweep.yaml sweep.nc runs networks report.html; do
  mkdir -p "keep/s-$name"
  echo 'my own' > "keep/s-$name/$name"
  expect 2 "^cuonn sweep: keep/s-$name: already holds $name" "$cuonn" sweep own.yaml --output "keep/s-$name"
  [[ $name == report.html ]] && continue
  expect 2 "^cuonn train: keep/s-$name: holds $name, which is of a sweep" "$cuonn" train own.yaml \
    --output "keep/s-$name"
done
for name in config.yaml metrics.csv last.nc best.nc; do
  expect 2 "^cuonn sweep: keep/$name: holds $name, which is of a run" "$cuonn" sweep own.yaml --output "keep/$name"
done
# The user's own config.yaml, in the folder where training was started, with or without comments.
for from in own.yaml commented.yaml; do
  mkdir "keep/at-$from"
  cp $from "keep/at-$from/config.yaml"
  expect 2 'already holds config.yaml' env -C "keep/at-$from" "$cuonn" train config.yaml --output .
  expect 2 'already holds config.yaml' env -C "keep/at-$from" "$cuonn" train config.yaml --output "$work/keep/at-$from"
done
kept=
# Files of other names are no obstacle.
mkdir beside
echo 'my own' > beside/notes.txt
expect 0 '' "$cuonn" train own.yaml $some --output beside
check grep -q 'my own' beside/notes.txt
# A run without last.nc is still a run.
cp -r beside keep/lost
rm keep/lost/last.nc
cp -r beside keep/unlike
rm keep/unlike/last.nc keep/unlike/report.html
hold "$work/keep"
expect 2 'keep/lost: already holds ' "$cuonn" train own.yaml $some --output keep/lost
expect 2 'keep/unlike: already holds ' "$cuonn" train own.yaml $some --set training.seed=3 --output keep/unlike
same

# ------------------------------------------------------------------------------- runs and sweeps keep to their own kind
expect 0 '' "$cuonn" train own.yaml $some --output run
expect 0 '' "$cuonn" sweep own.yaml $some --set 'training.seed=[0,1]' --output sweep
mkdir both
cp -r run sweep both
hold "$work/both"
expect 2 '^cuonn train: both/sweep: is the directory of a sweep; go on with: cuonn sweep --resume both/sweep$' \
  "$cuonn" train --resume both/sweep
expect 2 '^cuonn sweep: both/run: is the directory of a run; go on with: cuonn train --resume both/run$' \
  "$cuonn" sweep --resume both/run
same
cp sweep/sweep.yaml both/run
hold "$work/both"
expect 2 'holds sweep.yaml, which is of a sweep' "$cuonn" train --resume both/run --set training.epochs=2
same

# -------------------------------------------------------------------------------------------------- links that lead out
mkdir -p outside links
kept=$work/outside
for name in config.yaml metrics.csv last.nc best.nc report.html; do
  cp -r run "links/$name"
  mv "links/$name/$name" "outside/$name"
  ln -s "$work/outside/$name" "links/$name/$name"
  expect 2 "links/$name/$name: is a link that leads out of its directory" "$cuonn" train --resume "links/$name" \
    --set training.epochs=2
done
expect 2 'links/report.html/report.html: is a link that leads out' "$cuonn" report links/report.html
for name in sweep.yaml sweep.nc runs networks report.html; do
  cp -r sweep "links/s-$name"
  rm links/s-$name/runs/000001.nc
  mv "links/s-$name/$name" "outside/s-$name"
  ln -s "$work/outside/s-$name" "links/s-$name/$name"
  expect 2 "links/s-$name/$name: is a link that leads out" "$cuonn" sweep --resume "links/s-$name"
done
for name in runs networks; do
  cp -r sweep "links/p-$name"
  rm links/p-$name/runs/000001.nc links/p-$name/networks/000001.nc
  ln -s "$work/outside/best.nc" "links/p-$name/$name/000001.nc"
done
expect 3 'links/p-runs/runs/000001.nc: ' "$cuonn" sweep --resume links/p-runs
expect 2 'links/p-networks/networks/000001.nc: is a link that leads out' "$cuonn" sweep --resume links/p-networks
kept=
# A link within the directory, and one in place of the directory, are the user's own order.
cp -r run inner
mv inner/best.nc inner/kept.nc
ln -s kept.nc inner/best.nc
ln -s inner outer
expect 0 '' "$cuonn" train --resume outer --set training.epochs=2
check test -L inner/best.nc

# ----------------------------------------------------------------------------- killed before the first checkpoint
# What is there then: metrics.csv, or that and config.yaml, or these and the first row, or these and best.nc; or, where
# it had begun anew once already, best.nc of the time before, and no row yet.
for stage in metrics config row best twice; do
  cp -r run "killed-$stage"
  rm killed-$stage/{last.nc,report.html}
  [[ $stage == best || $stage == twice ]] || rm "killed-$stage/best.nc"
  [[ $stage == metrics || $stage == config || $stage == twice ]] && sed -i 2,\$d "killed-$stage/metrics.csv"
  if [[ $stage == metrics ]]; then
    rm "killed-$stage/config.yaml"
  else
    sed -i "s,directory: \"run\",directory: \"killed-$stage\"," "killed-$stage/config.yaml"
  fi
  if [[ $stage != metrics ]]; then
    hold "$work/killed-$stage"
    anew="cuonn train killed-$stage/config.yaml --output killed-$stage"
    expect 3 "^cuonn train: killed-$stage/last.nc: does not exist: .*start it anew: $anew$" \
      "$cuonn" train --resume "killed-$stage"
    expect 2 'already holds config.yaml' "$cuonn" train own.yaml $some --set training.seed=5 --output "killed-$stage"
    same
    cp -r "killed-$stage" "moved-$stage"
    expect 0 '' "$cuonn" train "killed-$stage/config.yaml" --output "killed-$stage"
    expect 0 '' env -C "moved-$stage" "$cuonn" train config.yaml --output .
    check same_values 0 "moved-$stage/last.nc" theta run/last.nc theta
  else
    expect 0 '' "$cuonn" train own.yaml $some --output "killed-$stage"
  fi
  check same_values 0 "killed-$stage/last.nc" theta run/last.nc theta
  check test "$(cut -d, -f1 "killed-$stage/metrics.csv" | paste -sd,)" = epoch,1
done
# A resumed run may read its own config.yaml while that stays as it is.
cp -r killed-row again
sed -i 's,directory: "killed-row",directory: "again",; s,epochs: 1,epochs: 2,' again/config.yaml
expect 0 '' "$cuonn" train again/config.yaml --resume again
sed -i '1i # mine' again/config.yaml
hold "$work/again"
expect 2 'the output again/config.yaml is the same file as the input again/config.yaml' \
  "$cuonn" train again/config.yaml --resume again --set training.epochs=3
same

# ----------------------------------------------------------------------------------------------------------- other data
# The same sizes, but one thing is another: each is named, and nothing is touched.
other() { # NAME: a copy of the data
  rm -rf other
  cp -r data other
  mv "other/$1" part
}
swap() { # FILE HEADER SIZE: the first two items of a file change places
  { head -c "$2" "$1"; tail -c +$(($2 + $3 + 1)) "$1" | head -c "$3"; tail -c +$(($2 + 1)) "$1" | head -c "$3"
  tail -c +$(($2 + 2 * $3 + 1)) "$1"; }
}
mkdir seen
cp -r run sweep seen
rm seen/sweep/runs/000001.nc
refuses() { # REGEX: neither goes on with the folder `other`
  hold "$work/seen"
  expect 3 "^cuonn train: other: is not what the run in seen/run was started with: $1" \
    "$cuonn" train --resume seen/run --set training.epochs=2 --data other
  # nothing to do, but not by this
  expect 3 "^cuonn train: other: is not what" "$cuonn" train --resume seen/run --set data.path=other
  expect 3 "^cuonn sweep: seen/sweep/runs/000000.nc: was trained on other data: $1" "$cuonn" sweep --resume seen/sweep \
    --data other
  same
}
other train-images-idx3-ubyte
swap part 16 784 > other/train-images-idx3-ubyte
refuses 'training images differ: .*or in another order'
other train-labels-idx1-ubyte
swap part 8 1 > other/train-labels-idx1-ubyte
refuses 'training labels differ: .*or in another order'
other t10k-images-idx3-ubyte
swap part 16 784 > other/t10k-images-idx3-ubyte
refuses 'test images differ: .*or in another order'
other t10k-labels-idx1-ubyte
swap part 8 1 > other/t10k-labels-idx1-ubyte
refuses 'test labels differ: .*or in another order'
rm -rf other
slice other 128 64
refuses 'training images differ: there were 256 of 28 x 28, now there are 128 of 28 x 28'
slice other 256 32
refuses 'test images differ: there were 64 of 28 x 28, now there are 32 of 28 x 28'
# The same data elsewhere, and compressed, are the same.
cp -r data same
gzip same/*
expect 0 '' "$cuonn" train --resume seen/run --set training.epochs=2 --data same
expect 0 '' "$cuonn" sweep --resume seen/sweep --data same
# Of an older version, which does not say: the number of steps must fit, and the run says from now on.
cp -r run older
ncdump -p 9,17 run/last.nc | sed '/:data = /,/;$/d' > older.cdl
ncgen -o older/last.nc older.cdl
rm -rf other
slice other 128 64
hold "$work/older"
expect 3 'older/last.nc is of an older version|finished 1 epochs in 4 steps' bash \
  -c '"$0" train --resume older --set training.epochs=2 --data other 2>&1 | tail -1 >&2; exit 3' "$cuonn"
same
expect 0 '^cuonn: older/last.nc is of an older version' "$cuonn" train --resume older --set training.epochs=2
check same_values 0 older/last.nc theta seen/run/last.nc theta
expect 0 '' "$cuonn" train --resume older --set training.epochs=3
cp -r sweep older-sweep
ncdump -p 9,17 sweep/runs/000000.nc | sed '/:data = /,/;$/d' > older.cdl
ncgen -o older-sweep/runs/000000.nc older.cdl
rm older-sweep/runs/000001.nc
expect 0 '' "$cuonn" sweep --resume older-sweep

# A sweep reads the files that its networks are begun with again: they must be the same, too, wherever they lie.
numbers 480 1 0.01 > some-errors
numbers 480 2 0.01 > other-errors
for e in some other; do netcdf $e.nc classic 'layer=2 node=120 side=2' '' coupler_error:layer,node,side:$e-errors; done
for key in network.start_file chip.errors_file; do
  files=(some.nc other.nc) start=
  [[ $key == network.start_file ]] && files=(run/last.nc seen/run/last.nc) start='--set network.start=file'
  expect 0 '' "$cuonn" sweep own.yaml $some $start --set "$key=${files[0]}" --set 'training.seed=[0,1]' \
    --output "begun-$key"
  rm "begun-$key/runs/000001.nc"
  hold "$work/begun-$key"
  expect 3 'was trained on other data: (starting phases|errors of the chip) differ' "$cuonn" sweep \
    --resume "begun-$key" --set "$key=${files[1]}"
  same
  cp "${files[0]}" elsewhere.nc
  expect 0 '' "$cuonn" sweep --resume "begun-$key" --set "$key=elsewhere.nc"
done

# ------------------------------------------------------------------------------------------ a relative path to the data
mkdir away
expect 0 '' "$cuonn" train own.yaml $some --set data.path=data --output relative
expect 0 '' "$cuonn" sweep own.yaml $some --set data.path=data --set 'training.seed=[0,1]' --output relative-sweep
rm relative-sweep/runs/000001.nc
says='data: there is no such folder here; data.path in .* is relative to where the run was started: give the folder '
says+=with
cd away || exit 1
expect 3 "$says --data DIR" "$cuonn" eval ../relative/best.nc
expect 3 "$says --data DIR" "$cuonn" report ../relative
expect 3 "$says --data DIR" "$cuonn" train --resume ../relative --set training.epochs=2
expect 3 "$says --data DIR" "$cuonn" sweep --resume ../relative-sweep
expect 3 "$says --data DIR" "$cuonn" plot examples ../relative/best.nc --output e.svg
expect 3 "$says --set data.path=DIR" "$cuonn" gradient ../relative/best.nc --images 2 --output g.nc
expect 3 "$says --set data.path=DIR" "$cuonn" energy --network ../relative/best.nc
expect 0 '' "$cuonn" eval ../relative/best.nc --data ../data
expect 0 '' "$cuonn" report ../relative --data ../data
expect 0 '' "$cuonn" train --resume ../relative --set training.epochs=2 --data ../data
expect 0 '' "$cuonn" sweep --resume ../relative-sweep --data ../data
expect 0 '' "$cuonn" train ../own.yaml $some --data ../data --output new
cd .. || exit 1
mv data gone
expect 3 "$work/data: there is no such folder, which data.path in run/best.nc names; give it with --data DIR" \
  "$cuonn" eval run/best.nc
mv gone data

# ---------------------------------------------------------------------------- what a killed program leaves half written
leftover=.cuonn-0123456789abcdef.tmp
names=(.cuonn-0123456789abcdeg.tmp .cuonn-0123.tmp .cuonn-0123456789abcdef.tmp.nc)
litter() { for d in "$@"; do (cd "$d" && touch $leftover "${names[@]}"); done; }
clean() {
  for d in "$@"; do check_not test -e "$d/$leftover"; for n in "${names[@]}"; do check test -e "$d/$n"; done; done
}
mkdir littered
litter littered run sweep sweep/runs sweep/networks
expect 0 '' "$cuonn" train own.yaml $some --output littered
expect 0 '' "$cuonn" train --resume run --set training.epochs=2
rm sweep/runs/000001.nc
expect 0 '' "$cuonn" sweep --resume sweep
clean littered run sweep sweep/runs sweep/networks
# Not those of a write that is under way, which holds its file, and not in a directory that is refused or held.
litter run keep/lost
exec 5> "run/.cuonn-aaaaaaaaaaaaaaaa.tmp"
flock 5
expect 0 '' "$cuonn" train --resume run --set training.epochs=3
check test -e run/.cuonn-aaaaaaaaaaaaaaaa.tmp
check_not test -e run/$leftover
exec 5>&-
expect 2 'keep/lost: already holds' "$cuonn" train own.yaml $some --output keep/lost
check test -e keep/lost/$leftover
litter run
exec 6< run
flock 6
expect 2 'run: another run is writing there' "$cuonn" train --resume run --set training.epochs=4
exec 6<&-
check test -e run/$leftover
finish
