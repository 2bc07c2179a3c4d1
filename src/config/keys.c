#include "config/keys.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "config/value.h"
#include "cuonn/grid.h"

static const char *const data_kinds[] = {"images", "fields", NULL};
static const char *const features[] = {"fourier", "resample", "radial", NULL};
static const char *const styles[] = {"top", "bottom", "symmetric", "differential", NULL};
static const char *const architectures[] = {"rectangular", "triangular", "butterfly", "tree", "custom", NULL};
static const char *const layer_kinds[] = {"unitary", "svd", "diagonal", NULL};
static const char *const nonlinearities[] = {"modulus", "square", "saturable", "electro-optic", NULL};
static const char *const losses[] = {"cross-entropy", "squared-error", NULL};
static const char *const starts[] = {"haar", "haar-phases", "file", NULL};
static const char *const orders[] = {"fixed", "shuffled", NULL};
static const char *const schedules[] = {"constant", "cosine", NULL};
static const char *const optimizers[] = {"adam", "sgd", NULL};
static const char *const gradients[] = {"exact", "analog", "digital", "ideal", "spsa", "finite-difference", NULL};
static const char *const measurements[] = {"example", "matrix", NULL};
static const char *const scales[] = {"example", "study", NULL};
static const char *const draws[] = {"fresh", "frozen", "frozen-per-use", "frozen-shared", NULL};
static const char *const loss_laws[] = {"truncated", "study", NULL};
static const char *const presets[] = {"figure", "default", "cited", NULL};
static const char *const detections[] = {"homodyne", "direct", NULL};
static const char *const component_sets[] = {"study", "ring", "mzm", NULL};
static const char *const schemes[] = {"analog", "analog-switched", "digital", "study", NULL};
static const char *const tap_readings[] = {"batch", "example", NULL};
static const char *const holding_laws[] = {"heater", "constant", NULL};
static const char *const dataflows[] = {"sequential", "streaming", "reused", NULL};
static const char *const nodes[] = {"mzi", "mzi3", "mzix", NULL};
static const char *const methods[] = {"columns", "dense", "auto", NULL};
static const char *const backends[] = {"auto", "reference", "cpu", "cuda", NULL};

#define MEMBER(member) .offset = offsetof(cuonn_config, member), .size = sizeof(((cuonn_config *)0)->member)
#define INTEGER(member, from, to) .type = CONFIG_INTEGER, MEMBER(member), .least = (from), .most = (to)
#define NUMBER(member, from, to) .type = CONFIG_NUMBER, MEMBER(member), .low = (from), .high = (to)
#define ABOVE(member, from, to) NUMBER(member, from, to), .above_low = true
#define BOOLEAN(member) .type = CONFIG_BOOLEAN, MEMBER(member)
#define TEXT(member, shortest) \
  .type = CONFIG_TEXT, MEMBER(member), .least = (shortest), .most = sizeof(((cuonn_config *)0)->member) - 1
#define CHOICE(member, of) .type = CONFIG_CHOICE, MEMBER(member), .choices = (of)
#define NAME(member, of) .type = CONFIG_NAME, MEMBER(member), .choices = (of)

