"""The C library by ctypes: its structs, its functions, and failures as exceptions.

Structs are declared here anew; tests/python/test_layout.py compares them with what the library says of itself
(cuonn/layout.h).  Formulas and errors of each function stand in the headers, include/cuonn/.
"""

import ctypes
import os
import pathlib
from ctypes import CFUNCTYPE, POINTER, c_bool, c_char_p, c_double, c_int, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p

from .errors import ArgumentError, error_of

Style = c_int
STYLES = ("top", "bottom", "symmetric", "differential")  # cuonn_phase_style
ARCHITECTURES = ("rectangular", "triangular", "butterfly", "tree", "custom")  # cuonn_architecture
NODES = ("mzi", "mzi3", "mzix")  # cuonn_node_kind
PROGRAMMING_METHODS = ("decompose", "local", "nulling", "gradient")  # cuonn_programming_method
COLUMNS_MAX = 16384  # CUONN_COLUMNS_MAX
GRADIENTS = ("exact", "analog", "digital", "ideal", "spsa", "finite-difference")  # cuonn_gradient_method
FLOAT32, FLOAT64, COMPLEX64, COMPLEX128 = range(4)  # cuonn_number
HOST, DEVICE = range(2)  # cuonn_memory


def _struct(name, *fields):
    """A struct `name` of the headers; a pointer that only the library follows is c_void_p."""
    return type(name, (ctypes.Structure,), {"_fields_": list(fields)})


Buffer = _struct("cuonn_buffer", ("data", c_void_p), ("type", c_int), ("memory", c_int), ("count", c_size_t))
PhaseBuffers = _struct("cuonn_phase_buffers", ("theta", Buffer), ("phi", Buffer), ("gamma", Buffer))
Function = _struct(
    "cuonn_function", ("backend", c_char_p), ("threads", c_int), ("n_modes", c_size_t), ("shape", c_void_p),
    ("style", c_int), ("coupler_error", c_void_p), ("loss_db", c_void_p))
Mesh = _struct(
    "cuonn_mesh", ("shape", c_void_p), ("n_modes", c_size_t), ("n_nodes", c_size_t), ("style", c_int),
    ("theta", POINTER(c_double)), ("phi", POINTER(c_double)), ("gamma", POINTER(c_double)),
    ("coupler_error", POINTER(c_double)), ("loss_db", POINTER(c_double)))
MeshColumn = _struct(
    "cuonn_mesh_column", ("kind", c_int), ("first", c_size_t), ("count", c_size_t), ("pairs", POINTER(c_uint32)),
    ("contiguous", c_bool))
Nearest = _struct(
    "cuonn_nearest", ("frobenius", c_double), ("largest", c_double), ("least_singular", c_double),
    ("largest_singular", c_double))
ProgrammingOptions = _struct(
    "cuonn_programming_options", ("method", c_int), ("tap_shot", c_double), ("seed", c_uint64),
    ("iterations", c_size_t))
MatrixDistance = _struct("cuonn_matrix_distance", ("error", c_double), ("normalised", c_double))
ProgrammingResult = _struct(
    "cuonn_programming_result", ("before", MatrixDistance), ("after", MatrixDistance), ("out_of_reach", c_size_t),
    ("readings", c_size_t), ("iterations", c_size_t))
Nonlinearity = _struct(
    "cuonn_nonlinearity", ("kind", c_int), ("optical_depth", c_double), ("saturation_power", c_double),
    ("tap", c_double), ("gain", c_double), ("bias", c_double))
NetworkShape = _struct(
    "cuonn_network_shape", ("n_modes", c_size_t), ("n_layers", c_size_t), ("n_classes", c_size_t), ("style", c_int),
    ("loss_per_class", c_bool), ("mesh", c_void_p), ("nonlinearity", Nonlinearity), ("loss", c_int),
    ("layer", c_int), ("amplitude_limit", c_double))
Network = _struct("cuonn_network", ("shape", NetworkShape), ("layers", POINTER(Mesh)), ("amplitudes", POINTER(c_double)))
Fields = _struct("cuonn_fields", ("n_examples", c_size_t), ("n_modes", c_size_t), ("values", c_void_p))
Examples = _struct(
    "cuonn_examples", ("n_examples", c_size_t), ("height", c_size_t), ("width", c_size_t), ("pixels", c_void_p),
    ("labels", c_void_p), ("source", c_char_p), ("grey", c_void_p), ("fields", Fields))
