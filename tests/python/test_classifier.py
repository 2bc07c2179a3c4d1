"""cuonn.Classifier: what scikit-learn asks of an estimator, real data, chips, complex fields."""

import pickle
import signal
import threading

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks

import cuonn


@parametrize_with_checks([cuonn.Classifier(layers=2, random_state=0, threads=1)])
def test_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, random_state=0)


def test_digits(digits):
    """Better than a nearest mean by far: .90 of the test examples, as any start of the phases gives."""
    X, Xt, y, yt = digits
    clf = cuonn.Classifier(layers=2, epochs=15, random_state=7).fit(X, y)
    assert clf.score(Xt, yt) > 0.9
    history = clf.history_
    assert list(history.epoch.values) == list(range(1, 16)) and history.train_loss[0] > history.train_loss[-1]
    assert abs(history.accuracy[-1] - clf.score(X, y)) < 1e-12 + 2 / len(y)
    again = cuonn.Classifier(layers=2, epochs=15, random_state=7).fit(X, y)
    assert np.array_equal(again.meshes_[1].theta, clf.meshes_[1].theta)
    assert np.array_equal(pickle.loads(pickle.dumps(clf)).predict(Xt), clf.predict(Xt))
    assert np.allclose(clf.predict_proba(Xt).sum(axis=1), 1)


def test_chip(digits):
    """Errors are drawn from the chip's seed, and predictions are made with the phases that the chip applies."""
    X, _, y, _ = digits
    chip = cuonn.Chip(coupler_std=0.02, seed=3)
    clf = cuonn.Classifier(layers=1, epochs=1, chip=chip, random_state=0).fit(X[:100], y[:100])
    other = cuonn.Classifier(layers=1, epochs=1, chip=chip, random_state=1).fit(X[:100], y[:100])
    assert clf.meshes_[0].coupler_error.std() == pytest.approx(0.02, rel=0.1)
    assert np.array_equal(clf.meshes_[0].coupler_error, other.meshes_[0].coupler_error)
    powers = clf.decision_function(X)
    assert np.allclose(powers, np.abs(clf.meshes_[0].propagate(clf._fields(X))[:, :10]) ** 2, rtol=1e-4, atol=1e-6)
    clf.chip = cuonn.Chip(coupler_std=0.02, seed=3, phase_bits=2)
    assert np.abs(clf.decision_function(X) - powers).max() > 0.01


def test_measured_gradients(digits):
    X, _, y, _ = digits
    clf = cuonn.Classifier(layers=1, epochs=4, gradient="analog", chip=cuonn.Chip(measurement="matrix"), random_state=0)
    assert clf.fit(X[:300], y[:300]).score(X[:300], y[:300]) > 0.5


def test_complex_fields():
    """Classes that only the phase of the second waveguide tells apart."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    X = np.stack([np.ones(400), np.exp(1j * (np.pi * y + rng.normal(0, 0.3, 400)))], axis=1)
    clf = cuonn.Classifier(layers=1, reference=False, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.95
    with pytest.raises(ValueError):
        clf.predict(np.full((1, 2), np.nan + 0j))


@pytest.mark.parametrize("options, error, text", (
    (dict(modes=10), cuonn.ShapeError, "modes is 10, at least 65 are needed"),
    (dict(gradient="best"), cuonn.ArgumentError, "gradient is 'best'"),
    (dict(style="up"), cuonn.ArgumentError, "style is 'up'"),
    (dict(backend="gpu"), cuonn.ArgumentError, "gpu"),
    (dict(chip=cuonn.Chip(noise_draw="often")), cuonn.ArgumentError, "noise_draw is 'often'"),
    (dict(chip=cuonn.Chip(tap_shot=-1)), cuonn.ArgumentError, "tap_shot"),
    (dict(layers=0), cuonn.ArgumentError, "layers is 0"),
    (dict(layers=-1), cuonn.ArgumentError, "layers is -1"),
    (dict(epochs=1.5), cuonn.ArgumentError, "epochs is 1.5; it must be a whole number"),
    (dict(batch_size=-5), cuonn.ArgumentError, "batch_size is -5"),
    (dict(learning_rate="x"), cuonn.ArgumentError, "learning_rate is 'x'"),
    (dict(learning_rate=np.nan), cuonn.ArgumentError, "learning_rate is nan"),
    (dict(threads="x"), cuonn.ArgumentError, "threads is 'x'"),
    (dict(backend=None), cuonn.ArgumentError, "backend is None"),
    (dict(backend="cuda"), cuonn.DeviceError, "cuda"),
    (dict(chip={"coupler_std": 0.02}), cuonn.ArgumentError, "it must be a cuonn.Chip or None"),
    (dict(chip=cuonn.Chip(seed=-1)), cuonn.ArgumentError, "seed is -1"),
    (dict(chip=cuonn.Chip(coupler_std="x")), cuonn.ArgumentError, "coupler_std is 'x'"),
))
def test_refuses(digits, options, error, text):
    X, _, y, _ = digits
    with pytest.raises(error, match=text):
        cuonn.Classifier(**{"epochs": 1, **options}).fit(X[:50], y[:50])


def test_interrupt(digits):
    """Ctrl-C ends training within a step; the handler that was there before is there again."""
    X, _, y, _ = digits
    before = signal.getsignal(signal.SIGINT)
    timer = threading.Timer(0.5, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            cuonn.Classifier(epochs=1_000_000).fit(X, y)
    finally:
        timer.cancel()
    assert signal.getsignal(signal.SIGINT) is before
    cuonn.Classifier(layers=1, epochs=1).fit(X[:50], y[:50])