const config_key config_keys[] = {
    {"data.kind", CHOICE(data.kind, data_kinds), .default_value = "images", .unit = "",
     .sentence = "What the examples are: images, of which features are made, or the fields that enter the chip.",
     .decides = true},
    {"data.path", TEXT(data.path, 1), .default_value = "/usr/share/datasets/fashion-mnist", .unit = "",
     .sentence = "With `images`: folder with four IDX files, those of MNIST or Fashion-MNIST, gzipped or not."},
    {"data.train_images", TEXT(data.names[0], 1), .default_value = "train-images-idx3-ubyte", .unit = "",
     .sentence = "With `images`: file of the training images in that folder, with or without `.gz`."},
    {"data.train_labels", TEXT(data.names[1], 1), .default_value = "train-labels-idx1-ubyte", .unit = "",
     .sentence = "With `images`: file of their labels."},
    {"data.test_images", TEXT(data.names[2], 1), .default_value = "t10k-images-idx3-ubyte", .unit = "",
     .sentence = "With `images`: file of the test images."},
    {"data.test_labels", TEXT(data.names[3], 1), .default_value = "t10k-labels-idx1-ubyte", .unit = "",
     .sentence = "With `images`: file of their labels."},
    {"data.features", CHOICE(features.kind, features), .default_value = "fourier", .unit = "",
     .sentence =
         "With `images`: what enters the chip: the central square of the image's Fourier transform, the image itself, "
         "zoomed, or the frequencies nearest to zero.",
     .decides = true},
    {"data.radius", INTEGER(features.radius, 1, 512), .default_value = "4", .unit = "frequencies",
     .sentence = "With `fourier`: half the side of the square cut out of the spectrum; N = (2 radius)^2.",
     .decides = true},
    {"data.frequencies", INTEGER(features.frequencies, 1, CUONN_MODES_MAX), .default_value = "64",
     .unit = "frequencies", .sentence = "With `radial`: how many of them; N = frequencies.", .decides = true},
    {"data.side", INTEGER(features.side, 2, 128), .default_value = "8", .unit = "pixels",
     .sentence = "With `resample`: side of the image after the cubic-spline zoom; N = side^2.", .decides = true},
    {"data.width", INTEGER(features.width, 0, 128), .default_value = "0", .unit = "pixels",
     .sentence =
         "With `resample`: its width, if that is not its height: N = side x width, and images need not be square; 0 is "
         "`side`.",
     .decides = true},
    {"data.border", INTEGER(features.border, 0, 256), .default_value = "0", .unit = "pixels",
     .sentence = "With `resample`: what is cut off all round before the zoom.", .decides = true},
    {"data.train", TEXT(data.train, 0), .default_value = "", .unit = "",
     .sentence = "With `fields`: netCDF file with `input(example, waveguide)`, real, or `input(example, waveguide, "
                 "complex)`, and `label(example)`."},
    {"data.test", TEXT(data.test, 0), .default_value = "", .unit = "",
     .sentence = "With `fields`: the same for tests."},
    {"data.test_share", NUMBER(data.test_share, 0, 1), .below_high = true, .default_value = "0", .unit = "",
     .sentence = "With `fields`: share of the examples of `train` that is split off for tests, in place of `test`.",
     .decides = true},
    {"data.seed", INTEGER(data.seed, 0, UINT64_MAX), .default_value = "0", .unit = "",
     .sentence = "With `test_share`: seed of the split, whatever `training.seed` is.", .decides = true},
    {"data.pad", BOOLEAN(data.pad), .default_value = "false", .unit = "",
     .sentence = "With `fields`: dark waveguides make up for those that `input` has less than `network.modes`.",
     .decides = true},
    {"data.reference", BOOLEAN(features.reference), .default_value = "false", .unit = "",
     .sentence =
         "One more waveguide, behind those of the data, has constant light of amplitude 1; without it a network cannot "
         "tell x from -x.",
     .decides = true},

    {"network.modes", INTEGER(network.n_modes, 2, CUONN_MODES_MAX), .default_value = "64", .unit = "waveguides",
     .sentence = "Waveguides of every mesh, N; with `images`, must be what the features give.", .decides = true},
    {"network.layers", INTEGER(network.n_layers, 1, CUONN_LAYERS_MAX), .default_value = "3", .unit = "meshes",
     .sentence = "Meshes one after the other; of `svd` layers two each.", .decides = true},
    {"network.layer", CHOICE(network.layer, layer_kinds), .default_value = "unitary", .unit = "",
     .sentence =
         "What a layer is: a mesh; two meshes with an attenuator or amplifier per waveguide between them, which "
         "can have any matrix up to a factor; or a mesh with these behind it.",
     .decides = true},
    {"network.amplitude_limit", ABOVE(network.amplitude_limit, 0, 1e3), .default_value = "1", .unit = "",
     .sentence =
         "With `svd` and `diagonal`: largest modulus of the trained factor of an amplitude; 1 is a passive chip, "
         "and above 1 there are amplifiers.",
     .sweepable = true, .decides = true},
    {"network.classes", INTEGER(network.n_classes, 2, 256), .default_value = "10", .unit = "outputs",
     .sentence = "Outputs whose power is read, one per class; at most N.", .decides = true},
    {"network.phase_style", CHOICE(network.style, styles), .default_value = "top", .unit = "",
     .sentence = "Which arms of a node carry its phase shifters; `symmetric` cannot express every unitary.",
     .sweepable = true, .decides = true},
    {"network.loss_per_class", BOOLEAN(network.loss_per_class), .default_value = "true", .unit = "",
     .sentence = "Divides the loss by the number of classes, as the source study does.", .sweepable = true,
     .decides = true},
    {"network.loss", CHOICE(network.loss, losses), .default_value = "cross-entropy", .unit = "",
     .sentence = "Loss of an example: cross entropy of the softmax of the powers that are read, or the sum of their "
                 "squared differences from 1 at the label and 0 elsewhere.",
     .sweepable = true, .decides = true},
    {"network.nonlinearity", CHOICE(network.nonlinearity.kind, nonlinearities), .default_value = "modulus", .unit = "",
     .sentence = "What light becomes between two layers: its modulus, its power, or light that has passed a saturable "
                 "absorber or a modulator that a share of it drives.",
     .sweepable = true, .decides = true},
    {"network.optical_depth", NUMBER(network.nonlinearity.optical_depth, 0, 1e3), .default_value = "5", .unit = "",
     .sentence = "With `saturable`: optical depth for little light.", .sweepable = true, .decides = true},
    {"network.saturation_power", ABOVE(network.nonlinearity.saturation_power, 0, 1e9), .default_value = "1",
     .unit = "power",
     .sentence = "With `saturable`: power that halves the optical depth; features of images have a mean modulus of 1.",
     .sweepable = true, .decides = true},
    {"network.electro_optic_tap", NUMBER(network.nonlinearity.tap, 0, 1), .below_high = true, .default_value = "0.1",
     .unit = "", .sentence = "With `electro-optic`: share of the power that is detected.", .sweepable = true,
     .decides = true},
    {"network.electro_optic_gain", NUMBER(network.nonlinearity.gain, -1e3, 1e3), .default_value = "0.05",
     .unit = "pi rad / power", .sentence = "With `electro-optic`: phase by which power drives the modulator.",
     .sweepable = true, .decides = true},
    {"network.electro_optic_bias", NUMBER(network.nonlinearity.bias, -1e3, 1e3), .default_value = "1", .unit = "pi rad",
     .sentence = "With `electro-optic`: phase of the modulator in the dark, where 1 blocks light.", .sweepable = true,
     .decides = true},
    {"network.architecture", CHOICE(architecture, architectures), .default_value = "rectangular", .unit = "",
     .sentence = "Which waveguides the nodes of each column couple: neighbours in a rectangle or a triangle, those a "
                 "power of 2 "
                 "apart in a butterfly or a binary tree, or what `shape_file` lists.",
     .decides = true},
    {"network.columns", INTEGER(columns, 0, CUONN_COLUMNS_MAX), .default_value = "0", .unit = "columns",
     .sentence =
         "With `rectangular`: columns of nodes of every mesh; 0 is N, with which a mesh can have every unitary.",
     .decides = true},
    {"network.shape_file", TEXT(shape_file, 0), .default_value = "", .unit = "",
     .sentence = "With `custom`: netCDF file with `pair(node, arm)`, the waveguides of each node, and `column(node)`."},
    {"network.node", CHOICE(node, nodes), .default_value = "mzi", .unit = "",
     .sentence = "What a node is made of: an MZI, an MZI with a third coupler in front, or one with a crossing behind.",
     .decides = true},
    {"network.start", CHOICE(start, starts), .default_value = "haar", .unit = "",
     .sentence =
         "Starting phases: of Haar-random unitaries, drawn from the law of such phases (of each node by itself where a "
         "mesh cannot have every unitary), or from a file.",
     .sweepable = true, .decides = true},
    {"network.start_file", TEXT(start_file, 0), .default_value = "", .unit = "",
     .sentence = "With `start: file`: the checkpoint whose phases the training starts from."},

    {"training.epochs", INTEGER(training.epochs, 1, 1000000), .default_value = "50", .unit = "epochs",
     .sentence = "How often the training goes over all examples."},
    {"training.batch_size", INTEGER(training.batch_size, 1, 1000000), .default_value = "512", .unit = "examples",
     .sentence = "Examples whose mean gradient makes one step.", .sweepable = true, .decides = true},
    {"training.drop_last", BOOLEAN(training.drop_last), .default_value = "true", .unit = "",
     .sentence = "Leaves out a last batch that is not full.", .sweepable = true, .decides = true},
    {"training.order", CHOICE(training.order, orders), .default_value = "fixed", .unit = "",
     .sentence = "Order of the examples: as in the file, or a new one every epoch, from the seed.", .sweepable = true,
     .decides = true},
    {"training.seed", INTEGER(training.seed, 0, UINT64_MAX), .default_value = "0", .unit = "",
     .sentence = "Seed of the starting phases, of the shuffled order, and of the signs of `spsa`.", .sweepable = true,
     .decides = true},
    {"training.schedule", CHOICE(training.schedule, schedules), .default_value = "constant", .unit = "",
     .sentence = "Learning rate over the run: always the same, or half a cosine down to 0.", .sweepable = true,
     .decides = true},
    {"training.gradient", CHOICE(training.gradient, gradients), .default_value = "exact", .unit = "",
     .sentence =
         "Computed with the chip's errors, measured on the chip in situ by the analog or the digital scheme, "
         "computed as if the chip had no errors and no noise, or from losses that the chip gives with phases moved up "
         "and down: all at once by random signs, or one after the other.",
     .sweepable = true, .decides = true},
    {"training.gradient_error_every", INTEGER(training.gradient_error_every, 0, 1000000), .default_value = "1",
     .unit = "epochs",
     .sentence = "Gradients that are not `exact` are compared with the exact ones after so many epochs, and after the "
                 "last; 0: never."},
    {"training.train_gamma", BOOLEAN(training.train_gamma), .default_value = "false", .unit = "",
     .sentence = "Trains the phases at the outputs, too. Behind moduli and squares nothing depends on them, but noise "
                 "and lost light move "
                 "them.",
     .sweepable = true, .decides = true},
    {"training.optimizer.name", CHOICE(training.optimizer.kind, optimizers), .default_value = "adam", .unit = "",
     .sentence = "Adam, or stochastic gradient descent.", .coordinate = "optimizer", .sweepable = true,
     .decides = true},
    {"training.optimizer.learning_rate", NUMBER(training.optimizer.learning_rate, 0, 1000), .above_low = true,
     .default_value = "1e-3", .unit = "radians",
     .sentence = "Size of a step: with `adam` about the change of a phase, with `sgd` that for a gradient of 1.",
     .sweepable = true, .decides = true},
    {"training.optimizer.momentum", NUMBER(training.optimizer.momentum, 0, 1), .below_high = true, .default_value = "0",
     .unit = "", .sentence = "With `sgd`: share of the last step that goes into the next.", .sweepable = true,
     .decides = true},
    {"training.optimizer.beta1", NUMBER(training.optimizer.beta1, 0, 1), .below_high = true, .default_value = "0.9",
     .unit = "", .sentence = "With `adam`: decay of the mean gradient, a step.", .sweepable = true, .decides = true},
    {"training.optimizer.beta2", NUMBER(training.optimizer.beta2, 0, 1), .below_high = true, .default_value = "0.999",
     .unit = "", .sentence = "With `adam`: decay of the mean squared gradient, a step.", .sweepable = true,
     .decides = true},
    {"training.optimizer.epsilon", NUMBER(training.optimizer.epsilon, 0, 1), .above_low = true, .default_value = "1e-8",
     .unit = "", .sentence = "With `adam`: added to the root of the mean squared gradient.", .sweepable = true,
     .decides = true},
    {"training.optimizer.restart_bias_correction_each_epoch",
     BOOLEAN(training.optimizer.restart_bias_correction_each_epoch), .default_value = "true", .unit = "",
     .sentence = "With `adam`: its step index begins again with every epoch, as in the source study; "
                 "`false` is the usual Adam.",
     .sweepable = true, .decides = true},

    {"chip.seed", INTEGER(training.chip.seed, 0, UINT64_MAX), .default_value = "0", .unit = "",
     .sentence = "Seed of the chip's errors and of its noise.", .coordinate = "chip_seed", .sweepable = true,
     .decides = true},
    {"chip.measurement", CHOICE(training.chip.measurement, measurements), .default_value = "example", .unit = "",
     .sentence = "What goes through the chip: every example, or unit vectors, from which the rest is computed.",
     .sweepable = true, .decides = true},
    {"chip.scale", CHOICE(training.chip.scale, scales), .default_value = "example", .unit = "",
     .sentence =
         "What is brought to norm 1 before it is sent in: the brightest example, or the brightest waveguide over "
         "all, as in the source study.",
     .sweepable = true, .decides = true},
    {"chip.perturbation", NUMBER(training.chip.perturbation, 0, 10), .above_low = true, .default_value = "0.1",
     .unit = "radians", .sentence = "With `spsa` and `finite-difference`: by how much phases are moved up and down.",
     .sweepable = true, .decides = true},
    {"chip.estimates", INTEGER(training.chip.estimates, 1, CUONN_ESTIMATES_MAX), .default_value = "1",
     .unit = "estimates", .sentence = "With `spsa`: gradients, each of its own signs, whose mean makes a step.",
     .sweepable = true, .decides = true},
    {"chip.noise", CHOICE(training.chip.noise_draw, draws), .default_value = "fresh", .unit = "",
     .sentence =
         "When noise is drawn: at every reading; once for each layer and place; also for each use, which are training, "
         "measurement and test; or once for each place, for all layers and uses. A place is an output waveguide, an "
         "element of the matrix, or a phase.",
     .sweepable = true, .decides = true},
    {"chip.tap_shot", NUMBER(training.chip.tap_shot, 0, 100), .default_value = "0", .unit = "",
     .sentence = "Standard deviation of a power at a tap, over the amplitude there.", .coordinate = "tap_pd_shot_noise",
     .label = "tap shot noise σ", .sweepable = true, .decides = true},
    {"chip.io_amplitude", NUMBER(training.chip.io_amplitude, 0, 100), .default_value = "0", .unit = "",
     .sentence = "Relative standard deviation of an amplitude that is read.", .coordinate = "io_amp_error_std",
     .label = "amplitude noise σ", .sweepable = true, .decides = true},
    {"chip.io_phase", NUMBER(training.chip.io_phase, 0, 100), .default_value = "0", .unit = "pi",
     .sentence = "Standard deviation of a phase that is read, over pi: 0.05 are 9 degrees.",
     .coordinate = "io_phase_error_std", .label = "phase noise σ", .sweepable = true, .decides = true},
    {"chip.coupler_mean", NUMBER(training.chip.coupler_mean, -1, 1), .default_value = "0", .unit = "radians",
     .sentence = "Mean error of the couplers.", .label = "coupler error, mean", .sweepable = true, .decides = true},
    {"chip.coupler_std", NUMBER(training.chip.coupler_std, 0, 1), .default_value = "0", .unit = "radians",
     .sentence = "Standard deviation of the error of the couplers.", .label = "coupler error σ", .sweepable = true,
     .decides = true},
    {"chip.coupler_equal", BOOLEAN(training.chip.coupler_equal), .default_value = "false", .unit = "",
     .sentence = "Gives both couplers of a node the same error.", .sweepable = true, .decides = true},
    {"chip.loss_mean", NUMBER(training.chip.loss_mean, 0, 100), .default_value = "0", .unit = "dB",
     .sentence = "Mean loss of a phase shifter, before it is cut off at 0.", .label = "shifter loss, mean",
     .sweepable = true, .decides = true},
    {"chip.loss_std", NUMBER(training.chip.loss_std, 0, 100), .default_value = "0", .unit = "dB",
     .sentence = "Standard deviation of that loss.", .coordinate = "loss_db_std", .label = "shifter loss σ",
     .sweepable = true, .decides = true},
    {"chip.loss_law", CHOICE(training.chip.loss_law, loss_laws), .default_value = "truncated", .unit = "",
     .sentence = "No shifter has gain, or, as in the source study, some have.", .sweepable = true, .decides = true},
    {"chip.file", TEXT(chip_file, 0), .default_value = "", .unit = "",
     .sentence =
         "Chip file: couplers, losses, drive curves and crosstalk of a fabricated chip, in place of drawn ones."},
    {"chip.errors_file", TEXT(chip_errors_file, 0), .default_value = "", .unit = "",
     .sentence = "File with `coupler_error` and `loss_db` of each node, in place of drawn ones."},
    {"chip.phase_bits", INTEGER(training.chip.phase_bits, 0, CUONN_PHASE_BITS_MAX), .default_value = "0",
     .unit = "bits",
     .sentence = "Levels of a phase, 2^bits per period, which is 4 pi where a phase enters halved; 0 takes any phase.",
     .sweepable = true, .decides = true},
    {"chip.crosstalk", NUMBER(training.chip.crosstalk, 0, 1), .default_value = "0", .unit = "",
     .sentence = "Share of a neighbour's phase that a shifter would get at no distance.", .sweepable = true,
     .decides = true},
    {"chip.crosstalk_decay", NUMBER(training.chip.crosstalk_decay, 1e-3, 1e3), .default_value = "1", .unit = "pitches",
     .sentence = "Distance over which that falls to 1/e; beyond 3 pitches there is none.", .sweepable = true,
     .decides = true},
    {"chip.phase_error", NUMBER(training.chip.phase_error, 0, 10), .default_value = "0", .unit = "radians",
     .sentence = "Standard deviation of an error that the chip adds to every phase.", .label = "phase error σ",
     .sweepable = true, .decides = true},

    {"sweep.repeats", INTEGER(repeats, 1, CUONN_GRID_VALUES_MAX), .default_value = "1", .unit = "runs",
     .sentence = "Runs of every point of a sweep, each with a seed of its own: `training.seed`, one more, and so on."},
    {"sweep.zip", .type = CONFIG_GROUPS, .default_value = "[]", .unit = "",
     .sentence =
         "Groups of keys, each with a list of the same length: they take their first values together, then their "
         "second ones, and so on, in place of every combination."},

    {"energy.preset", CHOICE(energy_preset, presets), .default_value = "default", .unit = "",
     .sentence = "Sets every key below but `modes` and `batch`: what the study's figure counts, that with light, or "
                 "published parts."},
    {"energy.components", CHOICE(energy_components, component_sets), .default_value = "study", .unit = "",
     .sentence =
         "Sets `dac`, `modulator`, `modulator_static`, `receiver`, `detector_bias`, `adc`, `reference_bits` and "
         "`fixed_loss`: those of the study's figure, or published ones with ring or MZI modulators."},
    {"energy.modes", INTEGER(energy.n_modes, 2, CUONN_MODES_MAX), .default_value = "64", .unit = "waveguides",
     .sentence = "Waveguides of the mesh, N."},
    {"energy.batch", INTEGER(energy.batch, 1, CUONN_ENERGY_BATCH_MAX), .default_value = "128", .unit = "examples",
     .sentence = "Examples that are sent through it, M."},
    {"energy.operations", INTEGER(energy.operations, 1, 64), .default_value = "6", .unit = "operations",
     .sentence = "Operations that an element of the matrix counts for, K."},
    {"energy.channels", INTEGER(energy.channels, 1, 8), .default_value = "2", .unit = "channels",
     .sentence = "Converter channels of a mode: 2 for I and Q."},
    {"energy.converter_bits", INTEGER(energy.converter_bits, 1, CUONN_ENERGY_BITS_MAX), .default_value = "8",
     .unit = "bits", .sentence = "Bits of the DAC and ADC."},
    {"energy.reference_bits", INTEGER(energy.reference_bits, 1, CUONN_ENERGY_BITS_MAX), .default_value = "8",
     .unit = "bits", .sentence = "Bits at which `dac` and `adc` hold."},
    {"energy.dac", ABOVE(energy.dac, 0, 1e6), .default_value = "2.211", .unit = "pJ",
     .sentence = "DAC, a conversion at `reference_bits`."},
    {"energy.modulator", ABOVE(energy.modulator, 0, 1e6), .default_value = "0.042", .unit = "pJ",
     .sentence = "Modulator drive, a symbol."},
    {"energy.modulator_static", NUMBER(energy.modulator_static, 0, 1e6), .default_value = "1.2", .unit = "mW",
     .sentence = "Power of a modulator besides its drive, while it sends."},
    {"energy.receiver", ABOVE(energy.receiver, 0, 1e6), .default_value = "0.65", .unit = "pJ",
     .sentence = "Receiver amplifier, a sample."},
    {"energy.detector_bias", NUMBER(energy.detector_bias, 0, 1e6), .default_value = "1.1", .unit = "mW",
     .sentence = "Power of a photodiode while it is read; a channel has two with `homodyne`, one with `direct`."},
    {"energy.adc", ABOVE(energy.adc, 0, 1e6), .default_value = "1.48", .unit = "pJ",
     .sentence = "ADC, a conversion at `reference_bits`."},
    {"energy.mixer", ABOVE(energy.mixer, 0, 1e6), .default_value = "0.017", .unit = "pJ",
     .sentence = "Sum and difference circuit, a channel and vector in which two fields are added."},
    {"energy.tap", ABOVE(energy.tap, 0, 1e6), .default_value = "0.103", .unit = "pJ",
     .sentence = "One readout of the tap at a phase shifter."},
    {"energy.scheme", CHOICE(energy.scheme, schemes), .default_value = "analog", .unit = "",
     .sentence =
         "Passes of a gradient: four, as analog training measures; three, with a switch of the sign in the last; three "
         "with taps read in each, as digital training measures; or three as the study's figure counts them."},
    {"energy.tap_reading", CHOICE(energy.tap_reading, tap_readings), .default_value = "batch", .unit = "",
     .sentence = "Taps are integrated over all vectors of a pass and read once, or read for every vector."},
    {"energy.measurement", CHOICE(energy.measurement, measurements), .default_value = "example", .unit = "",
     .sentence = "Vectors of a gradient's pass: the examples, or N unit vectors, which leave three digital products."},
    {"energy.held_symbols", INTEGER(energy.held_symbols, 1, CUONN_ENERGY_BATCH_MAX), .default_value = "1",
     .unit = "symbols", .sentence = "Symbols for which a vector is held in a pass whose taps are read."},
    {"energy.product_energy", NUMBER(energy.product_energy, 0, 1e6), .default_value = "0", .unit = "pJ",
     .sentence = "Digital complex product and sum, of which `measurement: matrix` leaves 3 M N^2; 0 leaves them out."},
    {"energy.symbol_rate", ABOVE(energy.symbol_rate, 0, 1e6), .default_value = "10", .unit = "GS/s",
     .sentence = "Symbols a mode: the lowest rate of DAC, modulator and ADC."},
    {"energy.laser", BOOLEAN(energy.laser), .default_value = "true", .unit = "",
     .sentence = "Counts the laser; the study's figure does not."},
    {"energy.detection", CHOICE(energy.detection, detections), .default_value = "homodyne", .unit = "",
     .sentence = "I and Q against a local oscillator, or power alone."},
    {"energy.bits", INTEGER(energy.bits, 1, CUONN_ENERGY_BITS_MAX), .default_value = "6", .unit = "bits",
     .sentence = "Precision that the detected light must carry."},
    {"energy.wall_plug_efficiency", ABOVE(energy.wall_plug_efficiency, 0, 1), .default_value = "0.2", .unit = "",
     .sentence = "Light out of the laser over electricity into it."},
    {"energy.wavelength", ABOVE(energy.wavelength, 0, 1e6), .default_value = "1550", .unit = "nm",
     .sentence = "Wavelength in vacuum."},
    {"energy.detector_efficiency", ABOVE(energy.detector_efficiency, 0, 1), .default_value = "0.8", .unit = "",
     .sentence = "Electrons a photon."},
    {"energy.oscillator_photons", ABOVE(energy.oscillator_photons, 0, 1e18), .default_value = "1e5", .unit = "photons",
     .sentence = "With `homodyne`: local oscillator, a mode and symbol."},
    {"energy.amplifier_noise", NUMBER(energy.amplifier_noise, 0, 1e6), .default_value = "12.86", .unit = "pA/sqrt(Hz)",
     .sentence = "Noise of the receiver amplifier, referred to its input."},
    {"energy.fixed_loss", NUMBER(energy.fixed_loss, 0, 100), .default_value = "2.75", .unit = "dB",
     .sentence = "Modulator and couplers to the chip."},
    {"energy.column_loss", NUMBER(energy.column_loss, 0, 100), .default_value = "0.05", .unit = "dB",
     .sentence = "A column of MZIs, without its taps."},
    {"energy.tap_fraction", NUMBER(energy.tap_fraction, 0, 0.99), .default_value = "0.003", .unit = "",
     .sentence = "Share of the power that the tap at a phase shifter takes."},
    {"energy.holding_power", NUMBER(energy.holding_power, 0, 1e6), .default_value = "0", .unit = "mW",
     .sentence = "Power of a phase shifter: a heater's for a phase of pi, or what it takes whatever its phase."},
    {"energy.holding_law", CHOICE(energy.holding, holding_laws), .default_value = "heater", .unit = "",
     .sentence = "That power is in proportion to the phase, or, as leakage, the same for all."},
    {"energy.dataflow", CHOICE(energy.dataflow, dataflows), .default_value = "sequential", .unit = "",
     .sentence = "Layers: a mesh each, one after the other; the same without a stop between; or one mesh for all."},
    {"energy.column_length", ABOVE(energy.column_length, 0, 1e3), .default_value = "0.3", .unit = "mm",
     .sentence = "Length of a column of MZIs."},
    {"energy.group_index", NUMBER(energy.group_index, 1, 10), .default_value = "4.2", .unit = "",
     .sentence = "Group index of the waveguides."},
    {"energy.electronic_latency", ABOVE(energy.electronic_latency, 0, 1e9), .default_value = "1", .unit = "ns",
     .sentence = "DAC, driver, receiver and ADC together."},
    {"energy.tap_converters", INTEGER(energy.tap_converters, 0, 1000000000), .default_value = "0", .unit = "converters",
     .sentence = "Converters that read the taps of a mesh; 0 is one per mode."},
    {"energy.tap_rate", ABOVE(energy.tap_rate, 0, 1e6), .default_value = "1", .unit = "MS/s",
     .sentence = "Readouts of each of them."},
    {"energy.programming_time", ABOVE(energy.programming_time, 0, 1e9), .default_value = "0.34", .unit = "us",
     .sentence = "Settling of the phase shifters."},
    {"energy.programming_energy", NUMBER(energy.programming_energy, 0, 1e6), .default_value = "0", .unit = "pJ",
     .sentence = "Writing one phase; 0 leaves it out."},
    {"energy.digital_energy", NUMBER(energy.digital_energy, 0, 1e12), .default_value = "0", .unit = "pJ",
     .sentence = "Digital nonlinearity and optimizer, a training step; 0 leaves it out."},
    {"energy.digital_time", NUMBER(energy.digital_time, 0, 1e9), .default_value = "0", .unit = "ns",
     .sentence = "Each of the 2 L + 1 digital stages of a step, a batch; 0 leaves it out."},
    {"energy.loss_time", NUMBER(energy.loss_time, 0, 1e9), .default_value = "0", .unit = "ns",
     .sentence = "Loss, in the gradient of one mesh; 0 leaves it out."},
    {"energy.optimizer_time", NUMBER(energy.optimizer_time, 0, 1e9), .default_value = "0", .unit = "ns",
     .sentence = "Optimizer, a step; 0 leaves it out."},
    {"energy.nonlinearity_time", NUMBER(energy.nonlinearity_time, 0, 1e9), .default_value = "0", .unit = "ns",
     .sentence = "With `streaming`: latency of the nonlinearity; 0 leaves it out."},
    {"energy.write_converters", INTEGER(energy.write_converters, 0, 1000000000), .default_value = "0",
     .unit = "converters", .sentence = "Converters that write the phases of a mesh; 0 leaves writing out."},
    {"energy.write_rate", NUMBER(energy.write_rate, 0, 1e6), .default_value = "0", .unit = "MS/s",
     .sentence = "Phases that each of them writes; 0 leaves writing out."},
    {"energy.gpu.rate", NUMBER(energy.gpu.rate, 0, 1e9), .default_value = "0", .unit = "Tflop/s",
     .sentence = "Peak rate of a digital processor; 0 compares with none."},
    {"energy.gpu.use", ABOVE(energy.gpu.use, 0, 1), .default_value = "1", .unit = "",
     .sentence = "Share of the peak rate that is reached."},
    {"energy.gpu.bandwidth", NUMBER(energy.gpu.bandwidth, 0, 1e9), .default_value = "0", .unit = "GB/s",
     .sentence = "Bandwidth of its memory; 0 leaves traffic out."},
    {"energy.gpu.traffic", NUMBER(energy.gpu.traffic, 0, 1e18), .default_value = "0", .unit = "bytes",
     .sentence = "Memory traffic of a training step."},
    {"energy.gpu.launches", NUMBER(energy.gpu.launches, 0, 1e9), .default_value = "0", .unit = "launches",
     .sentence = "Kernels of a training step."},
    {"energy.gpu.launch_time", NUMBER(energy.gpu.launch_time, 0, 1e9), .default_value = "0", .unit = "us",
     .sentence = "Time of a launch."},
    {"energy.gpu.power", NUMBER(energy.gpu.power, 0, 1e9), .default_value = "0", .unit = "W",
     .sentence = "Power while it computes; 0 leaves energy out."},

    {"backend.name", NAME(backend, backends), .default_value = "auto", .unit = "",
     .sentence = "What computes; `auto` takes the fastest that this machine has and that computes such meshes."},
    {"backend.threads", INTEGER(threads, 0, CUONN_THREADS_MAX), .default_value = "0", .unit = "threads",
     .sentence = "Threads of the `cpu` backend; 0 takes one per processor. Any number gives the same bits."},
    {"backend.devices", TEXT(devices, 0), .default_value = "", .unit = "",
     .sentence =
         "GPUs of the `cuda` backend: a number, as `cuonn info` lists them, or for `cuonn sweep` several (`0,1`) or "
         "`all`, among which runs are shared; empty takes one."},
    {"backend.method", NAME(method, methods), .default_value = "auto", .unit = "",
     .sentence =
         "How exact gradients and losses are computed: example by example through the columns of nodes, or through the "
         "matrices of the layers (`dense`, of the `cpu` and `cuda` backends); `auto` takes the faster. Measured "
         "gradients have no "
         "dense form."},

    {"output.directory", TEXT(output_directory, 1), .default_value = "runs/fashion-mnist", .unit = "",
     .sentence = "Folder of the run: configuration, metrics, checkpoints."},
    {"output.checkpoint_interval", NUMBER(checkpoint_interval, 0, 1e6), .default_value = "1", .unit = "s",
     .sentence =
         "Time from one checkpoint of a training to the next at least, at the ends of epochs; 0: after every epoch. A "
         "run that is killed loses no more than that and the epoch that it is in; one that is stopped loses nothing."},
};
const size_t config_key_count = sizeof config_keys / sizeof config_keys[0];
_Static_assert(sizeof config_keys / sizeof config_keys[0] <= kConfigMostKeys, "kConfigMostKeys is too small");

