"""Writes conventions.nc: meshes as other programs count their phases, in our order of nodes, with their own matrices.

interferometer, Strawberry Fields and Perceval are run as they are.  Of simphox, neurophox, pytorch-onn and meshes the
functions that make a mesh's matrix are NumPy: they are run from the sources, with stand-ins for JAX, TensorFlow,
PyTorch and others that they import beside it.  Nothing of cuONN takes part.

    python3 tests/golden/make_conventions.py SIMPHOX NEUROPHOX PYTORCH_ONN MESHES

each the root of a checkout.  Needs numpy < 2, scipy < 1.14, numba, interferometer, strawberryfields, perceval-quandela.

Variables NAME_SET_N_theta, _phi (node), _gamma (waveguide), _unitary (row, column, complex): NAME is the convention's
name with _ for -, SET is `random` (any phases), `errors` (the same, and _coupler_error (node, side)) or what that
program decomposed: `haar`, `identity`, `reversal` (waveguides in reverse order).
"""
import importlib
import pathlib
import sys
import types
from unittest import mock

import numpy as np
from scipy.io import netcdf_file
from scipy.stats import ortho_group, unitary_group

HERE = pathlib.Path(__file__).resolve().parent
SIZES = 2, 3, 4, 5, 8
cases = {}


def pairs(n):
    """Top waveguide of each node of the rectangular mesh, in our order."""
    return [t for c in range(n) for t in range(c % 2, n - 1, 2)]


def in_our_order(n, applied):
    """[(top, theta, phi)] as they are applied -> theta, phi: the k-th node on (t, t + 1) is in column t % 2 + 2 k."""
    seen, found = [0] * n, {}
    for top, theta, phi in applied:
        found[top % 2 + 2 * seen[top], top] = theta, phi
        seen[top] += 1
    return np.array([found[place] for place in sorted(found)]).T.reshape(2, -1)


def keep(name, which, n, theta, phi, gamma, unitary, coupler_error=None):
    assert len(theta) == len(phi) == len(pairs(n)) and len(gamma) == n and np.shape(unitary) == (n, n)
    assert np.abs(unitary @ np.conj(unitary).T - np.eye(n)).max() < 1e-12
    case = {"theta": theta, "phi": phi, "gamma": gamma, "unitary": np.array(unitary, complex),
            "coupler_error": coupler_error}
    cases[name.replace("-", "_"), which, n] = {k: v for k, v in case.items() if v is not None}


def draw(n, seed):
    """Phases over several turns, and coupler errors."""
    rng = np.random.default_rng([seed, n])
    nodes = len(pairs(n))
    return (*rng.uniform(-9, 9, (2, nodes)), rng.uniform(-9, 9, n), rng.normal(0, .1, (nodes, 2)))


def targets(n, seed):
    """Unitaries for those that decompose: a random one, and such as leave phases undetermined."""
    return {"haar": unitary_group.rvs(n, random_state=1000 * seed + n), "identity": np.eye(n, dtype=complex),
            "reversal": np.eye(n, dtype=complex)[::-1]}


# ---- programs that are run as they are

def interferometer(n):
    import interferometer as program
    for which, target in targets(n, 1).items():
        mesh = program.square_decomposition(target)
        theta, phi = in_our_order(n, [(int(b.mode1) - 1, b.theta, b.phi) for b in mesh.BS_list])
        keep("interferometer", which, n, theta, phi, np.array(mesh.output_phases), mesh.calculate_transformation())
    theta, phi, gamma, _ = draw(n, 1)
    mesh = program.Interferometer()
    for node, top in enumerate(pairs(n)):
        mesh.add_BS(program.Beamsplitter(top + 1, top + 2, theta[node], phi[node]))
    for waveguide in range(n):
        mesh.add_phase(waveguide + 1, gamma[waveguide])
    keep("interferometer", "random", n, theta, phi, gamma, mesh.calculate_transformation())


def strawberryfields(n):
    from strawberryfields import decompositions as program
    for name, decompose, node in (("strawberryfields", program.rectangular_phase_end, program.T),
                                  ("strawberryfields-symmetric", program.rectangular_symmetric, program.mach_zehnder)):
        for which, target in targets(n, 2).items():
            nodes, diagonal, _ = decompose(target)
            theta, phi = in_our_order(n, [(int(top), theta, phi) for top, _, theta, phi, _ in nodes])
            u = np.eye(n)
            for each in nodes:
                u = node(int(each[0]), int(each[1]), *each[2:]) @ u
            keep(name, which, n, theta, phi, np.angle(diagonal), np.diag(diagonal) @ u)
        theta, phi, gamma, _ = draw(n, 2)
        u = np.eye(n)
        for k, top in enumerate(pairs(n)):
            u = node(top, top + 1, theta[k], phi[k], n) @ u
        keep(name, "random", n, theta, phi, gamma, np.diag(np.exp(1j * gamma)) @ u)