Dataset = _struct("cuonn_dataset", ("train", Examples), ("test", Examples))
FeaturesOptions = _struct(
    "cuonn_features_options", ("kind", c_int), ("radius", c_size_t), ("side", c_size_t), ("border", c_size_t),
    ("width", c_size_t), ("frequencies", c_size_t), ("reference", c_bool))
Driver = _struct("cuonn_driver", ("least", c_double), ("most", c_double), ("bits", c_size_t))
Crosstalk = _struct("cuonn_crosstalk", ("to", c_uint32), ("from", c_uint32), ("share", c_double))
Fabricated = _struct(
    "cuonn_fabricated", ("n_layers", c_size_t), ("shape", c_void_p), ("style", c_int), ("wavelength", c_double),
    ("coupler_error", c_void_p), ("loss_db", c_void_p), ("driver", Driver), ("drive_offset", c_void_p),
    ("drive_slope", c_void_p), ("crosstalk_first", c_void_p), ("crosstalk", c_void_p))
DriveLaw = _struct(
    "cuonn_drive_law", ("slope", c_double), ("slope_std", c_double), ("offset", c_double), ("offset_std", c_double))
ChipOptions = _struct(
    "cuonn_chip_options", ("seed", c_uint64), ("measurement", c_int), ("scale", c_int), ("noise_draw", c_int),
    ("tap_shot", c_double), ("io_amplitude", c_double), ("io_phase", c_double), ("coupler_mean", c_double),
    ("coupler_std", c_double), ("coupler_equal", c_bool), ("loss_mean", c_double), ("loss_std", c_double),
    ("loss_law", c_int), ("phase_bits", c_size_t), ("crosstalk", c_double), ("crosstalk_decay", c_double),
    ("phase_error", c_double), ("perturbation", c_double), ("estimates", c_size_t), ("fabricated", c_void_p))
OptimizerOptions = _struct(
    "cuonn_optimizer_options", ("kind", c_int), ("learning_rate", c_double), ("momentum", c_double),
    ("beta1", c_double), ("beta2", c_double), ("epsilon", c_double), ("restart_bias_correction_each_epoch", c_bool))
TrainingOptions = _struct(
    "cuonn_training_options", ("epochs", c_size_t), ("batch_size", c_size_t), ("drop_last", c_bool), ("order", c_int),
    ("seed", c_uint64), ("schedule", c_int), ("optimizer", OptimizerOptions), ("gradient", c_int),
    ("train_gamma", c_bool), ("chip", ChipOptions), ("gradient_error_every", c_size_t))
ModelOptions = _struct(
    "cuonn_model_options", ("n_models", c_size_t), ("shape", NetworkShape), ("batch_size", c_size_t), ("order", c_int),
    ("gradient", c_int), ("measurement", c_int))
ModelSettings = _struct(
    "cuonn_model_settings", ("optimizer", OptimizerOptions), ("seed", c_uint64), ("gradient", c_int),
    ("train_gamma", c_bool), ("chip", ChipOptions))
TrainingState = _struct(
    "cuonn_training_state", ("network", Network), ("moments", POINTER(c_double)), ("step", c_uint64),
    ("epoch_loss_sum", c_double), ("epoch_seconds", c_double), ("best_accuracy", c_double))
EpochRecord = _struct(
    "cuonn_epoch_record", ("epoch", c_size_t), ("train_loss", c_double), ("test_loss", c_double),
    ("test_accuracy", c_double), ("seconds", c_double), ("examples_per_second", c_double),
    ("gradient_error_small", c_double), ("gradient_error_batch", c_double), ("n_layers", c_size_t),
    ("gradient_errors", POINTER(c_double)))
OnProgress = CFUNCTYPE(c_int, c_void_p, c_void_p)
OnEpoch = CFUNCTYPE(c_int, c_void_p, POINTER(EpochRecord), POINTER(TrainingState), c_bool)
OnStep = CFUNCTYPE(c_int, c_void_p, c_uint64, c_double)
TrainingCallbacks = _struct(
    "cuonn_training_callbacks", ("user", c_void_p), ("on_progress", OnProgress), ("on_epoch", OnEpoch),
    ("on_step", OnStep))
