"""cuonn.Mesh against a mesh written plainly in NumPy, against the program's files, and what it refuses."""

import copy
import os
import pickle
import subprocess
import tracemalloc

import numpy as np
import pytest

import cuonn
import plain
from common import DOUBLE, SINGLE, STYLES, close, fields, mesh
from cuonn import runs


def matrix_of(m):
    return np.array(plain.matrix(m.theta, m.phi, m.gamma, m.coupler_error, m.loss_db, m.style, np, np.eye(m.n_modes)))


@pytest.mark.parametrize("n", (2, 3, 4, 7, 16, 33))
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("real", (False, True))
def test_matrix_and_fields(n, style, real):
    m, x = mesh(n, style, real=real), fields((3, 5, n))
    u = matrix_of(m)
    close(m.matrix(), u, DOUBLE)
    close(m.propagate(x), x @ u.T, DOUBLE)
    close(m.propagate(x, backward=True), x @ u, DOUBLE)
    single = m.propagate(x.astype(np.complex64))
    assert single.dtype == np.complex64
    close(single, x @ u.T, SINGLE)
    close(m.propagate(x[0, 0]), u @ x[0, 0], DOUBLE)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("n", (2, 5, 8))
def test_vjp_is_the_derivative(n, style):
    """Central differences of Re(sum g y) over 1e-5 radians, whose cut-off and rounding are each some 1e-10."""
    m, x, g = mesh(n, style), fields((4, n), 1), fields((4, n), 2)
    got = m.vjp(x, g)
    close(got.x, g @ matrix_of(m), DOUBLE)
    for name in ("theta", "phi", "gamma"):
        phases, step = getattr(m, name), 1e-5
        for k in range(phases.size):
            sums = []
            for side in (-step, step):
                was = phases[k]
                phases[k] += side
                sums.append(np.sum(g * (x @ matrix_of(m).T)).real)
                phases[k] = was
            assert abs((sums[1] - sums[0]) / (2 * step) - getattr(got, name)[k]) < 1e-7


def test_vjp_in_single_precision():
    m, x, g = mesh(9), fields((6, 9), 1), fields((6, 9), 2)
    want, got = m.vjp(x, g), m.vjp(x.astype(np.complex64), g.astype(np.complex64))
    for a, b in zip(got, want):
        close(a, b, SINGLE)
    assert got.x.dtype == np.complex64 and got.theta.dtype == np.float64


def test_files_are_those_of_the_program(tmp_path):
    m = mesh(7, "differential")
    m.save(tmp_path / "mesh.nc")
    again = cuonn.Mesh.load(tmp_path / "mesh.nc")
    for name in ("theta", "phi", "gamma", "coupler_error", "loss_db"):
        assert np.array_equal(getattr(again, name), getattr(m, name))
    assert again.style == "differential"
    subprocess.run([runs.program(), "matrix", tmp_path / "mesh.nc", "--backend", "reference", "--output",
                    tmp_path / "matrix.nc"], check=True)
    xarray = pytest.importorskip("xarray")
    u = xarray.load_dataset(tmp_path / "matrix.nc").unitary.values
    close(u[..., 0] + 1j * u[..., 1], m.matrix(), DOUBLE)


def test_foreign_files_are_read_by_another_process(tmp_path):
    """A file that another program wrote gives the mesh, or its own line, by a program that is not a copy of this
    process: the library forks only where one thread is."""
    import subprocess as module

    m = mesh(5, "bottom")
    m.to_xarray().to_netcdf(tmp_path / "own.nc", engine="scipy")
    started = []
    real = module.run
    module.run = lambda *a, **k: (started.append(a[0][2]), real(*a, **k))[1]
    try:
        assert np.array_equal(cuonn.Mesh.load(tmp_path / "own.nc").theta, m.theta)
        assert np.array_equal(cuonn.load_network(tmp_path / "own.nc")[0].theta, m.theta)
        whole = (tmp_path / "own.nc").read_bytes()
        (tmp_path / "cut.nc").write_bytes(whole[:-100])
        with pytest.raises(cuonn.DataError, match="cut.nc"):
            cuonn.Mesh.load(tmp_path / "cut.nc")
        m.save(tmp_path / "ours.nc")
        cuonn.Mesh.load(tmp_path / "ours.nc")
    finally:
        module.run = real
    assert started == ["cuonn._files"] * 3


def test_files_from_eight_threads(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    meshes = [mesh(4 + i % 3, seed=i) for i in range(16)]

    def there_and_back(i):
        meshes[i].save(tmp_path / f"{i}.nc")
        return all(np.array_equal(cuonn.Mesh.load(tmp_path / f"{i}.nc").theta, meshes[i].theta) for _ in range(10))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(16)))


