/** @file energy.h
 *  What a photonic chip would cost to run and to train: energy, power and latency of a mesh with its converters,
 *  amplifiers, laser and phase shifters, for components of the caller's choice.
 *
 *  Pure functions, no files.  Equations, sources of every default, and how well the source study's figure is
 *  reproduced: docs/energy.md; "eq." below counts there.  Component values carry the units of data sheets (pJ, GS/s,
 *  dB); results are in joules, seconds and watts.
 */
#ifndef CUONN_ENERGY_H
#define CUONN_ENERGY_H

#include <stdbool.h>
#include <stddef.h>

#include "cuonn/network.h"
#include "cuonn/status.h"
#include "cuonn/training.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Whole chips (docs/energy.md says where each value comes from). */
typedef enum cuonn_energy_preset {
  CUONN_ENERGY_FIGURE,  /**< what the source study's figure counts: its electronics and its three passes; no laser, no
                             losses, no holding power */
  CUONN_ENERGY_DEFAULT, /**< the same electronics, with laser, 0.05 dB per column, 0.3 % taps, MEMS phase shifters, and
                             the passes of the analog scheme */
  CUONN_ENERGY_CITED    /**< published components throughout: MZI modulators, 0.89 dB per column, heaters */
} cuonn_energy_preset;

/** Electronics and modulators, each set of one kind of modulator. */
typedef enum cuonn_energy_components {
  CUONN_COMPONENTS_STUDY, /**< ring modulators; all of a channel is what the study's figure has, the DAC is the rest */
  CUONN_COMPONENTS_RING,  /**< published, with ring modulators */
  CUONN_COMPONENTS_MZM    /**< published, with MZI modulators */
} cuonn_energy_components;

/** How outputs are detected, which decides how much light they need. */
typedef enum cuonn_energy_detection {
  CUONN_DETECTION_HOMODYNE, /**< I and Q against a local oscillator, eq. 9 */
  CUONN_DETECTION_DIRECT    /**< power alone, eq. 10 */
} cuonn_energy_detection;

/** Passes of an in situ gradient, and what is read in them; table of section 2 of docs/energy.md. */
typedef enum cuonn_energy_scheme {
  CUONN_SCHEME_ANALOG,   /**< x, g, x - i a, x + i a: as cuONN trains with CUONN_GRADIENT_ANALOG */
  CUONN_SCHEME_SWITCHED, /**< x, g, and x with a, whose sign is switched within each symbol */
  CUONN_SCHEME_DIGITAL,  /**< x, g, x - i a, taps read in each: as cuONN trains with CUONN_GRADIENT_DIGITAL */
  CUONN_SCHEME_STUDY     /**< three passes, converters at both ends of each: what the source study's figure counts */
} cuonn_energy_scheme;

/** When the power at the phase shifters is read. */
typedef enum cuonn_energy_taps {
  CUONN_TAPS_BATCH,  /**< photocurrents are integrated over all vectors of a pass and read once */
  CUONN_TAPS_EXAMPLE /**< read for every vector */
} cuonn_energy_taps;

/** What the power of a phase shifter depends on. */
typedef enum cuonn_energy_holding {
  CUONN_HOLDING_HEATER,  /**< in proportion to its phase */
  CUONN_HOLDING_CONSTANT /**< the same whatever the phase: leakage */
} cuonn_energy_holding;

/** How the layers of a network share chips and time. */
typedef enum cuonn_energy_dataflow {
  CUONN_DATAFLOW_SEQUENTIAL, /**< a mesh per layer; the batch passes one layer after the other */
  CUONN_DATAFLOW_STREAMING,  /**< a mesh per layer; an electronic nonlinearity in line, no stop between layers */
  CUONN_DATAFLOW_REUSED      /**< one mesh, written anew for every layer */
} cuonn_energy_dataflow;

/** Digital processor to compare with; nothing is compared while `rate` is 0. */
typedef struct cuonn_energy_gpu {
  double rate;        /**< F_peak, Tflop/s */
  double use;         /**< u, share of the rate that is reached, 0 to 1 */
  double bandwidth;   /**< B_w, GB/s; 0: traffic is left out */
  double traffic;     /**< D, bytes per training step */
  double launches;    /**< n_k, kernels a training step */
  double launch_time; /**< t_k, us */
  double power;       /**< P_gpu, W; 0: energy is left out */
} cuonn_energy_gpu;

