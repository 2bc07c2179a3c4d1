"""Makes the problem that all peers solve, with the losses that they must find.

    problem.py --cuonn PROGRAM OUT.npz

Noise for fields and phases; the losses are those of `cuonn gradient --backend reference` (double), step after step, between
which this program does Adam in double: so nothing of a peer is in them. OUT.npz is plain NumPy, for machines without cuONN
or netCDF.
    theta, phi   [layer][node] float64, the starting phases
    input        [batch][example][N] complex64;  label  [batch][example] uint8
    loss         [step] float64, each taken before its update; step k takes batch k modulo the number of batches
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from scipy.io import netcdf_file

N, LAYERS, CLASSES, BATCH, BATCHES, STEPS = 64, 3, 10, 512, 4, 12
RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def write(path, **variables):
    with netcdf_file(path, "w") as file:
        for name, (dimensions, values) in variables.items():
            for dimension, size in zip(dimensions, values.shape):
                if dimension not in file.dimensions:
                    file.createDimension(dimension, size)
            file.createVariable(name, values.dtype, dimensions)[:] = values


def read(path, *names):
    with netcdf_file(path, "r", mmap=False) as file:
        return [np.array(file.variables[name][:], dtype=np.float64) for name in names]


def gradient(program, folder, theta, phi, x, label):
    """Loss, and its derivatives by theta and phi, as cuONN's reference backend finds them."""
    write(folder / "mesh.nc", theta=(("layer", "node"), theta), phi=(("layer", "node"), phi))
    parts = np.stack([x.real, x.imag], -1).astype(np.float64)
    write(folder / "batch.nc", input=(("example", "waveguide", "complex"), parts), label=(("example",), label.astype(np.int32)))
    command = [program, "gradient", folder / "mesh.nc", "--input", folder / "batch.nc", "--output", folder / "gradient.nc"]
    answer = subprocess.run(command + ["--backend", "reference", "--json"], check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)["loss"], np.stack(read(folder / "gradient.nc", "d_theta", "d_phi"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuonn", required=True, type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    program = args.cuonn.resolve()
    random = np.random.default_rng(1)
    phases = random.uniform(0, 2 * np.pi, (2, LAYERS, N * (N - 1) // 2))
    x = random.normal(size=(BATCHES, BATCH, N)) + 1j * random.normal(size=(BATCHES, BATCH, N))
    x = (x / np.abs(x).mean(-1, keepdims=True)).astype(np.complex64)
    label = random.integers(0, CLASSES, (BATCHES, BATCH)).astype(np.uint8)

    now, m, v, losses = phases.copy(), 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        for step in range(STEPS):
            k = step % BATCHES
            loss, g = gradient(program, pathlib.Path(folder), now[0], now[1], x[k], label[k])
            losses.append(loss)
            m, v = BETA1 * m + (1 - BETA1) * g, BETA2 * v + (1 - BETA2) * g * g
            now -= RATE * (m / (1 - BETA1 ** (step + 1))) / (np.sqrt(v / (1 - BETA2 ** (step + 1))) + EPSILON)
    np.savez(args.out, theta=phases[0], phi=phases[1], input=x, label=label, loss=losses)
    print(f"{args.out}: {STEPS} losses from {losses[0]:.6f} to {losses[-1]:.6f}")


if __name__ == "__main__":
    main()
