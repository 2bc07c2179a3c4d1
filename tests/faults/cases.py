"""The commands that are tried, each in a folder of its own with small inputs, made once by the program itself."""

import gzip
import os
import random
import struct
import subprocess

CONFIG = """\
data:
  path: data
  radius: 2
network:
  modes: 16
  layers: 2
training:
  epochs: 2
  batch_size: 16
backend:
  name: reference
"""
FIELDS = """\
data: {kind: fields, train: batch.nc, test: batch.nc}
network: {modes: 16, layers: 1}
training: {epochs: 1, batch_size: 3}
backend: {name: reference}
"""
GRID = CONFIG.replace("training:\n", "training:\n  seed: [3, 4]\n")
SWEEP_PART = ["sweep", "grid.yaml", "--output", "new", "--part"]
FAKE_GNUPLOT = """\
#!/bin/sh
echo '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>'
"""


class Case:
    """`command` runs in a folder that holds `files` (path: bytes) and may change `outputs` (paths, folders with /)."""

    def __init__(self, name, command, files, outputs, gnuplot=True):
        self.name, self.command, self.files, self.outputs, self.gnuplot = name, command, files, outputs, gnuplot


def images(n, seed):
    """Both IDX files of n images: one shape for each class, moved and dimmed by chance."""
    chance = random.Random(seed)
    pixels, labels = bytearray(), bytearray()
    for _ in range(n):
        label, at, light = chance.randrange(10), chance.randrange(6), chance.randrange(100, 256)
        image = bytearray(28 * 28)
        for row in range(label + 2, label + 12):
            for column in range(at + 4, at + 8 + label):
                image[28 * row + column] = light
        pixels += image
        labels.append(label)
    return struct.pack(">4I", 0x803, n, 28, 28) + pixels, struct.pack(">2I", 0x801, n) + labels


def read_tree(folder):
    """Contents of all files below a folder, None of folders, by path."""
    out = {}
    for parent, folders, names in os.walk(folder):
        for name in folders:
            out[os.path.relpath(os.path.join(parent, name), folder)] = None
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                out[os.path.relpath(path, folder)] = file.read()
    return out