size_t config_key_find(const char *path, size_t length) {
  size_t i = 0;
  for (; i < config_key_count; i++) {
    const char *key = config_keys[i].path;
    if (strlen(key) < length || memcmp(key, path, length) != 0) continue;
    if (length != 0 && (key[length] == '\0' || key[length] == '.')) break;
  }
  return i;
}

const config_key *config_key_of(const char *path) { return &config_keys[config_key_find(path, strlen(path))]; }

/* Of the energy model, which had one scheme for all and said what it takes key by key; and of grids, whose keys could
 * not advance together. */
static const config_retired_key retired_keys[] = {
    {"energy.passes", "3", "energy.scheme says which passes a gradient takes"},
    {"energy.light_passes", "4", "energy.scheme says how much light a gradient takes"},
    {"energy.tap_readouts", "2", "energy.scheme says how often taps are read"},
    {"energy.tap_scheme", "analog", "energy.tap_reading says when taps are read"},
    {"training.optimizer.sgd_learning_rate", "0",
     "training.optimizer.learning_rate is the rate of any optimizer; a sweep over optimizers gives it a "
     "list, too, and names both keys in sweep.zip"},
};

const config_retired_key *config_key_retired(const char *path, size_t length) {
  for (size_t i = 0; i < sizeof retired_keys / sizeof *retired_keys; i++) {
    const char *const retired = retired_keys[i].path;
    if (strlen(retired) == length && memcmp(retired, path, length) == 0) return &retired_keys[i];
  }
  return NULL;
}

