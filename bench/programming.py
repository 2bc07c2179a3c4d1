#!/usr/bin/env python3
"""Matrix errors of programmed chips: Haar-random targets, normal coupler errors, every method of `cuonn program`.

  bench/programming.py table [--targets 300]     mean, root mean square, standard error of the mean of each case
  bench/programming.py curve [--targets 40]      corrected against uncorrected errors over sigma and N, as text

The draws, and the errors of phases that come back, are NumPy's: the matrix of every fiftieth chip is computed once more
here, node by node, and compared with what the command printed. Needs NumPy and SciPy.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from scipy.io import netcdf_file

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def haar(n, rng):
    q, r = np.linalg.qr(rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n)))
    return q * (np.diag(r) / abs(np.diag(r)))


def write(path, attributes=(), **variables):
    with netcdf_file(path, "w") as file:
        for name, (dimensions, values) in variables.items():
            for dimension, size in zip(dimensions, np.shape(values)):
                if dimension not in file.dimensions:
                    file.createDimension(dimension, size)
            file.createVariable(name, "d", dimensions)[:] = values
        for name, value in attributes:
            setattr(file, name, value)


def matrix(path, n):
    """The matrix of a mesh file in style top, as the product of its nodes."""
    with netcdf_file(path, mmap=False) as file:
        theta, phi, gamma, error = (file.variables[v][:].copy() for v in ("theta", "phi", "gamma", "coupler_error"))
        crossing = getattr(file, "node", b"mzi") == b"mzix"
    u, node = np.eye(n, dtype=complex), 0
    for column in range(n):
        for top in range(column % 2, n - 1, 2):
            left, right, *third = (np.array([[np.cos(a), 1j * np.sin(a)], [1j * np.sin(a), np.cos(a)]])
                                   for a in np.pi / 4 + error[node])
            shift = [np.diag([np.exp(1j * p), 1]) for p in (theta[node], phi[node])]
            whole = right @ shift[0] @ left @ shift[1] @ (third[0] if third else np.eye(2))
            u[top:top + 2] = (whole[::-1] if crossing else whole) @ u[top:top + 2]
            node += 1
    return np.exp(1j * gamma)[:, None] * u


class Bench:
    def __init__(self, cuonn, folder, node, equal):
        self.cuonn, self.folder, self.node, self.equal, self.checked = cuonn, folder, node, equal, 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def chip(self, n, sigma, seed):
        """A target and a chip: the same for every method."""
        rng = np.random.default_rng([seed, n, round(1e6 * sigma)])
        self.target, nodes = haar(n, rng), n * (n - 1) // 2
        write(self.path("target.nc"), unitary=(("row", "column", "complex"),
                                               np.stack([self.target.real, self.target.imag], -1)))
        zeros, couplers = np.zeros(nodes), 3 if self.node == "mzi3" else 2
        error = sigma * rng.standard_normal((nodes, couplers))
        if self.equal:
            error[:] = error[:, :1]
        write(self.path("chip.nc"), [("node", self.node)], theta=(("node",), zeros), phi=(("node",), zeros),
              coupler_error=(("node", "side"), error))

    def program(self, method, check, *options):
        out = self.path("phases.nc")
        result = json.loads(subprocess.run(
            [self.cuonn, "program", self.path("target.nc"), "--chip", self.path("chip.nc"), "--method", method,
             "--output", out, "--json", *options], check=True, stdout=subprocess.PIPE).stdout)
        if check:
            n = len(self.target)
            own = np.linalg.norm(matrix(out, n) - self.target) / np.sqrt(n)
            if abs(own - result["error_after"]) > (1e-11 if "cpu" not in options else 1e-5):
                sys.exit(f"N {n}, {method}: the command printed {result['error_after']}, NumPy finds {own}")
            self.checked += 1
        return result


def statistics(errors):
    e = np.array(errors)
    return e.mean(), np.sqrt((e ** 2).mean()), e.std(ddof=1) / np.sqrt(len(e)), np.median(e)


def table(bench, args):
    print(f"{'N':>3} {'sigma':>5} {'method':>9} {'targets':>7} {'mean':>8} {'rms':>8} {'std error':>9} {'median':>8} "
          f"{'exact':>5}  theory", flush=True)
    for n in args.modes:
        for sigma in args.sigma:
            errors = {m: [] for m in ["decompose", *args.methods]}
            for seed in range(args.targets):
                bench.chip(n, sigma, seed)
                for method in errors:
                    if method == "gradient" and seed >= args.gradient_targets:
                        continue
                    options = []
                    if method == "nulling":
                        options = ["--tap-shot", str(args.tap_shot), "--seed", str(seed)]
                    if method == "gradient" and n > 16:  # a thousand steps; float is enough for errors of 1e-3
                        options = ["--backend", "cpu", "--threads", "1"]
                    result = bench.program(method, seed % 50 == 0, *options)
                    errors[method].append(result["error_after"])
            e0 = np.sqrt(2 * n) * sigma
            for method, e in errors.items():
                mean, rms, error, median = statistics(e)
                theory = f"{np.sqrt(2 - 2 * np.exp(-(n - 1) * sigma ** 2)):.4f}" if method == "decompose" else f"{e0 ** 2 / np.sqrt(6):.4f}"
                print(f"{n:3} {sigma:5} {method:>9} {len(e):7} {mean:8.5f} {rms:8.5f} {error:9.5f} {median:8.5f} "
                      f"{sum(x < 1e-10 for x in e):5}  {theory}", flush=True)
    print(f"{bench.checked} errors computed by NumPy, too", file=sys.stderr)


def curve(bench, args):
    for n in args.modes:
        print(f'"N = {n}"')
        for sigma in args.sigma:
            before, after = [], []
            for seed in range(args.targets):
                bench.chip(n, sigma, seed)
                result = bench.program("local", seed == 0)
                before.append(result["error_before"])
                after.append(result["error_after"])
            print(sigma, *statistics(before)[:3], *statistics(after)[:3], flush=True)
        print("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["table", "curve"])
    parser.add_argument("--cuonn", default=os.path.join(ROOT, "build/release/src/cli/cuonn"))
    parser.add_argument("--targets", type=int)
    parser.add_argument("--gradient-targets", type=int, default=10 ** 9, help="fewer of them for the gradient")
    parser.add_argument("--modes", type=int, nargs="+")
    parser.add_argument("--sigma", type=float, nargs="+")
    parser.add_argument("--methods", nargs="+", default=["local", "nulling", "gradient"])
    parser.add_argument("--node", choices=["mzi", "mzi3", "mzix"], default="mzi", help="what a node is made of")
    parser.add_argument("--equal", action="store_true", help="all couplers of a node have one error")
    parser.add_argument("--tap-shot", type=float, default=0)
    args = parser.parse_args()
    whole = args.what == "table"
    args.targets = args.targets or (300 if whole else 40)
    args.modes = args.modes or ([8, 16, 64] if whole else [4, 8, 16, 32, 64])
    args.sigma = args.sigma or ([.05, .02] if whole else [.005, .01, .02, .03, .05, .07, .1])
    with tempfile.TemporaryDirectory() as folder:
        {"table": table, "curve": curve}[args.what](Bench(args.cuonn, folder, args.node, args.equal), args)


if __name__ == "__main__":
    main()