/** Everything that the model takes.  Fill it with cuonn_energy_options_init(). */
typedef struct cuonn_energy_options {
  size_t n_modes;    /**< N, waveguides of the mesh */
  size_t n_columns;  /**< D, its columns of nodes; 0: those of the rectangular mesh, N */
  size_t n_shifters; /**< S, its phase shifters; 0: those of the rectangular mesh, N^2 */
  size_t batch;      /**< M, examples */

  size_t operations;       /**< K, operations that an element of the matrix counts for */
  size_t channels;         /**< c_q, converter channels per mode (2: I and Q) */
  size_t converter_bits;   /**< bits of the converters that are used */
  size_t reference_bits;   /**< b_0, bits at which `dac` and `adc` hold */
  double dac;              /**< E_DAC, pJ per conversion at reference_bits */
  double modulator;        /**< E_mod, pJ per symbol */
  double modulator_static; /**< P_mod, of a modulator while it sends, mW */
  double receiver;         /**< E_TIA, amplifier, pJ per sample */
  double detector_bias;    /**< P_PD, of a photodiode while it is read, mW; a channel has two in homodyne detection */
  double adc;              /**< E_ADC, pJ per conversion at reference_bits */
  double mixer; /**< E_mix, sum and difference circuit, pJ per channel and vector that two fields are added in */
  double tap;   /**< E_tap, pJ a readout of a phase shifter's tap */

  cuonn_energy_scheme scheme;    /**< passes of a gradient */
  cuonn_energy_taps tap_reading; /**< once for all vectors of a pass, or for each */
  cuonn_measurement measurement; /**< vectors of a pass: the M examples, or the N unit vectors, which leave
                                               three digital products of M N^2 */
  size_t held_symbols;           /**< h, symbols for which a vector is held in a pass whose taps are read */
  double product_energy;         /**< E_prod, pJ per element of such a product and example; 0: left out */

  double symbol_rate; /**< f_s, the lowest of DAC's, modulator's and ADC's, GS/s */
  bool laser;         /**< whether the laser is counted */
  cuonn_energy_detection detection;
  size_t bits;                 /**< b, precision that the light must carry */
  double wall_plug_efficiency; /**< eta_wp, light out of the laser over electricity into it, above 0 to 1 */
  double wavelength;           /**< nm */
  double detector_efficiency;  /**< eta_d, electrons per photon, above 0 to 1 */
  double oscillator_photons;   /**< n_LO, a mode and symbol; homodyne only */
  double least_photons;        /**< n_tap, that the light has at least, whatever `bits` needs; 0: no such need */
  double amplifier_noise;      /**< i_n, input-referred, pA/sqrt(Hz) */
  double fixed_loss;           /**< IL_0, modulator and couplers to the chip, dB */
  double column_loss;          /**< l_MZI, of an MZI without its taps, dB per column */
  double tap_fraction;         /**< kappa_t, share of the power that the tap of a phase shifter takes */
  double holding_power;        /**< P_pi, of a phase shifter at a phase of pi, or whatever its phase, mW */
  cuonn_energy_holding holding;
  bool phases_known; /**< whether heaters have mean_phase; false: that of Haar-random unitaries */
  double mean_phase; /**< cuonn_energy_mean_phase(), radians */

  cuonn_energy_dataflow dataflow; /**< of a network's layers */
  double column_length;           /**< L_col, mm */
  double group_index;             /**< n_g */
  double electronic_latency;      /**< t_el: DAC, driver, receiver and ADC, ns */
  size_t tap_converters;          /**< n_adc; 0: one per mode */
  double tap_rate;                /**< f_tap, readouts of one of them, MS/s */
  double programming_time;        /**< t_prog, settling of the phase shifters, us */

  /* What depends on electronics that nobody has chosen yet; 0: left out. */
  double programming_energy; /**< E_prog, pJ to write a phase shifter */
  double digital_energy;     /**< E_dig, nonlinearity and optimizer, pJ per training step */
  double digital_time;       /**< t_dig, at each of the 2 L + 1 digital stages of a step, ns per batch */
  double loss_time;          /**< t_loss, of a layer's gradient alone, ns */
  double optimizer_time;     /**< t_opt, ns */
  double nonlinearity_time;  /**< t_nl, streaming: latency of one, ns */
  size_t write_converters;   /**< n_dac, of the phase shifters */
  double write_rate;         /**< f_wr, phases that each of them writes, MS/s */
  cuonn_energy_gpu gpu;
} cuonn_energy_options;

