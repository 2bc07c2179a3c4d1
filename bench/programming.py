#!/usr/bin/env python3
"""Matrix errors of programmed chips: Haar-random targets, normal coupler errors, every method of `cuonn program`.

  bench/programming.py table [--targets 300]     mean, root mean square, standard error of the mean of each case
  bench/programming.py curve [--targets 40]      corrected against uncorrected errors over sigma and N, as text
  bench/programming.py light [--targets 100]     what self-configuration drops of random light, over turns
  bench/programming.py readings                  power at the output over readings, of one chip for each sigma, as text

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


def layer(bench, architecture, n, sigma, seed):
    """A chip that configures itself and light for it.  Returns what its couplers cannot join of that light."""
    rng = np.random.default_rng([seed, n, round(1e6 * sigma), architecture == "tree"])
    x = np.random.default_rng([seed, n]).standard_normal((1, n, 2))
    if architecture == "tree":
        pairs = [(2 * s * j, 2 * s * j + s) for s in (2 ** c for c in range(n.bit_length())) for j in range(n)
                 if 2 * s * j + s < n]
        kept, on = [p[0] for p in pairs], range(len(pairs))
    else:
        pairs = [(t, t + 1) for c in range(2 * n - 3) for t in range(c % 2, min(c, 2 * n - 4 - c) + 1, 2)]
        columns = [c for c in range(2 * n - 3) for t in range(c % 2, min(c, 2 * n - 4 - c) + 1, 2)]
        on = [k for k, (c, p) in enumerate(zip(columns, pairs)) if c == p[0]]
        kept = [p[1] for p in pairs]
    error = sigma * rng.standard_normal((len(pairs), 2))
    write(bench.path("chip.nc"), [("architecture", architecture)], theta=(("node",), np.zeros(len(pairs))),
          phi=(("node",), np.zeros(len(pairs))), gamma=(("waveguide",), np.zeros(n)),
          coupler_error=(("node", "side"), error))
    write(bench.path("light.nc"), input=(("example", "waveguide", "complex"), x))
    power, least = (x[0] ** 2).sum(-1) / (x ** 2).sum(), 0.
    for k in on:
        a, b = error[k]
        top, bottom = pairs[k]
        total = power[top] + power[bottom]
        wanted = np.arcsin(np.sqrt(power[kept[k]] / total))
        lost = np.sin(np.clip(wanted, abs(a + b), np.pi / 2 - abs(a - b)) - wanted) ** 2
        power[[top, bottom]] = 0
        power[kept[k]], least = (1 - lost) * total, least + lost * total
    return least


def configure(bench, turns):
    return json.loads(subprocess.run(
        [bench.cuonn, "self-configure", bench.path("chip.nc"), "--light", bench.path("light.nc"), "--output",
         bench.path("phases.nc"), "--turns", str(turns), "--json"], check=True, stdout=subprocess.PIPE).stdout)


def light(bench, args):
    turns = [1, 2, 3, 10, 100]
    print(f"{'shape':>10} {'N':>3} {'sigma':>5} chips " + " ".join(f"{t:>5} turns" for t in turns) + "  couplers allow")
    for architecture in ["tree", "triangular"]:
        for n in args.modes:
            for sigma in args.sigma:
                least, dropped = [], {t: [] for t in turns}
                for seed in range(args.targets):
                    least.append(layer(bench, architecture, n, sigma, seed))
                    for t in turns:
                        dropped[t].append(configure(bench, t)["dropped"])
                print(f"{architecture:>10} {n:3} {sigma:5} {args.targets:5} " +
                      " ".join(f"{np.mean(dropped[t]):11.2e}" for t in turns) + f"  {np.mean(least):.2e}", flush=True)


def readings(bench, args):
    for architecture in ["tree", "triangular"]:
        for sigma in args.sigma:
            layer(bench, architecture, args.modes[0], sigma, 0)
            print(f"# {architecture}, sigma = {sigma:g}")
            for i, power in enumerate(configure(bench, 3)["powers"]):
                print(6 * i, power)
            print("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["table", "curve", "light", "readings"])
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
    usual = {"table": (300, [8, 16, 64], [.05, .02]), "light": (100, [8, 64], [.05, .02]),
             "curve": (40, [4, 8, 16, 32, 64], [.005, .01, .02, .03, .05, .07, .1]), "readings": (1, [16], [0, .1])}
    args.targets, args.modes, args.sigma = (
        given or default for given, default in zip((args.targets, args.modes, args.sigma), usual[args.what]))
    with tempfile.TemporaryDirectory() as folder:
        {"table": table, "curve": curve, "light": light, "readings": readings}[args.what](Bench(args.cuonn, folder, args.node, args.equal), args)


if __name__ == "__main__":
    main()
