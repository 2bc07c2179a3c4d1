# The lines of docs/chip.md that make a chip file from measurements: what they make is what was measured, and is used.
source "$(dirname "$0")/harness.sh"
root=$(realpath "$(dirname "$0")/../..")
cd "$work" || exit 1
python=
for candidate in python3 /usr/bin/python3; do
  "$candidate" -c 'import numpy, xarray, netCDF4' 2> /dev/null && python=$candidate && break
done
if [[ ! $python ]]; then
  echo 'needs numpy, xarray and netCDF4 for Python: scripts/install-packages.sh tests'
  exit 77
fi

# A chip that is known, and what measurements of it say.
"$python" - << 'END' || exit 1
import numpy as np
r = np.random.default_rng(2)
nodes, n, volts = 28, 8, np.linspace(0, 6, 13)
error = r.normal(0, 0.03, (nodes, 2))
curves = {p: (r.normal(0, 0.3, k), r.normal(0.3, 0.01, k)) for p, k in (("theta", nodes), ("phi", nodes), ("gamma", n))}
heat = np.eye(2 * nodes) + np.where(r.uniform(size=(2 * nodes, 2 * nodes)) < 0.1, 0.02, 0)
np.savez("measured.npz", splitting=np.sin(np.pi / 4 + error) ** 2, loss_db=r.uniform(0, 0.2, (nodes, 2)), volts=volts,
         heat=heat, **{p: a[:, None] + b[:, None] * volts ** 2 for p, (a, b) in curves.items()})
np.savetxt("error", error.ravel(), fmt="%.17g")
np.savetxt("heat", np.count_nonzero(heat - np.eye(2 * nodes), keepdims=True).ravel(), fmt="%d")
for p, (a, b) in curves.items():
    np.savetxt(p + "_offset", a, fmt="%.17g"), np.savetxt(p + "_slope", b, fmt="%.17g")
END
awk '$0 == "```python" { on = 1; next } /^```/ { on = 0 } on' "$root/docs/chip.md" > lines.py
check test -s lines.py
expect 0 '' "$python" lines.py
expect 0 '' "$cuonn" chip show measured.nc --json
check test "$(jq '.modes, .layers, .crosstalk, .driver_bits, .shifters_short_of_a_period' out | paste -sd' ')" = \
  "8 1 $(cat heat) 12 0"
values measured.nc coupler_error > got
check close_to 1e-13 got error # arcsin of a square root of a square
for v in {theta,phi,gamma}_{offset,slope}; do
  values measured.nc "$v" > got
  check close_to 1e-12 got "$v" # a fit of 13 voltages
done
numbers 28 1 3 > phases
netcdf mesh.nc classic 'node=28' '' theta:node:phases phi:node:phases
expect 0 '' "$cuonn" matrix mesh.nc --output target.nc
expect 0 '' "$cuonn" program target.nc --chip measured.nc --output programmed.nc --json
check awk -v before="$(jq .error_before out)" -v after="$(jq .error_after out)" 'BEGIN { exit !(after < before) }'
finish