/** Range of whole numbers, for those who read them from a user. */
#define CUONN_ENERGY_BITS_MAX 16
#define CUONN_ENERGY_BATCH_MAX 1000000

/** Sets every value to that of a preset; N is 64, M is 128, and what a preset has no value for is 0. */
CUONN_API void cuonn_energy_options_init(cuonn_energy_options *out, cuonn_energy_preset preset);

/** The set of components that a preset begins with. */
CUONN_API cuonn_energy_components cuonn_energy_preset_components(cuonn_energy_preset preset);

/** Sets dac, modulator, modulator_static, receiver, detector_bias, adc, reference_bits and fixed_loss to those of a
 *  set. */
CUONN_API void cuonn_energy_use_components(cuonn_energy_options *options, cuonn_energy_components components);

/** Sets scheme and measurement to what a training on the chip does, so that what is costed is what is trained:
 *  `digital` if it is digital; if it is analog, one of the three analog schemes, that of the options if it is one; with
 *  moved phases the measurement alone.  Nothing changes where gradients are computed. */
CUONN_API void cuonn_energy_follow_training(cuonn_energy_options *options, const cuonn_training_options *training);

/** Mean phase, radians, of theta and phi of Haar-random unitaries, each in one arm.  eq. 26.
 *  @param[in] n_modes  N, at least 2; the formula holds between whole numbers, too */
CUONN_API double cuonn_energy_haar_phase(double n_modes);

/** The same for the mesh of the options: where its shape cannot have every unitary, of nodes that are Haar-random by
 *  themselves (cuonn_mesh_randomize()).
 *  @param[in] n_modes  N of a rectangular mesh, in place of the options'; not looked at for others */
CUONN_API double cuonn_energy_drawn_phase(const cuonn_energy_options *options, double n_modes);

/** Mean over theta and phi of all layers of what a heater's power is proportional to, radians: heaters only delay, so
 *  that the phase of every arm counts in [0, 2 pi), and a phase that stands in two arms counts twice.  A pair of +alpha
 *  / 2 and -alpha / 2 takes a whole turn.  For `mean_phase`.  eq. 27. */
CUONN_API double cuonn_energy_mean_phase(const cuonn_network *network);

/** Sets n_modes, n_columns and n_shifters to those of a mesh; the last two to 0 for the rectangular one of N columns.
 */
CUONN_API void cuonn_energy_follow_shape(cuonn_energy_options *options, const cuonn_mesh_shape *shape);

/** Checks every value.
 *  @return CUONN_OK; CUONN_E_ARGUMENT naming the key of the configuration ("energy.dac"), its value and its range */
CUONN_API cuonn_status cuonn_energy_options_check(const cuonn_energy_options *options);

/** Noise of a simulated chip (cuonn/chip.h), as what a chip of given components may have. */
typedef struct cuonn_energy_noise {
  double tap_shot;     /**< sigma_t; 0: none, which no light reaches */
  double io_amplitude; /**< sigma_a; 0: as little as the options' own converters and light have */
  double io_phase;     /**< sigma_phi / pi; 0: the same */
} cuonn_energy_noise;

/** Photons in a symbol of norm 1 whose shot noise at the taps is tap_shot, for the options' scheme and held_symbols.
 *  eq. 22; infinite for 0. */
CUONN_API double cuonn_energy_tap_photons(const cuonn_energy_options *options, double tap_shot);

/** Bits, not rounded to a whole number, of converters that read with this deviation.  eq. 23; infinite for 0. */
CUONN_API double cuonn_energy_noise_bits(double deviation);

/** Sets converter_bits, bits and least_photons to the least that has no more than this noise.  eq. 22 to 24.
 *  @return CUONN_OK; CUONN_E_ARGUMENT if a noise is negative or not finite */
CUONN_API cuonn_status cuonn_energy_meet_noise(cuonn_energy_options *options, const cuonn_energy_noise *noise);

/** What energy goes into. */
typedef enum cuonn_energy_part {
  CUONN_ENERGY_DAC,
  CUONN_ENERGY_MODULATOR,
  CUONN_ENERGY_RECEIVER,
  CUONN_ENERGY_ADC,
  CUONN_ENERGY_MIXER,
  CUONN_ENERGY_TAP,
  CUONN_ENERGY_LASER,
  CUONN_ENERGY_HOLDING,
  CUONN_ENERGY_DIGITAL,    /**< products that a measured matrix leaves; nonlinearity and optimizer, only of networks */
  CUONN_ENERGY_PROGRAMMING /**< only of networks */
} cuonn_energy_part;

