"""Meshes of every architecture, against a product of their nodes in NumPy, in files, and what is refused."""

import copy
import pickle
import subprocess

import numpy as np
import pytest

import cuonn
import plain
from common import (CUSTOM, DOUBLE, SHAPE_IDS, SHAPES, SINGLE, STYLES, close, columns_of, fields, shaped)
from cuonn import runs

ARRAYS = ("theta", "phi", "gamma", "coupler_error", "loss_db")
each_shape = pytest.mark.parametrize("n, how", SHAPES, ids=SHAPE_IDS)


def matrix_of(m, columns):
    return np.array(plain.matrix(m.theta, m.phi, m.gamma, m.coupler_error, m.loss_db, m.style, np, np.eye(m.n_modes),
                                 columns, m.shape.node))


def same(a, b):
    return a.shape == b.shape and a.style == b.style and all(np.array_equal(getattr(a, k), getattr(b, k))
                                                             for k in ARRAYS)


@each_shape
@pytest.mark.parametrize("style", STYLES)
def test_matrix_fields_and_derivatives(n, how, style):
    """Derivatives against central differences, as in test_mesh.py."""
    m, columns = shaped(n, how, style), columns_of(n, how)
    x, g = fields((3, n), 1), fields((3, n), 2)
    u = matrix_of(m, columns)
    close(m.matrix(), u, DOUBLE)
    close(m.propagate(x), x @ u.T, DOUBLE)
    close(m.propagate(x, backward=True), x @ u, DOUBLE)
    close(m.propagate(x.astype(np.complex64)), x @ u.T, SINGLE)
    got = m.vjp(x, g)
    close(got.x, g @ u, DOUBLE)
    single = m.vjp(x.astype(np.complex64), g.astype(np.complex64))
    close(np.concatenate(single[:3]), np.concatenate(got[:3]), SINGLE)
    for name in ("theta", "phi", "gamma"):
        phases, step = getattr(m, name), 1e-5
        for k in range(phases.size):
            was, sums = phases[k], []
            for side in (-step, step):
                phases[k] = was + side
                sums.append(np.sum(g * (x @ matrix_of(m, columns).T)).real)
            phases[k] = was
            assert abs((sums[1] - sums[0]) / (2 * step) - getattr(got, name)[k]) < 1e-7