void config_note_setter(config_setters *named, const config_key *key) {
  named->preset |= key->offset == offsetof(cuonn_config, energy_preset);
  named->components |= key->offset == offsetof(cuonn_config, energy_components);
}

void config_apply_setters(cuonn_config *config, const config_setters *named) {
  if (named->preset) {
    const cuonn_energy_options before = config->energy;
    cuonn_energy_options_init(&config->energy, config->energy_preset);
    config->energy.n_modes = before.n_modes;
    config->energy.n_columns = before.n_columns;
    config->energy.n_shifters = before.n_shifters;
    config->energy.batch = before.batch;
    if (!named->components) config->energy_components = cuonn_energy_preset_components(config->energy_preset);
  }
  if (named->components) cuonn_energy_use_components(&config->energy, config->energy_components);
}

const char *config_key_coordinate(const config_key *key) {
  return key->coordinate ? key->coordinate : strrchr(key->path, '.') + 1;
}

bool config_key_is(size_t i, size_t length) { return i < config_key_count && strlen(config_keys[i].path) == length; }

/* Longest name that is compared with the table's, and the distance up to which a key counts as meant. */
enum { kLongestName = 96, kNear = 2 };

/* Levenshtein distance: letters put in, left out or exchanged. */
static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b) {
  size_t row[kLongestName + 1];
  for (size_t j = 0; j <= n_b; j++) row[j] = j;
  for (size_t i = 1; i <= n_a; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= n_b; j++) {
      size_t least = diagonal + (a[i - 1] != b[j - 1]);
      if (row[j] + 1 < least) least = row[j] + 1;
      if (row[j - 1] + 1 < least) least = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = least;
    }
  }
  return row[n_b];
}