/** Number of parts. */
#define CUONN_ENERGY_PARTS 10

/** Name of a part, such as "dac".  @return a constant string; NULL if there is no such part */
CUONN_API const char *cuonn_energy_part_name(cuonn_energy_part part);

/** What is done with one mesh and a batch. */
typedef enum cuonn_energy_operation {
  CUONN_OPERATION_MVM,     /**< matrix times vector: forward pass */
  CUONN_OPERATION_VJP,     /**< vector times matrix: backward pass */
  CUONN_OPERATION_GRADIENT /**< in situ gradient of every phase: forward, adjoint, sum and difference, taps read */
} cuonn_energy_operation;

/** Number of operations. */
#define CUONN_ENERGY_OPERATIONS 3

/** What all passes of an operation take for one vector; table of section 2 of docs/energy.md. */
typedef struct cuonn_energy_passes {
  size_t passes;   /**< n_pass */
  size_t sends;    /**< n_in, how often a vector is converted and modulated */
  size_t reads;    /**< n_out, how often the outputs are read */
  size_t mixes;    /**< n_mix, how often two fields are added electronically */
  size_t readouts; /**< c_t, of the tap of a phase shifter */
  double light;    /**< n_L, in that of one symbol of a forward pass */
  size_t symbols;  /**< n_s, for which the mesh is lit */
} cuonn_energy_passes;

/** Name of a scheme, as in a configuration.  @return a constant string; NULL if there is no such scheme */
CUONN_API const char *cuonn_energy_scheme_name(cuonn_energy_scheme scheme);

/** Passes of an operation, by the options' scheme and held_symbols. */
CUONN_API cuonn_energy_passes cuonn_energy_passes_of(const cuonn_energy_options *options,
                                                     cuonn_energy_operation operation);

/** Name of an operation: "mvm", "vjp", "gradient".  @return a constant string; NULL if there is no such operation */
CUONN_API const char *cuonn_energy_operation_name(cuonn_energy_operation operation);

/** Cost of an operation on a whole batch, or of a part of a network's training.
 *  Where no laser is strong enough, laser energy, total and watts are infinite, and the efficiency is 0. */
typedef struct cuonn_energy_cost {
  double part[CUONN_ENERGY_PARTS]; /**< [cuonn_energy_part] J */
  double joules;                   /**< sum of the parts */
  double operations;               /**< K N^2 M, times the layers of a network */
  double tops_per_watt;            /**< 1e12 operations a joule, eq. 6 */
  double seconds;                  /**< latency, eq. 15 and following */
  double watts;                    /**< of a running pass, eq. 7; of a network: joules / seconds */
  double conversion_share;         /**< of DAC, ADC and receiver amplifier in the total, 0 to 1 */
} cuonn_energy_cost;

/** Cost of an operation with N modes and a batch of M.  eq. 1 to 8, 15, 16.
 *  @return CUONN_OK; as cuonn_energy_options_check() */
CUONN_API cuonn_status cuonn_energy_operation_cost(cuonn_energy_cost *out, const cuonn_energy_options *options,
                                                   cuonn_energy_operation operation);

/** Light that the precision needs, and where its loss overtakes all else. */
typedef struct cuonn_energy_light {
  bool detectable;    /**< false: no number of photons reaches the precision, because of the oscillator's shot noise */
  double photons;     /**< n, a mode and symbol at the detector; infinite if not detectable */
  double bits_limit;  /**< the precision that endless light would reach; infinite for direct detection */
  double column_loss; /**< l, MZI and the one tap that a path meets in a column, dB */
  double symbol_energy; /**< E_L(N), J of electricity a mode and symbol; 0 if the laser is not counted */
  double watts;         /**< N E_L f_s, electricity of the laser while one pass runs */
  double equal_modes;   /**< N_eq, where the mesh's light costs as much as its conversions, eq. 14; NaN as a peak */
} cuonn_energy_light;

/** Light of one pass with N modes.  eq. 9 to 11, 14.
 *  @return CUONN_OK, also if not detectable; as cuonn_energy_options_check() */
CUONN_API cuonn_status cuonn_energy_light_cost(cuonn_energy_light *out, const cuonn_energy_options *options);