def perceval(n):
    import perceval as program
    for name, item, behind in ("perceval", "mzi phase first", False), ("perceval-last", "mzi phase last", True):
        for which in "random", "errors":
            theta, phi, gamma, error = draw(n, 3)
            error = error * (which == "errors")
            phi_a, phi_b = (theta, phi) if behind else (phi, theta)
            mesh = program.GenericInterferometer(
                n, lambda k: program.catalog[item].build_circuit(
                    phi_a=phi_a[k], phi_b=phi_b[k], theta_a=np.pi / 2 + 2 * error[k, 0],
                    theta_b=np.pi / 2 + 2 * error[k, 1]),
                phase_shifter_fun_gen=lambda w: program.PS(gamma[w]), phase_at_output=not behind)
            keep(name, which, n, theta, phi, gamma, mesh.compute_unitary(), error if which == "errors" else None)


# ---- programs that are run from their sources

def stand_in(*names):
    for name in names:
        sys.modules[name] = mock.MagicMock()


def package(name, folder):
    """A package of the modules in a folder, without what its __init__ would import."""
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(folder)]


def simphox_program(root):
    stand_in("jax", "jax.numpy", "jax.example_libraries", "jax.example_libraries.optimizers", "haiku", "pandas")
    package("simphox", pathlib.Path(root) / "simphox")
    package("simphox.circuit", pathlib.Path(root) / "simphox/circuit")
    utils = types.ModuleType("simphox.utils")
    utils.fix_dataclass_init_docs, utils.normalized_error = lambda cls: cls, None
    sys.modules["simphox.utils"] = utils
    return importlib.import_module("simphox.circuit.forward"), importlib.import_module("simphox.circuit.coupling")


def simphox(program, n):
    forward, coupling = program
    for style in "top", "bottom", "symmetric", "differential":
        for which in "random", "errors":
            theta, phi, gamma, error = draw(n, 4)
            error = error * (which == "errors")
            nodes = [coupling.CouplingNode(node_id=k, n=n, top=t, bottom=t + 1, column=c, bs_error=tuple(error[k]))
                     for k, (c, t) in enumerate((c, t) for c in range(n) for t in range(c % 2, n - 1, 2))]
            mesh = forward.ForwardMesh(nodes, phase_style=coupling.PhaseStyle(style))
            # Its own phases are drawn and left alone; its default arrays would be in single precision.
            u = mesh.matrix_fn()((theta, phi, gamma), np.eye(n, dtype=complex), error, np.zeros((len(theta), 2)))
            name = "simphox" if style == "top" else "simphox-" + style
            keep(name, which, n, theta, phi, gamma, u, error if which == "errors" else None)


def neurophox_program(root):
    stand_in("tensorflow", "torch", "torch.nn")
    package("neurophox", pathlib.Path(root) / "neurophox")
    package("neurophox.numpy", pathlib.Path(root) / "neurophox/numpy")
    return importlib.import_module("neurophox.numpy.generic"), importlib.import_module("neurophox.meshmodel")


