"""The wheel, by itself in a fresh environment: no compiler, no variables that lead to this build, and of other programs
on the PATH only what a test puts there."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SMALL = {"training.epochs": 1, "network.layers": 1, "data.radius": 2, "network.modes": 16, "backend.name": "reference"}
SET = [f"--set={key}={value}" for key, value in SMALL.items()]


@pytest.fixture(scope="module")
def wheel():
    (found,) = (ROOT / "build" / "wheel").glob("*.whl")
    return found


class Environment:
    """A virtual environment; its folder of programs is the whole PATH."""

    def __init__(self, folder):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        self.bin = folder / "bin"
        self.variables = {k: v for k, v in os.environ.items() if not k.startswith(("CUONN_", "PYTHON"))}
        self.variables["PATH"] = str(self.bin)

    def run(self, *command, code=0, **options):
        ended = subprocess.run([self.bin / command[0], *command[1:]], capture_output=True, text=True, check=False,
                               env=self.variables, **options)
        assert ended.returncode == code, ended.stderr
        return ended

    def python(self, source, **options):
        return self.run("python", "-c", source, **options)


@pytest.fixture(scope="module")
def fresh(wheel, tmp_path_factory):
    environment = Environment(tmp_path_factory.mktemp("wheel") / "environment")
    environment.run("pip", "install", "--disable-pip-version-check", wheel)
    said = environment.run("pip", "list", "--format=freeze", "--disable-pip-version-check").stdout
    assert {line.split("==")[0] for line in said.split()} <= {"cuonn", "numpy", "pip", "setuptools"}
    return environment


@pytest.fixture(scope="module")
def share(fresh):
    """The folder of the wheel's configurations and scripts."""
    return pathlib.Path(fresh.python("import cuonn; print(cuonn.__path__[0])").stdout.strip()) / "share" / "cuonn"


@pytest.fixture(scope="module")
def run(fresh, share, tmp_path_factory):
    """A run directory that the wheel's program made."""
    folder = tmp_path_factory.mktemp("run") / "run"
    said = fresh.run("cuonn", "train", share / "configs" / "fashion-mnist.yaml", *SET, "--output", folder)
    assert "gnuplot" in said.stderr and not (folder / "report.html").exists()
    return folder


def test_carries_what_the_page_says(wheel):
    """Each library and each licence has its row in docs/dependencies.md, and no other is there."""
    page = (ROOT / "docs" / "dependencies.md").read_text().split("## What the wheel carries")[1].split("\n## ")[0]
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    names = zipfile.ZipFile(wheel).namelist()
    libraries = {re.sub(r"(p-r0)?-[0-9a-f]{8}.*", "", n.split("/")[1]) for n in names if n.startswith("cuonn.libs/")}
    assert libraries == {n for row in rows for n in re.findall(r"`(lib[\w-]+)\.so`", row[0])}
    licences = {pathlib.Path(n).name for n in names if "/licenses/" in n} - {"LICENSE"}
    assert licences == {n for row in rows for n in re.findall(r"`([\w.-]+)`", row[-1])}


def test_first_example(fresh, tmp_path):
    """The page's first block, where there is neither a compiler nor anything else."""
    block = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.S).group(1)
    fresh.python(block, cwd=tmp_path)
    assert (tmp_path / "mesh.nc").stat().st_size > 64 * 63 * 8


def test_trains_as_the_build_does(fresh, run, share, tmp_path):
    """Bit for bit, by the command and from Python."""
    own = tmp_path / "own"
    config = pathlib.Path("configs", "fashion-mnist.yaml")
    subprocess.run([os.environ["CUONN_PROGRAM"], "train", ROOT / config, *SET, "--output", own], check=True,
                   capture_output=True)
    fresh.python(f"import cuonn\ncuonn.train({str(share / config)!r}, output='run', settings={SMALL!r})",
                 cwd=tmp_path)
    columns = [[line.split(",")[:4] for line in (folder / "metrics.csv").read_text().splitlines()]
               for folder in (own, run, tmp_path / "run")]
    assert columns[0][0] == ["epoch", "train_loss", "test_loss", "test_accuracy"] and len(columns[0]) == 2
    assert columns[0] == columns[1] == columns[2]
    fresh.python("import cuonn, numpy, sys\n"
                 f"a, b = (cuonn.load_network(f + '/last.nc')[0] for f in ({str(own)!r}, {str(run)!r}))\n"
                 "assert numpy.array_equal(a.theta, b.theta) and numpy.array_equal(a.phi, b.phi)")


def test_plots(fresh, run, tmp_path):
    """Scripts are found beside the program; without gnuplot it says what to install, and leaves the figure's data."""
    said = fresh.run("cuonn", "plot", "curves", run, "--output", "a.svg", code=4, cwd=tmp_path)
    assert re.fullmatch("cuonn plot: gnuplot is not installed .*a.svg.txt\n", said.stderr)
    assert (tmp_path / "a.svg.txt").exists()
    with_gnuplot = tmp_path / "with-gnuplot"
    with_gnuplot.mkdir()
    (with_gnuplot / "gnuplot").symlink_to(shutil.which("gnuplot"))
    (with_gnuplot / "cuonn").symlink_to(fresh.bin / "cuonn")
    subprocess.run(["cuonn", "plot", "curves", run, "--output", "b.svg"], check=True, cwd=tmp_path,
                   env={**fresh.variables, "PATH": str(with_gnuplot)})
    assert "</svg>" in (tmp_path / "b.svg").read_text()
    subprocess.run(["cuonn", "report", run], check=True, env={**fresh.variables, "PATH": str(with_gnuplot)},
                   capture_output=True)
    assert (run / "report.html").exists()


def test_reads_files_of_other_programs(fresh, tmp_path):
    """netCDF-4 with compression, which takes HDF5 and zlib."""
    fresh.python("import cuonn, numpy\nmesh = cuonn.Mesh.haar(8, seed=1)\nmesh.save('mesh.nc')\n"
                 "numpy.save('u.npy', mesh.matrix())", cwd=tmp_path)
    subprocess.run(["nccopy", "-k", "nc4", "-d", "5", "mesh.nc", "other.nc"], check=True, cwd=tmp_path)
    assert (tmp_path / "other.nc").read_bytes().startswith(b"\x89HDF")
    fresh.python("import cuonn, numpy\n"
                 "assert numpy.array_equal(cuonn.Mesh.load('other.nc').matrix(), numpy.load('u.npy'))", cwd=tmp_path)
    fresh.run("cuonn", "matrix", "other.nc", "--output", "u.nc", cwd=tmp_path)


def test_speaks_of_cuda_where_it_is_asked_for(fresh, share, tmp_path):
    said = fresh.run("cuonn", "info")
    assert re.search("^backends +cpu, reference$", said.stdout, re.M) and not said.stderr
    said = fresh.run("cuonn", "train", share / "configs" / "fashion-mnist.yaml", "--backend=cuda", "--output=run",
                     code=4, cwd=tmp_path)
    assert re.fullmatch("cuonn train: backend cuda is not in this build; .*\n", said.stderr)
    assert not (tmp_path / "run").exists()
    said = fresh.python("import cuonn, numpy\nmesh = cuonn.Mesh.haar(4, seed=1)\n"
                        "try:\n mesh.propagate(numpy.ones(4), backend='cuda')\n"
                        "except cuonn.DeviceError as reason:\n print(reason)")
    assert "cuda" in said.stdout and not said.stderr