def write_tree(folder, files):
    for path in sorted(files):
        full = os.path.join(folder, path)
        if files[path] is None:
            os.makedirs(full, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(files[path])


def text_of(shape, variables, attributes=""):
    """A file for ncgen with seeded numbers: shape "node=120", variables {name: (type, dimensions, numbers)}."""
    lines = ["netcdf made {", "dimensions:"] + [f"{one.replace('=', ' = ')} ;" for one in shape.split()]
    lines += ["variables:"]
    lines += [f"{kind} {name}({over}) ;" for name, (kind, over, _) in variables.items()] + [attributes, "data:"]
    lines += [f"{name} = {', '.join(repr(x) for x in numbers)} ;" for name, (_, _, numbers) in variables.items()]
    return "\n".join(lines + ["}"])


def make(program, folder):
    """All cases, and the folder in which their inputs were made."""
    base = os.path.join(folder, "base")
    chance = random.Random(1)
    environment = dict(os.environ, PATH=os.path.join(folder, "nothing")) # no gnuplot
    files = {"config.yaml": CONFIG.encode(), "grid.yaml": GRID.encode(), "fields.yaml": FIELDS.encode()}
    for name, n, seed in (("train", 64, 2), ("t10k", 32, 3)):
        pixels, labels = images(n, seed)
        files[f"data/{name}-images-idx3-ubyte.gz"] = gzip.compress(pixels, mtime=0)
        files[f"data/{name}-labels-idx1-ubyte"] = labels
    write_tree(base, files)

    def numbers(n, most):
        return [chance.uniform(0, most) for _ in range(n)]

    def netcdf(name, kind, *description):
        text = os.path.join(folder, "made.cdl")
        with open(text, "w", encoding="utf8") as file:
            file.write(text_of(*description))
        subprocess.run(["ncgen", "-k", kind, "-o", name, text], cwd=base, check=True)

    def run(*arguments):
        subprocess.run([program, *arguments], cwd=base, env=environment, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    phases = {"theta": ("double", "node", numbers(28, 3.1)), "phi": ("double", "node", numbers(28, 6.2))}
    netcdf("mesh.nc", "netCDF-4", "node=28", phases)
    netcdf("batch.nc", "classic", "example=3 waveguide=16 complex=2",
           {"input": ("double", "example,waveguide,complex", numbers(96, 1)), "label": ("int", "example", [0, 4, 9])})
    netcdf("fields.nc", "classic", "example=3 waveguide=8 complex=2",
           {"input": ("double", "example,waveguide,complex", numbers(48, 1)),
            "cotangent": ("double", "example,waveguide,complex", numbers(48, 1))})
    netcdf("custom.nc", "classic", "node=3 waveguide=5 arm=2",
           {"theta": ("double", "node", numbers(3, 9)), "phi": ("double", "node", numbers(3, 9)),
            "gamma": ("double", "waveguide", numbers(5, 9)), "pair": ("short", "node,arm", [0, 4, 1, 2, 2, 3]),
            "column": ("short", "node", [0, 0, 1])}, ":architecture = \"custom\" ;")
    netcdf("tree.nc", "classic", "node=3 waveguide=4",
           {"theta": ("double", "node", numbers(3, 3)), "phi": ("double", "node", numbers(3, 6)),
            "gamma": ("double", "waveguide", numbers(4, 6))}, ":architecture = \"tree\" ;")
    netcdf("beam.nc", "classic", "example=1 waveguide=4 complex=2",
           {"input": ("double", "example,waveguide,complex", numbers(8, 1))})
    run("matrix", "mesh.nc", "--output", "unitary.nc")
    run("train", "config.yaml", "--output", "run")
    run("sweep", "grid.yaml", "--output", "sweep")
    run("sweep", "grid.yaml", "--output", "part", "--part", "1/2")
    run("energy", "--grid", "energy.modes=4,8", "--output", "energy.nc")
    made = read_tree(base)

    def below(*prefixes):
        return {path: content for path, content in made.items() if path.startswith(prefixes)}

    data, old = below("data"), {"out.nc": b"what was here before"}
    half_sweep = {path: content for path, content in below("sweep").items()
                  if not path.endswith(("000001.nc", "sweep.nc", "report.html"))}
    return [
        Case("train", ["train", "config.yaml", "--output", "new"], data | below("config.yaml"), ["new/"]),
        Case("resume", ["train", "--resume", "run", "--set", "training.epochs=3"], data | below("run"), ["run/"]),
        Case("train-fields", ["train", "fields.yaml", "--output", "new"], below("fields.yaml", "batch.nc"), ["new/"]),
        Case("train-again", ["train", "config.yaml", "--output", "run"], data | below("config.yaml", "run"), []),
        Case("sweep-again", ["sweep", "grid.yaml", "--output", "sweep"], data | below("grid.yaml", "sweep"), []),
        Case("sweep", ["sweep", "grid.yaml", "--output", "new"], data | below("grid.yaml"), ["new/"]),
        Case("sweep-part", [*SWEEP_PART, "2/2"], data | below("grid.yaml"), ["new/"]),
        Case("sweep-last", ["sweep", "grid.yaml", "--output", "part", "--part", "2/2"],
             data | below("grid.yaml", "part"), ["part/"]),
        Case("sweep-resume", ["sweep", "--resume", "sweep"], data | half_sweep, ["sweep/"]),
        Case("eval", ["eval", "run/last.nc", "--json"], data | below("run"), []),
        Case("decompose", ["decompose", "unitary.nc", "--output", "out.nc"], below("unitary.nc") | old, ["out.nc"]),
        Case("matrix", ["matrix", "mesh.nc", "--output", "out.nc"], below("mesh.nc") | old, ["out.nc"]),
        Case("wrap", ["wrap", "custom.nc", "--output", "out.nc"], below("custom.nc") | old, ["out.nc"]),
        Case("convert", ["convert", "mesh.nc", "--to", "neurophox", "--output", "out.nc"], below("mesh.nc") | old,
             ["out.nc"]),
        Case("program", ["program", "unitary.nc", "--chip", "mesh.nc", "--output", "out.nc"],
             below("unitary.nc", "mesh.nc") | old, ["out.nc"]),
        Case("self-configure", ["self-configure", "tree.nc", "--light", "beam.nc", "--output", "out.nc"],
             below("tree.nc", "beam.nc") | old, ["out.nc"]),
        Case("propagate", ["propagate", "mesh.nc", "--input", "fields.nc", "--output", "out.nc", "--taps"],
             below("mesh.nc", "fields.nc") | old, ["out.nc"]),
        Case("vjp", ["vjp", "mesh.nc", "--input", "fields.nc", "--output", "out.nc"],
             below("mesh.nc", "fields.nc") | old, ["out.nc"]),
        Case("gradient", ["gradient", "run/last.nc", "--input", "batch.nc", "--output", "out.nc"],
             data | below("run", "batch.nc") | old, ["out.nc"]),
        Case("energy", ["energy", "--grid", "energy.modes=4:64:4", "--grid", "energy.batch=1,8", "--output", "out.nc"],
             old, ["out.nc"]),
        Case("plot", ["plot", "curves", "run/metrics.csv", "--output", "out.svg", "--keep-data"], below("run"),
             ["out.svg", "out.svg.txt"], gnuplot=False),
        Case("plot-energy", ["plot", "energy", "energy.nc", "--output", "out.svg"], below("energy.nc"), ["out.svg"]),
        Case("report", ["report", "run"], data | below("run"), ["run/report.html"]),
        Case("report-sweep", ["report", "sweep"], below("sweep"), ["sweep/report.html"]),
    ]