def neurophox(program, n):
    generic, meshmodel = program
    for basis in "bloch", "sm":
        for hadamard in False, True:
            theta, phi, gamma, _ = draw(n, 5)
            by_layer = np.zeros((2, n, n // 2))
            k = 0
            for column in range(n):
                count = (n - column % 2) // 2
                by_layer[:, column, :count] = theta[k:k + count], phi[k:k + count]
                k += count
            # The model's own phases are drawn and left alone: MeshPhases takes these.
            model = meshmodel.RectangularMeshModel(n, hadamard=hadamard, basis=basis)
            phases = generic.MeshPhases(*by_layer, gamma, model.mask, basis, hadamard)
            # A row of inputs is multiplied from the left: out = in U, so that the matrix for columns is U^T.
            u = np.eye(n) * phases.input_phase_shift_layer
            for layer in generic.MeshNumpy(model).mesh_layers(phases):
                u = layer.transform(u)
            name = {"bloch": "neurophox", "sm": "neurophox-sm"}[basis] + ("-hadamard" if hadamard else "")
            keep(name, "random", n, theta, phi, gamma, u.T)


def torchonn_program(root):
    stand_in("torch", "torch.types", "pyutils", "pyutils.compute", "matrix_parametrization_cuda")
    general = types.ModuleType("pyutils.general")
    general.logger, general.profile = mock.MagicMock(), lambda **_: lambda function: function
    sys.modules["pyutils.general"] = general
    package("torchonn", pathlib.Path(root) / "torchonn")
    package("torchonn.op", pathlib.Path(root) / "torchonn/op")
    return importlib.import_module("torchonn.op.matrix_parametrization")


def torchonn(program, n):
    """Signs (delta_list) of the first and the last waveguide stand within that mesh; they are moved to gamma, which
    turns the theta that they pass (docs/conventions.md)."""
    decomposer = program.RealUnitaryDecomposerBatch(alg="clements")
    for which, sign in ("haar", 1), ("random", -1):
        orthogonal = ortho_group.rvs(n, random_state=n) if n > 1 else np.eye(1)
        if np.linalg.det(orthogonal) * sign < 0:
            orthogonal[0] *= -1
        delta, matrix = decomposer.decompose_clements_cpu(orthogonal.copy())
        u = decomposer.reconstruct_clements_cpu(delta, matrix)
        assert np.abs(u - orthogonal).max() < 1e-12
        places = [(c, t) for c in range(n) for t in range(c % 2, n - 1, 2)]
        theta, gamma = np.array([matrix[t, c] for c, t in places]), np.zeros(n)
        if delta[-1] < 0:
            gamma[-1] = np.pi
            theta = np.array([-v if t == n - 2 and (n % 2 == 1 or c > 0) else v for v, (c, t) in zip(theta, places)])
        if delta[0] < 0:
            gamma[0] += np.pi
            theta = np.array([-v if n % 2 == 1 and t == 0 and c == n - 1 else v for v, (c, t) in zip(theta, places)])
        keep("torchonn", which, n, theta, 0 * theta, gamma, u)


def meshes_program(root):
    package("meshes", pathlib.Path(root))
    return importlib.import_module("meshes.crossing"), importlib.import_module("meshes.clements")


def meshes(program, n):
    crossing, clements = program
    for name, kind, side in ("meshes", crossing.MZICrossing, "out"), ("meshes-out", crossing.MZICrossingOutPhase, "in"):
        for which in "random", "errors":
            theta, phi, gamma, error = draw(n, 6)
            error = error * (which == "errors")
            mesh = clements.ClementsNetwork(N=n, p_crossing=np.array([theta, phi]).T, phi_out=gamma, p_splitter=error,
                                            X=kind(), phi_pos=side)
            keep(name, which, n, theta, phi, gamma, mesh.matrix(), error if which == "errors" else None)
    for which, target in targets(n, 6).items():
        mesh = clements.ClementsNetwork(M=target)
        keep("meshes", which, n, *mesh.p_crossing.T, mesh.phi_out, mesh.matrix())


def write(path):
    with netcdf_file(path, "w") as file:
        dimensions = {"complex": 2, "side": 2}
        for n in SIZES:
            dimensions |= {f"node_{n}": len(pairs(n)), f"waveguide_{n}": n}
        for name, length in dimensions.items():
            file.createDimension(name, length)
        for (name, which, n), case in cases.items():
            of = {"theta": (f"node_{n}",), "phi": (f"node_{n}",), "gamma": (f"waveguide_{n}",),
                  "coupler_error": (f"node_{n}", "side"), "unitary": (f"waveguide_{n}", f"waveguide_{n}", "complex")}
            for variable, values in case.items():
                values = np.stack([values.real, values.imag], -1) if variable == "unitary" else values
                file.createVariable(f"{name}_{which}_{n}_{variable}", "d", of[variable])[:] = values


def main():
    roots = sys.argv[1:]
    for n in SIZES:
        interferometer(n)
        strawberryfields(n)
        perceval(n)
    for load, run, root in zip((simphox_program, neurophox_program, torchonn_program, meshes_program),
                               (simphox, neurophox, torchonn, meshes), roots, strict=True):
        program = load(root)
        for n in SIZES:
            run(program, n)
    write(HERE / "conventions.nc")
    print(f"{len(cases)} cases of {len({name for name, _, _ in cases})} conventions")


if __name__ == "__main__":
    main()