/** Where an operation is most efficient; beyond, the optical loss costs more than a larger mesh saves.  NaN for a mesh
 *  whose numbers of columns and shifters are given, because they have no law in N. */
typedef struct cuonn_energy_peak {
  double modes;         /**< N*; infinite without loss or without a laser */
  double tops_per_watt; /**< there; 0 if not detectable */
} cuonn_energy_peak;

/** The best N of an operation, for the given batch.  eq. 12, 13.
 *  @return CUONN_OK; as cuonn_energy_options_check() */
CUONN_API cuonn_status cuonn_energy_operation_peak(cuonn_energy_peak *out, const cuonn_energy_options *options,
                                                   cuonn_energy_operation operation);

/** All that the model says of one mesh. */
typedef struct cuonn_energy_point {
  cuonn_energy_cost cost[CUONN_ENERGY_OPERATIONS]; /**< [cuonn_energy_operation] */
  cuonn_energy_peak peak[CUONN_ENERGY_OPERATIONS]; /**< [cuonn_energy_operation] */
  cuonn_energy_light light;
} cuonn_energy_point;

/** Cost and peak of every operation, and the light.  @return CUONN_OK; as cuonn_energy_options_check() */
CUONN_API cuonn_status cuonn_energy_evaluate(cuonn_energy_point *out, const cuonn_energy_options *options);

/** What a network costs.  The optimizer, the loss and the programming of phases count as far as the options give
 *  them. */
typedef struct cuonn_energy_network {
  cuonn_energy_cost inference; /**< of one example */
  cuonn_energy_cost step;      /**< of a whole batch */
  cuonn_energy_cost epoch;     /**< over all examples, a last partial batch included unless it is dropped */
  double balance_batch;        /**< M*, from which light propagates longer than phases are read and written, eq. 20;
                                    infinite if none is large enough */
  double gpu_seconds;          /**< of the GPU's step, eq. 21; 0: not compared */
  double gpu_joules;           /**< of the GPU's step; 0: not compared */
} cuonn_energy_network;

/** Cost of a network, with a step in situ by the options' scheme, or from the losses of moved phases if training takes
 *  them: N, layers (amplitudes as a column of attenuators, with a phase shifter each; the two meshes of an svd layer as
 *  one) and, if it names one, the mesh from the shape, M and what happens to a partial batch from the training's
 *  options; n_modes and batch of the energy options are not read.  eq. 17 to 21.
 *  @param[in] n_examples  of the training set
 *  @return CUONN_OK; as cuonn_energy_options_check(); CUONN_E_ARGUMENT if an epoch has no step */
CUONN_API cuonn_status cuonn_energy_network_cost(cuonn_energy_network *out, const cuonn_energy_options *options,
                                                 const cuonn_network_shape *shape,
                                                 const cuonn_training_options *training, size_t n_examples);

/** What training asks of a chip: counts of all layers together. */
typedef struct cuonn_energy_demand {
  double passes;  /**< optical passes: vectors sent through a layer, the two meshes of an svd layer in one */
  double outputs; /**< detector readings at the ends of waveguides */
  double taps;    /**< detector readings at taps */
  double writes;  /**< phases written */
  double joules;
  double seconds;
} cuonn_energy_demand;

/** What a network's training asks of its chip. */
typedef struct cuonn_energy_training {
  cuonn_energy_demand start; /**< programming it once: with the phases that training on it begins with, or, where
                                  gradients are computed elsewhere, with those that it ends with */
  cuonn_energy_demand step;  /**< of a whole batch; zero where gradients are computed */
  cuonn_energy_demand epoch; /**< over all examples, as in cuonn_energy_network */
} cuonn_energy_training;

/** What training by `training->gradient` asks of a chip: passes and readings of (36), (37) or (42) of docs/physics.md.
 *  Computing, tests, and finding out the chip's errors for exact gradients are not counted.  eq. 28 to 30.
 *  @return as cuonn_energy_network_cost() */
CUONN_API cuonn_status cuonn_energy_training_cost(cuonn_energy_training *out, const cuonn_energy_options *options,
                                                  const cuonn_network_shape *shape,
                                                  const cuonn_training_options *training, size_t n_examples);

/** All of it up to the end of so many epochs: start + epochs x epoch. */
CUONN_API cuonn_energy_demand cuonn_energy_training_until(const cuonn_energy_training *training, size_t epochs);

#ifdef __cplusplus
}
#endif
#endif