Layout = _struct("cuonn_layout", ("type", c_char_p), ("field", c_char_p), ("offset", c_size_t), ("size", c_size_t))

STRUCTS = (
    Buffer, PhaseBuffers, Function, Mesh, MeshColumn, Nearest, ProgrammingOptions, MatrixDistance,
    ProgrammingResult, NetworkShape, Network, Fields, Examples, Dataset, FeaturesOptions, Driver, Crosstalk,
    Fabricated, DriveLaw, ChipOptions,
    OptimizerOptions, TrainingOptions, ModelOptions, ModelSettings, TrainingState, EpochRecord, TrainingCallbacks)

# Functions that give a status, with their arguments.
_FALLIBLE = {
    "cuonn_function_propagate": (POINTER(Buffer), POINTER(Function), c_size_t, POINTER(PhaseBuffers), POINTER(Buffer),
                                 c_bool, c_void_p),
    "cuonn_function_vjp": (POINTER(PhaseBuffers), POINTER(Buffer), POINTER(Function), c_size_t, POINTER(PhaseBuffers),
                           POINTER(Buffer), POINTER(Buffer), c_void_p),
    "cuonn_mesh_shape_make": (POINTER(c_void_p), c_int, c_size_t, c_size_t),
    "cuonn_mesh_shape_create": (POINTER(c_void_p), c_size_t, c_size_t, POINTER(c_size_t), c_void_p),
    "cuonn_mesh_shape_with_node": (POINTER(c_void_p), c_void_p, c_int),
    "cuonn_mesh_create_shaped": (POINTER(Mesh), c_void_p, c_int),
    "cuonn_mesh_check": (POINTER(Mesh),),
    "cuonn_mesh_decompose": (POINTER(Mesh), c_void_p),
    "cuonn_mesh_wrap": (POINTER(Mesh),),
    "cuonn_mesh_read": (POINTER(Mesh), c_char_p),
    "cuonn_mesh_write": (c_char_p, POINTER(Mesh)),
    "cuonn_haar_unitary": (c_void_p, c_size_t, c_uint64, c_uint32),
    "cuonn_nearest_unitary": (c_void_p, POINTER(Nearest), c_void_p, c_size_t),
    "cuonn_chip_program": (POINTER(Mesh), POINTER(ProgrammingResult), c_void_p, c_void_p, POINTER(ProgrammingOptions)),
    "cuonn_network_create": (POINTER(Network), POINTER(NetworkShape)),
    "cuonn_network_initialize": (POINTER(Network), c_int, c_uint64),
    "cuonn_network_read": (POINTER(Network), c_char_p),
    "cuonn_network_write": (c_char_p, POINTER(Network)),
    "cuonn_chip_check": (POINTER(ChipOptions), c_int, c_int),
    "cuonn_chip_draw_errors": (POINTER(Network), POINTER(ChipOptions)),
    "cuonn_fabricated_create": (POINTER(Fabricated), c_void_p, c_int, c_size_t),
    "cuonn_fabricated_add_drive": (POINTER(Fabricated), POINTER(Driver)),
    "cuonn_fabricated_check": (POINTER(Fabricated),),
    "cuonn_fabricated_draw": (POINTER(Fabricated), POINTER(ChipOptions), POINTER(DriveLaw)),
    "cuonn_fabricated_read": (POINTER(Fabricated), c_char_p),
    "cuonn_fabricated_write": (c_char_p, POINTER(Fabricated)),
    "cuonn_fabricated_put_errors": (POINTER(Mesh), POINTER(Fabricated), c_size_t),
    "cuonn_fabricated_apply": (POINTER(Mesh), POINTER(Fabricated), c_size_t),
    "cuonn_fabricated_volts": (c_void_p, POINTER(Fabricated), c_size_t, POINTER(Mesh)),
    "cuonn_convention_parse": (POINTER(c_void_p), c_char_p),
    "cuonn_mesh_convert": (POINTER(Mesh), c_void_p, c_void_p),
    "cuonn_context_create": (POINTER(c_void_p), c_char_p, c_int),
    "cuonn_context_set_method": (c_void_p, c_char_p),
    "cuonn_backend_device": (c_char_p, c_size_t, c_char_p, c_int),
    "cuonn_model_create": (POINTER(c_void_p), c_void_p, POINTER(ModelOptions)),
    "cuonn_model_set": (c_void_p, c_size_t, POINTER(Network), c_void_p, POINTER(ModelSettings)),
    "cuonn_model_propagate": (POINTER(Buffer), c_void_p, c_size_t, c_size_t, POINTER(Buffer), c_bool, c_void_p),
    "cuonn_training_state_create": (POINTER(TrainingState), POINTER(NetworkShape)),
    "cuonn_train": (POINTER(TrainingState), c_void_p, POINTER(Dataset), POINTER(FeaturesOptions),
                    POINTER(TrainingOptions), POINTER(TrainingCallbacks)),
}