static size_t dots(const char *path, size_t length) {
  size_t n = 0;
  for (size_t i = 0; i < length; i++) n += path[i] == '.';
  return n;
}

/* The nearest key or section, as far as it is near: few letters differ, or the name is right and its section wrong. */
static const char *nearest(size_t *nearest_length, const char *path, size_t length) {
  const char *found = NULL;
  size_t least = kNear + 1;
  if (length > kLongestName) return NULL;
  const char *dot = memrchr(path, '.', length);
  const char *name = dot ? dot + 1 : path;
  const size_t name_length = length - (size_t)(name - path);
  for (size_t i = 0; i < config_key_count; i++) {
    const char *key = config_keys[i].path;
    for (size_t end = strcspn(key, "."), start = 0;; start = end + 1, end = start + strcspn(key + start, ".")) {
      size_t d = dots(key, end) == dots(path, length) ? distance(path, length, key, end) : kNear + 1;
      if (d > 1 && name_length == end - start && memcmp(name, key + start, name_length) == 0) d = 1;
      if (d < least) {
        least = d;
        found = key;
        *nearest_length = end;
      }
      if (key[end] == '\0') break;
    }
  }
  return found;
}

/* Room for the names of the largest section. */
enum { kMostNames = 1024 };

/* Names that may stand in the section, with a comma between them. */
static void names_of_section(char *out, size_t size, const char *section, size_t length) {
  size_t used = 0, last_length = 0;
  const char *last = "";
  out[0] = '\0';
  for (size_t i = 0; i < config_key_count; i++) {
    if (strncmp(config_keys[i].path, section, length) != 0) continue;
    const char *name = config_keys[i].path + length;
    const size_t name_length = strcspn(name, ".");
    if (name_length == last_length && memcmp(name, last, name_length) == 0) continue;
    if (used < size)
      used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? ", " : "", (int)name_length, name);
    last = name;
    last_length = name_length;
  }
}

