"""A network of meshes as a classifier of scikit-learn's."""

import contextlib
import ctypes
import signal
import threading
from typing import Optional

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_array, check_random_state, check_X_y
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_n_features, check_is_fitted, validate_data

from . import _arrays
from . import _library as lib
from ._context import context
from ._library import library
from .chip import Chip
from .errors import ArgumentError, InterruptedByUserError, ShapeError
from .mesh import Mesh, copy_to_plain, mesh_of_plain, style_of

_MOST_CLASSES = 256
_COLUMNS = ("train_loss", "loss", "accuracy", "seconds")


class Classifier(ClassifierMixin, BaseEstimator):
    """Optical neural network: meshes, moduli between them, powers of the first outputs as classes, trained with Adam on
    the cross entropy (Pai et al., Science 380, 398 (2023)).

    layers: meshes.
    modes: waveguides N of each; None: as many as the data need.  Waveguides that the data leave over stay dark.
    reference: one more waveguide, behind the features, has the constant amplitude 1; without it, powers do not tell an
    example from its negative.
    style: phase style of the meshes.
    chip: errors and noise, a cuonn.Chip; None: none.
    gradient: "exact", "analog" or "digital" (measured on the chip), "ideal", "spsa" or "finite-difference" (from losses
    alone).
    epochs, batch_size, learning_rate: of training; a batch is never larger than the data.
    backend: "auto", "reference", "cpu" or "cuda" ("cuda:1": the second GPU); threads: of "cpu", 0: all.
    random_state: of starting phases and the order of examples.

    After fit(): classes_ (classes,), n_features_in_, meshes_ (a cuonn.Mesh of each layer), history_ (an xarray.Dataset
    over epoch: train_loss, mean over the epoch's batches before their updates; loss and accuracy on the training data
    after it; seconds).

    X is (examples, features), real or complex: fields as they enter the chip, in any unit.  Where features differ in
    scale, put a StandardScaler in front.
    """

    def __init__(self, layers: int = 3, modes: Optional[int] = None, reference: bool = True, *, style: str = "top",
                 chip: Optional[Chip] = None, gradient: str = "exact", epochs: int = 50, batch_size: int = 32,
                 learning_rate: float = 0.01, backend: str = "auto", threads: int = 0, random_state=None):
        self.layers = layers
        self.modes = modes
        self.reference = reference
        self.style = style
        self.chip = chip
        self.gradient = gradient
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.backend = backend
        self.threads = threads
        self.random_state = random_state

    # ---- scikit-learn's methods

    def fit(self, X, y) -> "Classifier":
        """Trains on X (examples, features) and labels y (examples,)."""
        X, y = self._validate(X, y)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        shape = self._shape(max(2, len(self.classes_)))
        self.n_modes_ = shape.n_modes
        state = lib.TrainingState()
        library.cuonn_training_state_create(state, shape)
        try:
            self._train(state, shape, self._fields(X), np.ascontiguousarray(labels.ravel(), np.uint8))
            self.meshes_ = [mesh_of_plain(state.network.layers[i]) for i in range(shape.n_layers)]
        finally:
            library.cuonn_training_state_free(state)
        return self

    def decision_function(self, X) -> np.ndarray:
        """Powers at the outputs that are classes (examples, classes); with two classes, the second less the first."""
        powers = self._powers(X)
        return powers[:, 1] - powers[:, 0] if len(self.classes_) == 2 else powers

    def predict_proba(self, X) -> np.ndarray:
        """Softmax of the powers (examples, classes)."""
        powers = self._powers(X)
        shares = np.exp(powers - powers.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def predict(self, X) -> np.ndarray:
        """The class with the largest power for each example (examples,)."""
        powers = self._powers(X)
        return self.classes_[powers.argmax(axis=1)]

    @property
    def history_(self):
        """Numbers of every epoch as an xarray.Dataset."""
        if not hasattr(self, "_records"):
            raise AttributeError("this Classifier has no history before fit()")
        import xarray

        columns = np.array(self._records, dtype=float).reshape(-1, len(_COLUMNS))
        return xarray.Dataset({name: ("epoch", columns[:, i]) for i, name in enumerate(_COLUMNS)},
                              coords={"epoch": np.arange(1, len(columns) + 1)})

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = False
        return tags

    # ---- from arrays to the library

    def _validate(self, X, y=None):
        """X as an array of finite numbers, and y checked against it; complex X is checked here, because scikit-learn
        refuses it."""
        if not isinstance(X, np.ndarray) or X.dtype.kind != "c" or X.ndim != 2:
            found = validate_data(self, X, reset=False) if y is None else validate_data(self, X, y)
            return (found, None) if y is None else found
        _check_n_features(self, X, reset=y is not None)
        check_array(X.imag)
        if y is None:
            check_array(X.real)
            return X, None
        return X, check_X_y(X.real, y)[1]

    def _shape(self, n_classes: int) -> lib.NetworkShape:
        needed = self.n_features_in_ + bool(self.reference)
        modes = max(needed, n_classes, 2) if self.modes is None else _arrays.count("modes", self.modes)
        if modes < needed:
            raise ShapeError(f"X has {self.n_features_in_} features"
                             f"{' and the reference takes one waveguide' if self.reference else ''}; modes is {modes}, "
                             f"at least {needed} are needed")
        if n_classes > min(modes, _MOST_CLASSES):
            raise ShapeError(f"y has {n_classes} classes; {modes} waveguides can tell "
                             f"{min(modes, _MOST_CLASSES)} apart")
        n_layers = _arrays.count("layers", self.layers, 1)
        return lib.NetworkShape(modes, n_layers, n_classes, style_of(self.style), False, None)

    def _fields(self, X) -> np.ndarray:
        fields = np.zeros((len(X), self.n_modes_), np.complex128)
        fields[:, :X.shape[1]] = X
        if self.reference:
            fields[:, X.shape[1]] = 1
        return fields

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(2**31))

    def _options(self, n_examples: int, seed: int) -> lib.TrainingOptions:
        if self.gradient not in lib.GRADIENTS:
            raise ArgumentError(f"gradient is {self.gradient!r}; it is one of {', '.join(lib.GRADIENTS)}")
        options = lib.TrainingOptions()
        library.cuonn_training_options_init(options)
        options.epochs = _arrays.count("epochs", self.epochs, 1)
        options.batch_size = min(_arrays.count("batch_size", self.batch_size, 1), n_examples)
        options.drop_last = False
        options.order = 1  # shuffled
        options.seed = seed
        options.optimizer.learning_rate = _arrays.real("learning_rate", self.learning_rate)
        options.optimizer.restart_bias_correction_each_epoch = False
        options.gradient = lib.GRADIENTS.index(self.gradient)
        options.chip = self._chip_options(self.gradient, style_of(self.style))
        return options

    def _chip_options(self, gradient: str, style: int) -> lib.ChipOptions:
        if not isinstance(self.chip, (Chip, type(None))):
            raise ArgumentError(f"chip is {self.chip!r}; it must be a cuonn.Chip or None")
        return (self.chip or Chip())._options(gradient, style)

    def _train(self, state, shape, fields, labels) -> None:
        seed = self._seed()
        options = self._options(len(fields), seed)
        start = 1 if self.style == "symmetric" else 0  # Haar's phases, or Haar-random unitaries
        library.cuonn_network_initialize(state.network, start, seed)
        library.cuonn_chip_draw_errors(state.network, options.chip)
        examples = lib.Examples(n_examples=len(fields), labels=_arrays.address(labels),
                                fields=lib.Fields(len(fields), shape.n_modes, _arrays.address(fields)))
        records = []

        def on_epoch(unused_user, record, unused_state, unused_improved):
            r = record.contents
            records.append((r.train_loss, r.test_loss, r.test_accuracy, r.seconds))
            return 0

        callbacks = lib.TrainingCallbacks(None, lib.OnProgress(lambda unused_user, unused_progress: 0),
                                          lib.OnEpoch(on_epoch), lib.OnStep())
        with context(self.backend, self.threads) as computing, _stopped_by_interrupt():
            library.cuonn_context_set_method(computing, b"auto")
            library.cuonn_train(state, computing, lib.Dataset(examples, examples), lib.FeaturesOptions(), options,
                                callbacks)
        self._records = records

    def _powers(self, X) -> np.ndarray:
        """At the outputs that are classes, on the chip's phases and errors, without noise of readings."""
        check_is_fitted(self, "meshes_")
        X, _ = self._validate(X)
        fields = self._fields(X)
        with context(self.backend, self.threads) as computing, self._model(computing) as model:
            for layer in range(len(self.meshes_)):
                out = np.empty_like(fields)
                library.cuonn_model_propagate(_arrays.buffer(out), model, 0, layer, _arrays.buffer(fields), False, None)
                fields = np.abs(out).astype(np.complex128)
        return fields[:, :max(1, len(self.classes_))].real ** 2

    @contextlib.contextmanager
    def _model(self, computing):
        """A handle with the trained phases."""
        options, settings, network, model = lib.ModelOptions(), lib.ModelSettings(), lib.Network(), ctypes.c_void_p()
        library.cuonn_model_options_init(options)
        library.cuonn_model_settings_init(settings)
        options.shape = self._shape(max(2, len(self.classes_)))
        settings.chip = self._chip_options("exact", options.shape.style)
        library.cuonn_network_create(network, options.shape)
        try:
            for i, mesh in enumerate(self.meshes_):
                copy_to_plain(network.layers[i], mesh)
            library.cuonn_model_create(model, computing, options)
            library.cuonn_model_set(model, 0, network, None, settings)
            yield model
        finally:
            library.cuonn_model_destroy(model)
            library.cuonn_network_free(network)


@contextlib.contextmanager
def _stopped_by_interrupt():
    """Ctrl-C ends training after its present step, and is raised then.  Only the main thread hears signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *unused: library.cuonn_request_stop())
    try:
        yield
    except InterruptedByUserError:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)
        library.cuonn_clear_stop()
