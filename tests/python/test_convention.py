"""cuonn.convert against the matrices of the other programs (tests/golden/conventions.nc)."""

import pathlib

import numpy as np
import pytest
import xarray as xr

import cuonn

FILE = pathlib.Path(__file__).parents[1] / "golden" / "conventions.nc"
pytestmark = pytest.mark.filterwarnings("ignore:Duplicate dimension names")  # of square matrices, in xarray
OTHERS = [name for name in cuonn.conventions() if not name.startswith("cuonn-")]


@pytest.fixture(scope="module")
def stored():
    with xr.open_dataset(FILE) as data:
        yield data.load()


def phases_of(data, name, which="random", n=5):
    prefix = f"{name.replace('-', '_')}_{which}_{n}_"
    unitary = data[prefix + "unitary"].values
    error = data[prefix + "coupler_error"].values if which == "errors" else None
    return [data[prefix + p].values for p in ("theta", "phi", "gamma")], unitary[..., 0] + 1j * unitary[..., 1], error


@pytest.mark.parametrize("name", OTHERS)
def test_ours_have_the_matrix_of_the_program(stored, name):
    theirs, unitary, _ = phases_of(stored, name)
    if name == "simphox-symmetric":
        mesh = cuonn.Mesh(*cuonn.convert(*theirs, source=name, to="cuonn-symmetric"), style="symmetric")
    else:
        mesh = cuonn.Mesh(*cuonn.convert(*theirs, source=name))
    assert np.abs(mesh.matrix() - unitary).max() < 1e-12  # tests/golden/conventions.c says why
    back = cuonn.convert(mesh.theta, mesh.phi, mesh.gamma, source=f"cuonn-{mesh.style}", to=name)
    again = cuonn.convert(*back, source=name, to=f"cuonn-{mesh.style}")
    assert np.abs(cuonn.Mesh(*again, style=mesh.style).matrix() - unitary).max() < 1e-12


def test_errors_stay(stored):
    theirs, unitary, error = phases_of(stored, "perceval-last", "errors", 8)
    mesh = cuonn.Mesh(*cuonn.convert(*theirs, source="perceval-last", coupler_error=error), coupler_error=error)
    assert np.abs(mesh.matrix() - unitary).max() < 1e-12


def test_ours_stay_ours():
    mesh = cuonn.Mesh.haar(4, 1, "differential")
    got = cuonn.convert(mesh.theta, mesh.phi, mesh.gamma, source="cuonn-differential")
    assert np.abs(cuonn.Mesh(*got, style="differential").matrix() - mesh.matrix()).max() < 1e-12
    butterfly = cuonn.Mesh(np.ones(4), np.ones(4), np.ones(4), architecture="butterfly")
    theirs = cuonn.convert(np.ones(4), np.ones(4), np.ones(4), to="meshes-out", architecture="butterfly")
    ours = cuonn.convert(*theirs, source="meshes-out", architecture="butterfly")
    assert np.abs(cuonn.Mesh(*ours, architecture="butterfly").matrix() - butterfly.matrix()).max() < 1e-12


@pytest.mark.parametrize("how, error, text", (
    (dict(source="clements"), cuonn.ArgumentError, 'convention "clements" is unknown; it is one of cuonn-top, '),
    (dict(to=3), cuonn.ArgumentError, "to is 3; it must be a text"),
    (dict(to="interferometer", coupler_error=np.full((6, 2), 0.1)), cuonn.ArgumentError, "node 0 has a coupler error"),
    (dict(to="perceval", coupler_error=np.zeros((5, 2))), cuonn.ShapeError, "coupler_error has the shape"),
    (dict(to="torchonn"), cuonn.ArgumentError, "torchonn has no shifter"),
))
def test_refuses(how, error, text):
    mesh = cuonn.Mesh.haar(4, 1)
    with pytest.raises(error, match=text):
        cuonn.convert(mesh.theta, mesh.phi, mesh.gamma, **how)