cuonn_status config_key_unknown(const char *path, size_t length) {
  char shown[kConfigShown];
  config_value_shown(shown, path, length);
  const config_retired_key *const retired = config_key_retired(path, length);
  if (retired) return cuonn_fail(CUONN_E_CONFIG, "the key %s is no more: %s", shown, retired->instead);
  size_t near_length = 0;
  const char *near = nearest(&near_length, path, length);
  if (near) {
    return cuonn_fail(CUONN_E_CONFIG, "unknown key %s; did you mean %.*s?", shown, (int)near_length, near);
  }
  const char *dot = memrchr(path, '.', length);
  size_t section = dot ? (size_t)(dot - path) + 1 : 0;
  if (section != 0 && config_key_find(path, section - 1) == config_key_count) section = 0;
  char names[kMostNames];
  names_of_section(names, sizeof names, path, section);
  return cuonn_fail(CUONN_E_CONFIG, "unknown key %s; allowed %s%.*s: %s", shown, section ? "in " : "here",
                    section ? (int)section - 1 : 0, path, names);
}

void cuonn_config_init(cuonn_config *out) {
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < config_key_count; i++) {
    const char *value = config_keys[i].default_value;
    (void)config_value_parse(out, &config_keys[i], value, strlen(value)); /* constants: a test reads every one */
  }
}

