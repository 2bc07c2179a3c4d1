"""Writes trajectory_exact.nc: the first epoch of trajectory.nc once more, by plain NumPy in double, with exact couplers.

trajectory.nc was made with couplers in single precision: the product of two of their coefficients is 0.49999997 in every
node instead of 1/2, so that light loses a factor 1 - 6e-8 a node and 1.1e-5 on its way through three meshes.  That moves
the losses by up to 2e-5 of their size.  Given the same couplers, this program agrees with trajectory.nc to rounding (it
checks that, and prints by how much); it then repeats the epoch with couplers of exactly 1/sqrt(2).

    python3 tests/golden/make_trajectory.py [folder of Fashion-MNIST]      needs numpy and netCDF4; takes some minutes
"""
import gzip
import pathlib
import sys

import netCDF4
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist")
N, LAYERS, CLASSES, BATCH, STEPS, SNAPSHOTS = 64, 3, 10, 512, 117, (1, 10, 117)
EXACT, SINGLE = np.sqrt(0.5), np.sqrt(float(np.float32(0.49999997)))


def read_idx(name, header):
    return np.frombuffer(gzip.open(FOLDER / name).read(), np.uint8, offset=header)


def features(images):
    """Central 8 x 8 of the shifted spectrum, divided by its mean modulus; [waveguide][example]."""
    f = np.fft.fftshift(np.fft.fft2(images.astype(float)), axes=(1, 2))[:, 10:18, 10:18].reshape(len(images), N).T
    return f / np.abs(f).mean(0)


def columns(phase):
    """[node] -> the phases of each column's nodes, with an axis for examples."""
    sizes = [(N - c % 2) // 2 for c in range(N)]
    return [p[:, None] for p in np.split(phase, np.cumsum(sizes)[:-1])]


def arms(v, c):
    last = N - N % 2 if c % 2 == 0 else N - 1
    return v[c % 2:last:2], v[c % 2 + 1:last:2]


def couple(top, bottom, k):
    top[:], bottom[:] = k * (top + 1j * bottom), k * (1j * top + bottom)


def forward(x, mesh, k):
    """Fields behind the mesh, and those before every phi and theta stage."""
    v, taps = x.astype(complex), []
    for c, (theta, phi) in enumerate(zip(columns(mesh[0]), columns(mesh[1]))):
        top, bottom = arms(v, c)
        before_phi = top.copy()
        top *= np.exp(1j * phi)
        couple(top, bottom, k)
        taps.append((before_phi, top.copy()))
        top *= np.exp(1j * theta)
        couple(top, bottom, k)
    return v * np.exp(1j * mesh[2])[:, None], taps


def backward(g, mesh, taps, k):
    """Gradient of (theta, phi) and the cotangent of the mesh's input, for g = dL/dRe - i dL/dIm of its output."""
    v, d_theta, d_phi = g * np.exp(1j * mesh[2])[:, None], [], []
    for c, (theta, phi) in reversed(list(enumerate(zip(columns(mesh[0]), columns(mesh[1]))))):
        top, bottom = arms(v, c)
        couple(top, bottom, k)
        top *= np.exp(1j * theta)
        d_theta.append(-np.imag(taps[c][1] * top).sum(1))
        couple(top, bottom, k)
        top *= np.exp(1j * phi)
        d_phi.append(-np.imag(taps[c][0] * top).sum(1))
    return np.concatenate(d_theta[::-1]), np.concatenate(d_phi[::-1]), v


def loss_and_gradient(meshes, x, labels, k):
    seen, h = [], x
    for mesh in meshes:
        y, taps = forward(h, mesh, k)
        seen.append((y, taps))
        h = np.abs(y)
    onehot = np.eye(CLASSES)[labels].T
    z = h[:CLASSES] ** 2
    z = z - z.max(0)
    log_p = z - np.log(np.exp(z).sum(0))
    d_h = np.zeros_like(h)
    d_h[:CLASSES] = 2 * h[:CLASSES] * (np.exp(log_p) - onehot) / (BATCH * CLASSES)
    gradient = []
    for mesh, (y, taps) in zip(meshes[::-1], seen[::-1]):
        modulus = np.abs(y)
        unit = np.where(modulus > 0, y.conj() / np.where(modulus > 0, modulus, 1), 0)
        d_theta, d_phi, g = backward(d_h * unit, mesh, taps, k)
        gradient.append((d_theta, d_phi))
        d_h = g.real
    return -(log_p * onehot).sum() / (BATCH * CLASSES), gradient[::-1]


def train(start, images, labels, k):
    """The losses, and (theta, phi) as [snapshot][layer][node]."""
    meshes = [[p.copy() for p in mesh] for mesh in start]
    m, v = np.zeros((2, LAYERS, 2, len(meshes[0][0])))
    losses, snapshots = [], []
    for step in range(STEPS):
        batch = slice(step * BATCH, (step + 1) * BATCH)
        loss, gradient = loss_and_gradient(meshes, features(images[batch]), labels[batch], k)
        losses.append(loss)
        g = np.array(gradient)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        change = 1e-3 * (m / (1 - 0.9 ** (step + 1))) / (np.sqrt(v / (1 - 0.999 ** (step + 1))) + 1e-8)
        for mesh, d in zip(meshes, change):
            mesh[0], mesh[1] = mesh[0] - d[0], mesh[1] - d[1]
        if step + 1 in SNAPSHOTS:
            snapshots.append([[mesh[0], mesh[1]] for mesh in meshes])
    return np.array(losses), np.array(snapshots).transpose(2, 0, 1, 3)


def main():
    images = read_idx("train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = read_idx("train-labels-idx1-ubyte.gz", 8)
    with netCDF4.Dataset(HERE / "trajectory.nc") as ds:
        theta, phi, gamma, golden = (np.asarray(ds[name][:]) for name in ("theta", "phi", "gamma", "train_loss"))
    start = [[theta[0, l], phi[0, l], gamma[0, l]] for l in range(LAYERS)]

    losses, phases = train(start, images, labels, SINGLE)
    apart, turned = np.abs(losses / golden[:STEPS] - 1).max(), np.abs(phases - np.stack([theta[1:], phi[1:]])).max((0, 2, 3))
    print("couplers in single precision: losses differ by", apart, "phases by", turned, "rad")
    if apart > 1e-12 or turned.max() > 1e-12:
        sys.exit("this program is not the one that made trajectory.nc; nothing is written")
    losses, phases = train(start, images, labels, EXACT)
    print("exact couplers:               losses differ by", np.abs(losses / golden[:STEPS] - 1).max(),
          "phases by", np.abs(phases - np.stack([theta[1:], phi[1:]])).max((0, 2, 3)), "rad")

    with netCDF4.Dataset(HERE / "trajectory_exact.nc", "w") as ds:
        ds.description = "First epoch of trajectory.nc with couplers of exactly 1/sqrt(2); made by make_trajectory.py"
        for name, size in (("snapshot", 3), ("layer", LAYERS), ("node", len(theta[0, 0])), ("step", STEPS)):
            ds.createDimension(name, size)
        ds.createVariable("snapshot_step", "i4", ("snapshot",))[:] = SNAPSHOTS
        ds.createVariable("train_loss", "f8", ("step",))[:] = losses
        for name, values in zip(("theta", "phi"), phases):
            ds.createVariable(name, "f8", ("snapshot", "layer", "node"), zlib=True)[:] = values


if __name__ == "__main__":
    main()
