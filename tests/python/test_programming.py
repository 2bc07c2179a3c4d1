"""cuonn.program against matrices of the chips that it gives back, and against the program `cuonn`."""

import json
import subprocess

import numpy as np
import pytest

import cuonn
from common import DOUBLE, close
from cuonn import runs


def chip(n, architecture="rectangular", std=0.05):
    errors = np.random.default_rng(n).normal(0, std, (n * (n - 1) // 2, 2))
    zeros = np.zeros(len(errors))
    return cuonn.Mesh(zeros, zeros, np.zeros(n), architecture=architecture, coupler_error=errors)


def target(n):
    return cuonn.Mesh.haar(n, seed=5).matrix()


def distance(m, u):
    return np.linalg.norm(m.matrix() - u) / np.sqrt(len(u))


@pytest.mark.parametrize("method", ("decompose", "local", "nulling", "gradient"))
@pytest.mark.parametrize("architecture", ("rectangular", "triangular"))
@pytest.mark.parametrize("n", (2, 5, 8))
def test_errors_are_those_of_the_matrices(n, architecture, method):
    c, u = chip(n, architecture), target(n)
    found = cuonn.program(u, c, method, iterations=20)
    plain = cuonn.Mesh.from_unitary(u, architecture=architecture)
    plain.coupler_error = c.coupler_error
    assert abs(distance(found.mesh, u) - found.error_after) < DOUBLE
    assert abs(distance(plain, u) - found.error_before) < DOUBLE
    assert np.array_equal(found.mesh.coupler_error, c.coupler_error) and found.mesh.shape == c.shape
    assert not c.theta.any()
    if method == "decompose":
        assert abs(found.error_after - found.error_before) < DOUBLE
        close(found.mesh.matrix(), plain.matrix(), DOUBLE)
    elif method == "nulling":  # nodes that cannot extinguish what they should leave a part of the error
        assert found.error_after < 0.2 * found.error_before
    elif found.out_of_reach == 0:
        assert found.error_after < 1e-6 < found.error_before
    assert (found.readings > 0) == (method == "nulling")


def test_is_the_program(tmp_path):
    c, u = chip(6), target(6)
    c.save(tmp_path / "chip.nc")
    cuonn.Mesh.from_unitary(u).save(tmp_path / "wanted.nc")
    subprocess.run([runs.program(), "matrix", tmp_path / "wanted.nc", "--backend", "reference", "--output",
                    tmp_path / "u.nc"], check=True)
    said = subprocess.run([runs.program(), "program", tmp_path / "u.nc", "--chip", tmp_path / "chip.nc", "--method",
                           "nulling", "--tap-shot", "0.001", "--seed", "3", "--output", tmp_path / "out.nc", "--json"],
                          check=True, capture_output=True, text=True).stdout
    found = cuonn.program(cuonn.Mesh.from_unitary(u).matrix(), c, "nulling", tap_shot=0.001, seed=3)
    said = json.loads(said)
    assert said["readings"] == found.readings
    assert abs(said["error_after"] - found.error_after) < 1e-6
    close(cuonn.Mesh.load(tmp_path / "out.nc").matrix(), found.mesh.matrix(), 1e-6)


@pytest.mark.parametrize("call, error, text", (
    (lambda c: cuonn.program(target(5), c, "magic"), cuonn.ArgumentError, "it is one of decompose, local, nulling"),
    (lambda c: cuonn.program(target(5), "chip.nc"), cuonn.ArgumentError, "chip is str"),
    (lambda c: cuonn.program(target(4), c), cuonn.ShapeError, "the chip 5 waveguides"),
    (lambda c: cuonn.program(np.ones((5, 5)), c), cuonn.DataError, "not unitary"),
    (lambda c: cuonn.program(target(5), c, "gradient", iterations=0), cuonn.ArgumentError, "iterations"),
    (lambda c: cuonn.program(target(5), c, tap_shot="a"), cuonn.ArgumentError, "tap_shot"),
    (lambda c: cuonn.program(target(5), cuonn.Mesh(np.zeros(4), np.zeros(4), np.zeros(5), architecture="tree")),
     cuonn.ArgumentError, "every unitary"),
))
def test_refuses(call, error, text):
    with pytest.raises(error, match=text) as caught:
        call(chip(5))
    assert "\n" not in str(caught.value)