bool cuonn_config_key_at(cuonn_config_key *out, size_t i) {
  static const char *const type_names[] = {
      [CONFIG_INTEGER] = "integer",     [CONFIG_NUMBER] = "number", [CONFIG_BOOLEAN] = "boolean",
      [CONFIG_TEXT] = "text",           [CONFIG_CHOICE] = "choice", [CONFIG_NAME] = "choice",
      [CONFIG_GROUPS] = "lists of keys"};
  static _Thread_local char allowed[CUONN_CONFIG_TEXT];
  if (i >= config_key_count) return false;
  const config_key *key = &config_keys[i];
  config_value_allowed(allowed, key);
  const bool empty = key->default_value[0] == '\0';
  *out = (cuonn_config_key){.path = key->path,
                            .type = type_names[key->type],
                            .allowed = allowed,
                            .default_value = empty ? "\"\"" : key->default_value,
                            .unit = key->unit,
                            .sentence = key->sentence,
                            .coordinate = key->sweepable ? config_key_coordinate(key) : NULL};
  return true;
}

cuonn_status cuonn_config_set(cuonn_config *config, const char *assignment) {
  const char *equals = strchr(assignment, '=');
  char shown[kConfigShown];
  if (!equals || equals == assignment) {
    return cuonn_fail(CUONN_E_CONFIG, "found %s where \"key=value\" must stand, such as training.epochs=5",
                      config_value_shown(shown, assignment, strlen(assignment)));
  }
  const size_t length = (size_t)(equals - assignment);
  const size_t i = config_key_find(assignment, length);
  if (i == config_key_count) return config_key_unknown(assignment, length);
  if (!config_key_is(i, length)) {
    char names[kMostNames], section[kConfigShown];
    snprintf(section, sizeof section, "%.*s.", (int)length, assignment);
    names_of_section(names, sizeof names, section, length + 1);
    return cuonn_fail(CUONN_E_CONFIG, "%.*s: is a section, which takes no value; its keys: %s", (int)length, assignment,
                      names);
  }
  CUONN_CHECK(!config_keys[i].sweepable || equals[1] != '[', CUONN_E_CONFIG,
              "%s: found a list, but several values of a key are for cuonn sweep; give one", config_keys[i].path);
  const cuonn_status status = config_value_parse(config, &config_keys[i], equals + 1, strlen(equals + 1));
  if (status != CUONN_OK) return cuonn_fail_within(status, "%s", config_keys[i].path);
  config_setters named = {0};
  config_note_setter(&named, &config_keys[i]);
  config_apply_setters(config, &named);
  return CUONN_OK;
}

const char *cuonn_config_difference(const cuonn_config *a, const cuonn_config *b) {
  for (size_t i = 0; i < config_key_count; i++) {
    if (config_keys[i].decides && !config_value_equal(a, b, &config_keys[i])) return config_keys[i].path;
  }
  const bool cosine = a->training.schedule == CUONN_SCHEDULE_COSINE; /* its rate depends on where the run ends */
  return cosine && a->training.epochs != b->training.epochs ? "training.epochs" : NULL;
}
