# Bad image and label files: one line that names the file, exit code 3, nothing written.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
mkdir keep
slice good 64 32
small_config "$work/good" > config.yaml
expect 0 '' "$cuonn" train config.yaml --output keep/run --set training.epochs=1
kept=$work/keep

names=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)
images=${names[0]}
labels=${names[1]}

fresh() { rm -rf bad; cp -r good bad; }
# refused REGEX: training on the folder `bad`.
refused() {
  expect 3 "^cuonn train: .*$1" "$cuonn" train config.yaml --set data.path=bad --output keep/new
  check_not test -e keep/new
}

rm -rf bad
refused 'bad'
for name in "${names[@]}"; do
  fresh; rm bad/$name; refused "bad: has no $name"
  fresh; : > bad/$name; refused "bad/$name.*empty"
  fresh; head -c -1 good/$name > bad/$name; refused "bad/$name.*"
  fresh; head -c 6 good/$name > bad/$name; refused "bad/$name"
  fresh; printf 'x' >> bad/$name; refused "bad/$name"
  fresh; echo 'These are no images.' > bad/$name; refused "bad/$name"
  fresh; rm bad/$name; mkdir bad/$name; refused "bad/$name"
done
fresh; rm bad/t10k-labels-idx1-ubyte
expect 3 '^cuonn eval: bad: has no t10k-labels-idx1-ubyte' "$cuonn" eval keep/run/last.nc --data bad

# Headers: floats, two dimensions, four dimensions, sizes that no memory holds, none at all.
edit() { fresh; { cat; tail -c +$(($2 + 1)) "good/$1"; } > "bad/$1"; }
printf '\0\0\15\3' | edit $images 4; refused "bad/$images"
printf '\0\0\10\2' | edit $images 4; refused "bad/$images"
printf '\0\0\10\4' | edit $images 4; refused "bad/$images"
printf '\0\0\10\3' | edit $labels 4; refused "bad/$labels"
printf '\0\0\10\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' | edit $images 16; refused "bad/$images"
printf '\0\0\10\3\x7f\xff\xff\xff' | edit $images 8; refused "bad/$images"
printf '\0\0\10\3\0\0\0\0' | edit $images 8; refused "bad/$images"
printf '\0\0\10\1\xff\xff\xff\xff' | edit $labels 8; refused "bad/$labels"
fresh; cp good/$labels bad/$images; refused "bad/$images"
fresh; cp good/$images bad/$labels; refused "bad/$labels"

# Counts and sizes that do not fit each other.
fresh; labels_of 63 $real/train-labels-idx1-ubyte.gz > bad/$labels; refused '63.*64|64.*63'
fresh; images_of 63 $real/train-images-idx3-ubyte.gz > bad/$images; refused '63.*64|64.*63'
fresh
{ printf '\0\0\10\3'; be32 32; be32 14; be32 56; tail -c +17 good/t10k-images-idx3-ubyte; } > bad/t10k-images-idx3-ubyte
refused '14.*56|56.*14'

# gzip: whole, cut, damaged, with a wrong size or checksum at its end, and one that never seems to end.
fresh; gzip -f bad/*
expect 0 '' "$cuonn" train config.yaml --set data.path=bad --output packed --set training.epochs=1
check same_values 0 packed/last.nc theta keep/run/last.nc theta
damaged() { fresh; rm bad/$images; cat > bad/$images.gz; refused "bad/$images.gz"; }
gzip -c good/$images > whole.gz
damaged < <(head -c 20000 whole.gz)
damaged < <(head -c -8 whole.gz)
damaged < <(head -c -1 whole.gz)
damaged < <(head -c -4 whole.gz; be32 5)
damaged < <(head -c -8 whole.gz; be32 5; tail -c 4 whole.gz)
damaged < <(head -c 9000 whole.gz; printf '\x55\x55\x55\x55'; tail -c +9005 whole.gz)
damaged < <(cat good/$images <(head -c 200000000 /dev/zero) | gzip -1)
damaged < <(head -c 3 whole.gz)

# A label that no output stands for.
fresh; { head -c 20 good/$labels; printf '\12'; tail -c +22 good/$labels; } > bad/$labels
refused "bad/$labels.*10"
fresh; { head -c 20 good/t10k-labels-idx1-ubyte; printf '\377'; tail -c +22 good/t10k-labels-idx1-ubyte
} > bad/t10k-labels-idx1-ubyte
refused 'bad/t10k-labels-idx1-ubyte.*255'
expect 3 '^cuonn eval: .*bad/t10k-labels-idx1-ubyte.*255' "$cuonn" eval keep/run/last.nc --data bad

# Black images have features 0: no NaN, and every output the same.
fresh; { head -c 16 good/$images; head -c $((64 * 784)) /dev/zero; } > bad/$images
expect 0 '' "$cuonn" train config.yaml --set data.path=bad --output black
cut -d, -f2 black/metrics.csv | tail -n +2 > got
printf '0.23025850929940458\n0.23025850929940458\n' > want # ln(10) / 10
check close_to 1e-14 got want
finish