def test_xarray_there_and_back(tmp_path):
    m = mesh(6, "bottom")
    dataset = m.to_xarray()
    assert dataset.theta.attrs["units"] == "radian" and dataset.loss_db.dims == ("node", "shifter")
    again = cuonn.Mesh.from_xarray(dataset)
    assert np.array_equal(again.matrix(), m.matrix())
    dataset.to_netcdf(tmp_path / "own.nc")
    assert np.array_equal(cuonn.Mesh.load(tmp_path / "own.nc").matrix(), m.matrix())
    with pytest.raises(cuonn.ArgumentError, match="no theta"):
        cuonn.Mesh.from_xarray(dataset.drop_vars("theta"))


@pytest.mark.parametrize("style", ("top", "bottom", "differential"))
def test_decomposition(style):
    u = cuonn.Mesh.haar(12, seed=3).matrix()
    m = cuonn.Mesh.from_unitary(u, style)
    close(m.matrix(), u, DOUBLE)
    close(matrix_of(m), u, DOUBLE)
    rough = u + 1e-3 * fields((12, 12))
    with pytest.raises(cuonn.DataError, match="not unitary"):
        cuonn.Mesh.from_unitary(rough, style)
    left, _, right = np.linalg.svd(rough)
    close(cuonn.Mesh.from_unitary(rough, style, nearest=True).matrix(), left @ right, DOUBLE)


def test_haar():
    m = cuonn.Mesh.haar(5, seed=4)
    assert np.array_equal(m.theta, cuonn.Mesh.haar(5, seed=4).theta)
    assert not np.array_equal(m.theta, cuonn.Mesh.haar(5, seed=5).theta)
    close(m.matrix() @ m.matrix().conj().T, np.eye(5), DOUBLE)


def test_wrap():
    m = mesh(6, "differential")
    wrapped = m.wrap()
    for name in ("theta", "phi", "gamma"):
        assert (getattr(wrapped, name) >= 0).all() and (getattr(wrapped, name) < 2 * np.pi).all()
    close(wrapped.matrix(), m.matrix(), DOUBLE)


def test_arrays_belong_to_the_mesh():
    theta = np.zeros(3)
    m = cuonn.Mesh(theta, theta)
    theta[0] = 1
    assert m.theta[0] == 0
    before = m.matrix()
    m.theta[0] = 1
    assert not np.array_equal(m.matrix(), before)


def test_what_is_assigned_is_written_into_the_mesh():
    """The library reads where the arrays lay when the mesh was made."""
    m, other = mesh(4), mesh(4, seed=1)
    for name in ("theta", "phi", "gamma", "coupler_error", "loss_db"):
        setattr(m, name, getattr(other, name).astype(np.float32))
    m.theta += 0.5
    close(m.matrix(), matrix_of(m), DOUBLE)
    with pytest.raises(cuonn.ShapeError, match="coupler_error has the shape"):
        m.coupler_error = np.zeros((3, 2))
    with pytest.raises(cuonn.ArgumentError, match="theta holds complex128; it must be real numbers"):
        m.theta = 1j * m.theta


