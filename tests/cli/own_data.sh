# The lines of docs/own-data.md, as they stand there: what they make is what they are said to make, and trains.
source "$(dirname "$0")/harness.sh"
root=$(realpath "$(dirname "$0")/../..")
cd "$work" || exit 1
python=
for candidate in python3 /usr/bin/python3; do
  "$candidate" -c 'import numpy, scipy, xarray, netCDF4, sklearn' 2> /dev/null && python=$candidate && break
done
if [[ ! $python ]]; then
  echo 'needs numpy, scipy, xarray, netCDF4 and scikit-learn for Python: scripts/install-packages.sh tests'
  exit 77
fi

# block LANGUAGE NUMBER: a block of the page, counted from 1.
block() {
  awk -v opening="\`\`\`$1" -v wanted="$2" '
    $0 == opening { n++; on = n == wanted; next }
    /^```/ { on = 0 }
    on' "$root/docs/own-data.md"
}

# run NUMBER: a block of Python.
run() {
  block python "$1" > lines.py
  check test -s lines.py
  expect 0 '' "$python" lines.py
}

# What the lines are given: 60 examples of 5 values that tell 3 classes apart, with a fixed seed.
"$python" - << 'END' || exit 1
import numpy as np, scipy.io
r = np.random.default_rng(1)
y = r.integers(0, 3, 60)
x = np.eye(3, 5)[y] * 2 + r.normal(size=(60, 5)) * 0.1
z = x * np.exp(1j * r.uniform(0, 6, (60, 1)))
np.save("x.npy", x), np.save("y.npy", y), np.save("z.npy", z)
np.savez("own.npz", x=x, y=y)
scipy.io.savemat("own.mat", {"x": x, "y": y + 1})
np.savetxt("own.csv", np.column_stack([x, y]), delimiter=",", header="a,b,c,d,e,class", comments="", fmt="%.17g")
for name, a in (("x", x), ("z", np.stack([z.real, z.imag], -1)), ("y", y), ("scaled", (x - x.mean(0)) / x.std(0))):
    np.savetxt(name + ".txt", a.ravel(), fmt="%.17g")
END

config() {
  cat << END
data: {kind: fields, train: own.nc, test_share: 0.25, pad: true, reference: true}
network: {modes: 7, layers: 2, classes: 3}
training: {epochs: 1, batch_size: 15}
backend: {name: reference}
END
}
config > config.yaml

# trains WANTED: the file own.nc holds the wanted numbers and labels, and trains.
trains() {
  values own.nc input > got
  check close_to 1e-14 got "$1"
  values own.nc label > got
  check close_to 0 got y.txt
  rm -rf trained
  expect 0 '' "$cuonn" train config.yaml --output trained
  output '^training 2 layers of N = 7 for 3 classes on 45 fields \(15 to test\) in own.nc'
  rm own.nc
}

run 1; trains x.txt   # NumPy
run 2; trains z.txt   # complex
run 3; trains scaled.txt # CSV
run 5; trains x.txt   # .npz
run 6; trains x.txt   # .mat
check_not grep -q . <(block python 7)

# scikit-learn's digits, with the configuration that goes with them; five epochs are enough to see that it learns.
run 4
expect 0 '' "$cuonn" train "$root/configs/digits.yaml" --set training.epochs=5 --output digits
output 'on 1438 fields \(359 to test\) in digits.nc'
check awk -F, 'END { exit !($4 > 0.9) }' digits/metrics.csv

# The configurations on the page name only keys that there are, and fit: what misses is the data.
for n in 1 2 3; do
  block yaml "$n" > page.yaml
  check test -s page.yaml
  expect 3 '^cuonn train: (own.nc|nowhere): ' "$cuonn" train page.yaml --output page --set data.path=nowhere
done
check_not grep -q . <(block yaml 4)
finish