@each_shape
def test_shape(n, how):
    m, columns = shaped(n, how), columns_of(n, how)
    assert [[tuple(p) for p in column.tolist()] for column in m.shape.pairs] == columns
    assert (m.shape.n_modes, m.shape.n_nodes, m.shape.n_columns) == (n, sum(map(len, columns)), len(columns))
    assert m.shape == cuonn.Shape(n, **how) and m.shape != cuonn.Shape(n)
    for again in (copy.copy(m), copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        assert same(again, m)
        again.theta[0] += 1
        assert not same(again, m)
    assert pickle.loads(pickle.dumps(m.shape)) == m.shape
    assert m.shape.architecture in repr(m)


@each_shape
def test_files_and_datasets(n, how, tmp_path):
    """Our files, files of xarray and Datasets, and the program, which takes them all alike."""
    m = shaped(n, how, "differential")
    m.save(tmp_path / "ours.nc")
    assert same(cuonn.Mesh.load(tmp_path / "ours.nc"), m)
    dataset = m.to_xarray()
    assert same(cuonn.Mesh.from_xarray(dataset), m)
    dataset.to_netcdf(tmp_path / "xarray.nc")
    assert same(cuonn.Mesh.load(tmp_path / "xarray.nc"), m)
    xarray = pytest.importorskip("xarray")
    read = xarray.load_dataset(tmp_path / "ours.nc")
    assert same(cuonn.Mesh.from_xarray(read), m)
    assert {**read.attrs, **dataset.attrs} == read.attrs and set(dataset) == set(read)
    subprocess.run([runs.program(), "matrix", tmp_path / "ours.nc", "--backend", "reference", "--output",
                    tmp_path / "u.nc"], check=True)
    u = xarray.load_dataset(tmp_path / "u.nc").unitary.values
    close(u[..., 0] + 1j * u[..., 1], m.matrix(), DOUBLE)


@each_shape
def test_wrap(n, how):
    m = shaped(n, how, "differential")
    wrapped = m.wrap()
    assert wrapped.shape == m.shape and wrapped.theta.min() >= 0 and wrapped.theta.max() < 2 * np.pi
    close(wrapped.matrix(), m.matrix(), DOUBLE)


@pytest.mark.parametrize("n", (2, 5, 12))
def test_triangular_decomposition(n):
    u = cuonn.Mesh.haar(n, seed=3).matrix()
    m = cuonn.Mesh.from_unitary(u, architecture="triangular")
    assert m.shape == cuonn.Shape(n, "triangular")
    close(matrix_of(m, plain.columns(n, "triangular")), u, DOUBLE)


@pytest.mark.parametrize("node", ("mzi3", "mzix"))
@pytest.mark.parametrize("architecture", ("rectangular", "triangular"))
def test_decomposition_to_other_nodes(node, architecture):
    """Of Haar-random unitaries, of the identity and of a permutation."""
    haar = cuonn.Mesh.haar(5, seed=3, node=node)
    close(haar.matrix(), cuonn.Mesh.haar(5, seed=3).matrix(), DOUBLE)
    for u in (haar.matrix(), np.eye(5), np.roll(np.eye(5), 1, axis=0)):
        m = cuonn.Mesh.from_unitary(u, architecture=architecture, node=node)
        assert m.shape == cuonn.Shape(5, architecture, node=node) and m.shape != cuonn.Shape(5, architecture)
        close(matrix_of(m, plain.columns(5, architecture)), u, DOUBLE)


def test_networks_of_other_shapes(tmp_path):
    """What the program trains is what load_network() gives."""
    settings = {"network.layers": 2, "network.modes": 16, "network.architecture": "butterfly", "data.radius": 2,
                "network.start": "haar-phases", "training.epochs": 1, "backend.name": "cpu"}
    run = cuonn.train("configs/fashion-mnist.yaml", output=tmp_path / "run", settings=settings)
    meshes = run.meshes()
    assert [m.shape for m in meshes] == [cuonn.Shape(16, "butterfly")] * 2
    close(meshes[0].matrix(), matrix_of(meshes[0], plain.columns(16, "butterfly")), DOUBLE)


def dataset(**change):
    how = dict(SHAPES[-1][1])
    d = shaped(7, how).to_xarray()
    d.attrs |= {k: v for k, v in change.items() if not hasattr(v, "dims")}
    return d.assign({k: v for k, v in change.items() if hasattr(v, "dims")})


def test_datasets_that_are_refused():
    d = dataset()
    for wrong, error, text in (
        (d.drop_vars("pair"), cuonn.ArgumentError, "needs pair"),
        (dataset(columns=3), cuonn.ShapeError, "below the attribute columns"),
        (dataset(columns=10**9), cuonn.ShapeError, "a mesh has 1 to 16384"),
        (d.assign(column=d.column[::-1]), cuonn.ShapeError, "never fall"),
        (d.assign(column=d.column * 1.0), cuonn.ShapeError, "whole numbers"),
        (d.assign(pair=d.pair * 1.0), cuonn.ArgumentError, "column 0 of pairs"),
        (dataset(architecture="hexagonal"), cuonn.ArgumentError, "architecture is 'hexagonal'"),
        (dataset(node="mzi4"), cuonn.ArgumentError, "node is 'mzi4'; it is one of mzi, mzi3, mzix"),
        (dataset(node="mzi3"), cuonn.ShapeError, "coupler_error has the shape"),
        (dataset(architecture="triangular", columns=11), cuonn.ShapeError, "theta has the shape"),
        (dataset(convention="perceval"), cuonn.ArgumentError, r"counted by perceval; cuonn.convert\(\) makes ours"),
    ):
        with pytest.raises(error, match=text) as caught:
            cuonn.Mesh.from_xarray(wrong)
        assert "\n" not in str(caught.value)


def custom(pairs, n=5, **how):
    nodes = np.zeros(sum(map(len, pairs)))
    return cuonn.Mesh(nodes, nodes, np.zeros(n), architecture="custom", pairs=pairs, **how)


@pytest.mark.parametrize("call, error, text", (
    (lambda: cuonn.Mesh(np.zeros(6), np.zeros(6), architecture="triangular"), cuonn.ArgumentError, "gamma is needed"),
    (lambda: cuonn.Mesh(np.zeros(6), np.zeros(6), columns=3), cuonn.ArgumentError, "gamma is needed"),
    (lambda: cuonn.Mesh(np.zeros(6), np.zeros(6), np.zeros(5), architecture="triangular"), cuonn.ShapeError,
     "theta has the shape \\(6,\\), \\(10,\\) is needed"),
    (lambda: cuonn.Mesh(np.zeros(6), np.zeros(6), np.zeros(4), architecture="reck"), cuonn.ArgumentError,
     "architecture is 'reck'; it is one of rectangular, triangular, butterfly, tree, custom"),
    (lambda: cuonn.Shape(6, "butterfly"), cuonn.ShapeError, "a butterfly has 2, 4, 8, 16, ... waveguides, not 6"),
    (lambda: cuonn.Shape(5, "triangular", columns=4), cuonn.ShapeError, "has 7 columns, not 4"),
    (lambda: cuonn.Shape(5, columns=1.5), cuonn.ArgumentError, "columns is 1.5"),
    (lambda: cuonn.Shape(5, columns=0), cuonn.ArgumentError, "columns is 0"),
    (lambda: cuonn.Shape(5, "tree", pairs=[[(0, 1)]]), cuonn.ArgumentError, 'need architecture="custom"'),
    (lambda: cuonn.Shape(5, node="mzi5"), cuonn.ArgumentError, "node is 'mzi5'; it is one of mzi, mzi3, mzix"),
    (lambda: cuonn.Shape(5, "custom"), cuonn.ArgumentError, "made of pairs"),
    (lambda: cuonn.Shape(5, "custom", pairs=3), cuonn.ArgumentError, "made of pairs"),
    (lambda: cuonn.Shape(5, "custom", columns=1, pairs=[[(0, 1)]]), cuonn.ArgumentError, "no argument columns"),
    (lambda: cuonn.Shape(5, "custom", pairs=[]), cuonn.ShapeError, "at least one column"),
    (lambda: custom([[(0, 1)], [(1, 5)]]), cuonn.ShapeError, "node 0 of column 1 is on waveguide 5"),
    (lambda: custom([[(0, 1), (1, 2)]]), cuonn.ShapeError, "waveguide 1 is in column 0 twice"),
    (lambda: custom([[(2, 1)]]), cuonn.ShapeError, "the top one comes first"),
    (lambda: custom([[(0, 1)], [(-1, 2)]]), cuonn.ShapeError, "column 1 of pairs holds -1"),
    (lambda: custom([[(0, 2**40)]]), cuonn.ShapeError, "column 0 of pairs holds 1099511627776"),
    (lambda: custom([(0, 1), (2, 3)]), cuonn.ArgumentError, "column 0 of pairs is no list of pairs"),
    (lambda: custom([[(0, 1), (2, 3, 4)]]), cuonn.ArgumentError, "column 0 of pairs is no list of pairs"),
    (lambda: custom([[(0, 1.5)]]), cuonn.ArgumentError, "column 0 of pairs is no list of pairs"),
    (lambda: cuonn.Mesh.from_unitary(np.eye(4), architecture="butterfly"), cuonn.ArgumentError, "every unitary"),
    (lambda: cuonn.Mesh.from_unitary(np.eye(4), architecture="custom"), cuonn.ArgumentError, "made of pairs"),
))
def test_refuses(call, error, text):
    with pytest.raises(error, match=text) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_shapes_are_released():
    """Shapes come and go; those that a mesh has live as long as it."""
    m = shaped(7, {"architecture": "custom", "pairs": CUSTOM})
    want = m.matrix()
    for i in range(200):
        cuonn.Shape(9, "tree")
        cuonn.Mesh(np.zeros(8), np.zeros(8), np.zeros(9), architecture="tree").matrix()
    assert np.array_equal(m.matrix(), want)
