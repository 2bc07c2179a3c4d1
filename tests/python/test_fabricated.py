"""cuonn.FabricatedChip against numbers of its own, the program `cuonn`, and what a classifier makes of one."""

import copy
import json
import pickle
import subprocess

import numpy as np
import pytest
from sklearn.datasets import load_digits

import cuonn
from common import DOUBLE, close
from cuonn import runs

TREE = cuonn.Shape(8, "tree")


def chip(**more):
    """One mesh of 5 waveguides, 10 nodes, 25 shifters; the same numbers in every call."""
    rng = np.random.default_rng(4)
    numbers = dict(coupler_error=rng.normal(0, 0.05, (10, 2)), loss_db=rng.uniform(0, 0.2, (10, 2)),
                   drive_slope=rng.uniform(0.25, 0.35, 25), drive_offset=rng.normal(0, 0.3, 25), most_volts=6.0)
    return cuonn.FabricatedChip(cuonn.Shape(5), **{**numbers, **more})


def same(a, b):
    assert (a.shape, a.style, a.n_layers, a.wavelength) == (b.shape, b.style, b.n_layers, b.wavelength)
    assert (a.least_volts, a.most_volts, a.driver_bits) == (b.least_volts, b.most_volts, b.driver_bits)
    for name in ("coupler_error", "loss_db", "drive_slope", "drive_offset", "crosstalk"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


def test_voltages_set_phases():
    c, m = chip(), cuonn.Mesh.haar(5, 1)
    volts = c.volts(m)
    phases = np.concatenate([m.theta, m.phi, m.gamma])
    set_to = c.drive_offset[0] + c.drive_slope[0] * np.concatenate(volts) ** 2
    assert np.abs(np.exp(1j * set_to) - np.exp(1j * phases)).max() < DOUBLE
    assert all((v >= 0).all() and (v <= 6).all() for v in volts)
    levels = chip(driver_bits=6).volts(m).theta / 6 * 63
    assert np.abs(levels - np.round(levels)).max() < 1e-9
    with pytest.raises(cuonn.DataError, match="does not reach with 0 to 2 V"):
        chip(most_volts=2.0).volts(m)


def test_applies_errors_levels_and_crosstalk():
    c, m = chip(), cuonn.Mesh.haar(5, 1)
    errors = cuonn.Mesh(m.theta, m.phi, m.gamma, coupler_error=c.coupler_error[0], loss_db=c.loss_db[0])
    close(c.apply(m).matrix(), errors.matrix(), DOUBLE)
    assert np.array_equal(c.mesh().coupler_error, c.coupler_error[0]) and not c.mesh().theta.any()
    none = dict(coupler_error=None, loss_db=None, drive_slope=None, drive_offset=None, most_volts=None)
    hot = chip(**none, crosstalk=[(3, 14, 0.1), (0, 1, 0.25)])  # phi of node 4 to theta of 3, and theta of 1 to 0
    got = hot.apply(m)
    moved = got.theta - m.theta
    close(moved[[0, 3]], [0.25 * m.theta[1], 0.1 * m.phi[4]], DOUBLE)
    assert np.abs(np.delete(moved, [0, 3])).max() < DOUBLE and np.abs(got.phi - m.phi).max() < DOUBLE
    assert hot.crosstalk.tolist() == [[0, 0, 1, 0.25], [0, 3, 14, 0.1]]
    found = cuonn.program(m.matrix(), chip(loss_db=None).mesh())
    assert found.error_after < 1e-6 < found.error_before


def test_layers_are_apart():
    two = cuonn.FabricatedChip(TREE, "bottom", 2, coupler_error=np.random.default_rng(5).normal(0, 1, (2, 7, 2)),
                               crosstalk=[(1, 2, 3, 0.5), (0, 4, 5, 0.25), (0, 1, 0, 0.125)])
    assert two.crosstalk.tolist() == [[0, 1, 0, 0.125], [0, 4, 5, 0.25], [1, 2, 3, 0.5]]
    m = cuonn.Mesh(np.ones(7), np.ones(7), np.ones(8), "bottom", architecture="tree")
    for layer in (0, 1):
        assert np.array_equal(two.apply(m, layer).coupler_error, two.coupler_error[layer])
    close(two.apply(m, 1).theta, [1, 1, 1.5, 1, 1, 1, 1], DOUBLE)
    with pytest.raises(cuonn.ShapeError, match="layer 2 of a chip of 2"):
        two.apply(m, 2)


def test_is_copied_pickled_saved_and_loaded(tmp_path):
    whole = chip(driver_bits=8, crosstalk=[(3, 14, 0.1)], wavelength=1310)
    plain = cuonn.FabricatedChip(TREE, loss_db=np.random.default_rng(6).uniform(0, 1, (7, 2)))
    for c in (whole, plain):
        same(pickle.loads(pickle.dumps(c)), c)
        same(copy.deepcopy(c), c)
        c.save(tmp_path / "chip.nc")
        same(cuonn.FabricatedChip.load(tmp_path / "chip.nc"), c)
    with pytest.raises(ValueError):
        whole.coupler_error[0, 0, 0] = 1


def test_is_drawn_as_the_program_draws(tmp_path):
    options = cuonn.Chip(seed=5, coupler_std=0.02, loss_mean=0.1, loss_std=0.02, crosstalk=0.03)
    drawn = cuonn.FabricatedChip.draw(cuonn.Shape(6), options, "differential", 2, drive_slope=0.3, drive_slope_std=0.05,
                                      drive_offset_std=0.2, most_volts=6.0, driver_bits=12)
    settings = ("network.modes=6", "network.layers=2", "network.phase_style=differential", "chip.seed=5",
                "chip.coupler_std=0.02", "chip.loss_mean=0.1", "chip.loss_std=0.02", "chip.crosstalk=0.03")
    subprocess.run([runs.program(), "chip", "new", *(w for s in settings for w in ("--set", s)), "--drive-slope", "0.3",
                    "--drive-slope-std", "0.05", "--drive-offset-std", "0.2", "--most-volts", "6", "--driver-bits",
                    "12", "--output", tmp_path / "chip.nc"], check=True, capture_output=True)
    same(drawn, cuonn.FabricatedChip.load(tmp_path / "chip.nc"))
    assert drawn.coupler_error.std() == pytest.approx(0.02, rel=0.3) and len(drawn.crosstalk) > 100
    # and the program takes what Python has written
    drawn.save(tmp_path / "own.nc")
    said = subprocess.run([runs.program(), "chip", "show", tmp_path / "own.nc", "--json"], check=True,
                          capture_output=True, text=True).stdout
    assert json.loads(said)["crosstalk"] == len(drawn.crosstalk)


def test_a_classifier_is_trained_on_it():
    X, y = load_digits(return_X_y=True)
    X, y = X[:100] / 16, y[:100]
    shape = cuonn.Shape(65)
    made = cuonn.FabricatedChip.draw(shape, cuonn.Chip(coupler_std=0.05, seed=2), drive_slope=0.3, most_volts=6.0,
                                     driver_bits=4)
    clf = cuonn.Classifier(layers=1, epochs=1, chip=cuonn.Chip(fabricated=made), random_state=0).fit(X, y)
    assert np.array_equal(clf.meshes_[0].coupler_error, made.coupler_error[0])
    light = made.apply(clf.meshes_[0]).propagate(clf._fields(X))
    assert np.allclose(clf.decision_function(X), np.abs(light[:, :10]) ** 2, rtol=1e-3, atol=1e-5)
    again = pickle.loads(pickle.dumps(clf))
    assert np.array_equal(again.decision_function(X), clf.decision_function(X))
    for chip_, error, text in (
            (cuonn.Chip(fabricated=made, coupler_std=0.1), cuonn.ArgumentError, "coupler"),
            (cuonn.Chip(fabricated=chip()), cuonn.ShapeError, "the network 1 rectangular mesh of 65"),
            (cuonn.Chip(fabricated="chip.nc"), cuonn.ArgumentError, "fabricated is str")):
        with pytest.raises(error, match=text):
            cuonn.Classifier(layers=1, epochs=1, chip=chip_, random_state=0).fit(X, y)


@pytest.mark.parametrize("make, error, text", (
    (lambda: cuonn.FabricatedChip(5), cuonn.ArgumentError, "shape is int"),
    (lambda: cuonn.FabricatedChip(TREE, "up"), cuonn.ArgumentError, "style is 'up'"),
    (lambda: cuonn.FabricatedChip(TREE, n_layers=0), cuonn.ArgumentError, "n_layers is 0"),
    (lambda: cuonn.FabricatedChip(TREE, coupler_error=np.zeros((6, 2))), cuonn.ShapeError, r"\(1, 7, 2\) is needed"),
    (lambda: cuonn.FabricatedChip(TREE, loss_db=np.full((7, 2), np.nan)), cuonn.NonFiniteError, "loss_db"),
    (lambda: cuonn.FabricatedChip(TREE, drive_slope=np.ones(22)), cuonn.ArgumentError, "most_volts"),
    (lambda: cuonn.FabricatedChip(TREE, most_volts=5), cuonn.ArgumentError, "need drive_slope"),
    (lambda: cuonn.FabricatedChip(TREE, drive_slope=np.zeros(22), most_volts=5), cuonn.DataError, "is 0: no voltage"),
    (lambda: cuonn.FabricatedChip(TREE, crosstalk=[(1, 2)]), cuonn.ShapeError, "crosstalk has the shape"),
    (lambda: cuonn.FabricatedChip(TREE, crosstalk=[(0.5, 2, 1)]), cuonn.ArgumentError, "whole numbers"),
    (lambda: cuonn.FabricatedChip(TREE, crosstalk=[(1, 14, 1)]), cuonn.DataError, "shifters 1 and 14"),
    (lambda: cuonn.FabricatedChip(TREE, crosstalk=[(1, 2, 1), (1, 2, 3)]), cuonn.DataError, "each once"),
    (lambda: cuonn.FabricatedChip.draw(TREE, cuonn.Chip(phase_bits=3)), cuonn.ArgumentError, "phase_bits"),
    (lambda: cuonn.FabricatedChip.draw(TREE, cuonn.Chip(), drive_slope=1), cuonn.ArgumentError, "most_volts"),
    (lambda: cuonn.FabricatedChip.load("nowhere.nc"), cuonn.FileError, "nowhere.nc"),
    (lambda: chip().apply(cuonn.Mesh.haar(6, 1)), cuonn.ShapeError, "the network 1 rectangular mesh of 6"),
))
def test_refuses(make, error, text):
    with pytest.raises(error, match=text):
        make()