def test_copies_are_meshes_of_their_own():
    m = mesh(4, "bottom")
    before = m.matrix()
    for again in (copy.copy(m), copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        assert np.array_equal(again.matrix(), before) and again.style == "bottom"
        again.theta[0] += 1
        assert np.array_equal(m.matrix(), before) and not np.array_equal(again.matrix(), before)


def test_any_layout_of_fields():
    m = mesh(6, real=False)
    x = fields((4, 5, 6))
    want = m.propagate(x)
    assert np.array_equal(m.propagate(x[:, ::-1][:, ::-1]), want)
    assert np.array_equal(m.propagate(np.asfortranarray(x)), want)
    assert np.array_equal(m.propagate(x[::2]), want[::2])
    wide = np.zeros((4, 5, 12), complex)
    wide[..., ::2] = x
    assert np.array_equal(m.propagate(wide[..., ::2]), want)
    assert np.array_equal(m.propagate(x.astype(">c16")), want)
    read_only = x.copy()
    read_only.flags.writeable = False
    assert np.array_equal(m.propagate(read_only), want)
    assert np.array_equal(m.propagate(x.tolist()), want)
    integers = np.arange(6)
    assert np.array_equal(m.propagate(integers), m.propagate(integers.astype(complex)))
    assert m.propagate(np.ones(6, np.float32)).dtype == np.complex64
    assert m.propagate(np.zeros((0, 6))).shape == (0, 6)
    assert m.vjp(np.zeros((0, 6)), np.zeros((0, 6))).theta.tolist() == [0] * 15


def arrays_made(call, size):
    """How many arrays of so many bytes live at once, at most, while `call` is made; NumPy tells tracemalloc of each."""
    tracemalloc.start()
    try:
        call()
        return round(tracemalloc.get_traced_memory()[1] / size)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", (np.complex64, np.complex128))
def test_nothing_is_copied_without_need(dtype):
    """Contiguous fields of a type that the library takes: what is made is the result.  Others are copied once."""
    m, x, g = mesh(6), fields((4000, 6), dtype=dtype), fields((4000, 6), 1, dtype)
    assert arrays_made(lambda: m.propagate(x), x.nbytes) == 1
    assert arrays_made(lambda: m.propagate(x, backward=True), x.nbytes) == 1
    assert arrays_made(lambda: m.vjp(x, g), x.nbytes) == 1
    assert arrays_made(lambda: m.propagate(x[:, ::-1]), x.nbytes) == 2
    by_columns = np.asfortranarray(x)
    assert arrays_made(lambda: m.propagate(by_columns), x.nbytes) == 2
    assert arrays_made(lambda: m.vjp(x[::-1], g[::-1]), x.nbytes) == 3
    read_only = x.copy()
    read_only.flags.writeable = False
    assert arrays_made(lambda: m.propagate(read_only), x.nbytes) == 1


@pytest.mark.parametrize("call, error, text", (
    (lambda m: m.propagate(np.ones(5)), cuonn.ShapeError, "its last dimension must be the 6 waveguides"),
    (lambda m: m.propagate(np.array(["a"] * 6)), cuonn.ArgumentError, "fields are numbers"),
    (lambda m: m.propagate(1.0), cuonn.ShapeError, "its last dimension"),
    (lambda m: m.propagate(np.ones(6), backend="gpu"), cuonn.ArgumentError, 'backend "gpu" is unknown'),
    (lambda m: m.propagate(np.ones(6), backend="cuda"), cuonn.DeviceError, "cuda"),
    (lambda m: m.propagate(np.ones(6), backend=3), cuonn.ArgumentError, "backend is 3"),
    (lambda m: m.propagate(np.ones(6), threads=-1), cuonn.ArgumentError, "threads is -1"),
    (lambda m: m.propagate([1, 2, None, 4, 5, 6]), cuonn.ArgumentError, "x holds object"),
    (lambda m: m.vjp(np.ones(6), np.ones((2, 6))), cuonn.ShapeError, "x has the shape"),
    (lambda m: cuonn.Mesh(np.zeros(4), np.zeros(4)), cuonn.ShapeError, "4 nodes are those of no rectangular mesh"),
    (lambda m: cuonn.Mesh(np.zeros(3), np.zeros(6)), cuonn.ShapeError, "phi has the shape"),
    (lambda m: cuonn.Mesh(np.zeros(3), np.zeros(3), style="up"), cuonn.ArgumentError, "style is 'up'"),
    (lambda m: cuonn.Mesh(None, np.zeros(3)), cuonn.ArgumentError, "theta holds object"),
    (lambda m: cuonn.Mesh(["1", "2", "3"], np.zeros(3)), cuonn.ArgumentError, "theta holds <U1"),
    (lambda m: cuonn.Mesh([1j, 0, 0], np.zeros(3)), cuonn.ArgumentError, "theta holds complex128"),
    (lambda m: cuonn.Mesh.haar(-1, seed=1), cuonn.ArgumentError, "n_modes is -1; it must be at least 2"),
    (lambda m: cuonn.Mesh.haar(4.5, seed=1), cuonn.ArgumentError, "n_modes is 4.5; it must be a whole number"),
    (lambda m: cuonn.Mesh.haar(4, seed=-1), cuonn.ArgumentError, "seed is -1"),
    (lambda m: cuonn.Mesh.from_unitary("abc"), cuonn.ArgumentError, "the matrix holds"),
    (lambda m: cuonn.Mesh.from_unitary(np.eye(3)[:2]), cuonn.ShapeError, "it must be square"),
    (lambda m: cuonn.Mesh.from_unitary(np.eye(3), "symmetric"), cuonn.ArgumentError, "symmetric"),
    (lambda m: cuonn.Mesh.from_unitary(np.full((3, 3), np.nan)), cuonn.NonFiniteError, ""),
    (lambda m: cuonn.Mesh.load("no-such-file.nc"), cuonn.FileError, "no-such-file.nc"),
    (lambda m: cuonn.Mesh.load(__file__), cuonn.DataError, ""),
))
def test_refuses(call, error, text):
    with pytest.raises(error, match=text or "."):
        call(mesh(6))


def test_errors_are_also_pythons_own():
    assert issubclass(cuonn.ShapeError, ValueError) and issubclass(cuonn.FileError, OSError)
    assert issubclass(cuonn.OutOfMemoryError, MemoryError)
    with pytest.raises(cuonn.Error) as caught:
        cuonn.Mesh.load("no-such-file.nc")
    assert caught.value.status == -7 and "\n" not in str(caught.value)


def test_nan_phases_give_nan_and_are_not_saved(tmp_path):
    m = mesh(4)
    m.theta[0] = np.nan
    assert np.isnan(m.propagate(np.ones(4))).any()
    with pytest.raises(cuonn.NonFiniteError, match="theta"):
        m.save(tmp_path / "m.nc")
    assert os.listdir(tmp_path) == []