# The others: what they give, and their arguments.
_OTHERS = {
    "cuonn_last_error": (c_char_p,),
    "cuonn_version": (c_char_p,),
    "cuonn_build": (c_char_p,),
    "cuonn_libraries": (c_char_p,),
    "cuonn_backend_name": (c_char_p, c_size_t),
    "cuonn_layout_at": (c_bool, POINTER(Layout), c_size_t),
    "cuonn_function_release": (c_size_t,),
    "cuonn_mesh_free": (None, POINTER(Mesh)),
    "cuonn_mesh_shape_architecture": (c_int, c_void_p),
    "cuonn_mesh_shape_column": (MeshColumn, c_void_p, c_size_t),
    "cuonn_mesh_shape_columns": (c_size_t, c_void_p),
    "cuonn_mesh_shape_node": (c_int, c_void_p),
    "cuonn_mesh_shape_free": (None, c_void_p),
    "cuonn_mesh_shape_modes": (c_size_t, c_void_p),
    "cuonn_mesh_shape_nodes": (c_size_t, c_void_p),
    "cuonn_node_kind_couplers": (c_size_t, c_int),
    "cuonn_mesh_shape_share": (c_void_p, c_void_p),
    "cuonn_network_free": (None, POINTER(Network)),
    "cuonn_fabricated_free": (None, POINTER(Fabricated)),
    "cuonn_convention_at": (c_void_p, c_size_t),
    "cuonn_convention_name": (c_char_p, c_void_p),
    "cuonn_context_free": (None, c_void_p),
    "cuonn_request_stop": (None,),
    "cuonn_clear_stop": (None,),
    "cuonn_model_destroy": (None, c_void_p),
    "cuonn_model_options_init": (None, POINTER(ModelOptions)),
    "cuonn_model_settings_init": (None, POINTER(ModelSettings)),
    "cuonn_training_state_free": (None, POINTER(TrainingState)),
    "cuonn_chip_options_init": (None, POINTER(ChipOptions)),
    "cuonn_training_options_init": (None, POINTER(TrainingOptions)),
    "cuonn_features_options_init": (None, POINTER(FeaturesOptions)),
}


def _open() -> ctypes.CDLL:
    """The library: that of the environment variable CUONN_LIBRARY, that beside this package, or the system's."""
    own = pathlib.Path(__file__).with_name("lib") / "libcuonn.so.1"
    path = os.environ.get("CUONN_LIBRARY") or (str(own) if own.exists() else "libcuonn.so.1")
    try:
        return ctypes.CDLL(path)
    except OSError as reason:
        raise ImportError(
            f"the library of cuONN cannot be loaded: {reason}; install the package cuonn with pip, or set "
            "CUONN_LIBRARY to the path of libcuonn.so.1") from None


def text(name: str, value) -> bytes:
    """A word for the library."""
    if not isinstance(value, str):
        raise ArgumentError(f"{name} is {value!r}; it must be a text")
    return value.encode()


library = _open()


def _check(status, function, arguments):
    if status != 0:
        raise error_of(status, library.cuonn_last_error().decode(errors="replace"))


for _name, _arguments in _FALLIBLE.items():
    _function = getattr(library, _name)
    _function.argtypes, _function.restype, _function.errcheck = _arguments, c_int, _check
for _name, (_result, *_arguments) in _OTHERS.items():
    _function = getattr(library, _name)
    _function.argtypes, _function.restype = _arguments, _result
