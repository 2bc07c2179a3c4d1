/** @file energy.h
 *  What a photonic chip would cost to run and to train: energy, power and latency of a mesh with its converters,
 *  amplifiers, laser and phase shifters, for components of the caller's choice.
 *
 *  Pure functions, no files.  Equations, sources of every default, and how far the source study's figure is met:
 *  docs/energy.md; "eq." below counts there.  Component values carry the units of data sheets (pJ, GS/s, dB); results are
 *  in joules, seconds and watts.
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

/** Sets of component values (docs/energy.md says where each value comes from). */
typedef enum cuonn_energy_preset {
  CUONN_ENERGY_FIGURE,  /**< what the source study's figure counts: no laser, no losses, no holding power */
  CUONN_ENERGY_DEFAULT, /**< the same electronics, with laser, 0.05 dB a column, 0.3 % taps, MEMS phase shifters */
  CUONN_ENERGY_CITED    /**< published components throughout: 0.99 dB a column, heaters */
} cuonn_energy_preset;

/** How outputs are detected, which decides how much light they need. */
typedef enum cuonn_energy_detection {
  CUONN_DETECTION_HOMODYNE, /**< I and Q against a local oscillator, eq. 9 */
  CUONN_DETECTION_DIRECT    /**< power alone, eq. 10 */
} cuonn_energy_detection;

/** When the power at the phase shifters is read. */
typedef enum cuonn_energy_taps {
  CUONN_TAPS_ANALOG, /**< photocurrents are integrated over the batch and read once */
  CUONN_TAPS_DIGITAL /**< read for every example */
} cuonn_energy_taps;

/** How the layers of a network share chips and time. */
typedef enum cuonn_energy_dataflow {
  CUONN_DATAFLOW_SEQUENTIAL, /**< a mesh a layer; the batch passes one layer after the other */
  CUONN_DATAFLOW_STREAMING,  /**< a mesh a layer; an electronic nonlinearity in line, no stop between layers */
  CUONN_DATAFLOW_REUSED      /**< one mesh, written anew for every layer */
} cuonn_energy_dataflow;

/** Digital processor to compare with; nothing is compared while `rate` is 0. */
typedef struct cuonn_energy_gpu {
  double rate;        /**< F_peak, Tflop/s */
  double use;         /**< u, share of the rate that is reached, 0 to 1 */
  double bandwidth;   /**< B_w, GB/s; 0: traffic is left out */
  double traffic;     /**< D, bytes a training step */
  double launches;    /**< n_k, kernels a training step */
  double launch_time; /**< t_k, us */
  double power;       /**< P_gpu, W; 0: energy is left out */
} cuonn_energy_gpu;

/** Everything that the model takes.  Fill it with cuonn_energy_options_init(). */
typedef struct cuonn_energy_options {
  size_t n_modes; /**< N, waveguides of the mesh */
  size_t batch;   /**< M, examples */

  size_t operations;     /**< K, operations that an element of the matrix counts for */
  size_t channels;       /**< c_q, converter channels a mode (2: I and Q) */
  size_t converter_bits; /**< bits of the converters that are used */
  size_t reference_bits; /**< b_0, bits at which `dac` and `adc` hold */
  double dac;            /**< E_DAC, pJ a conversion at reference_bits */
  double modulator;      /**< E_mod, pJ a symbol */
  double receiver;       /**< E_TIA, amplifier, pJ a sample */
  double adc;            /**< E_ADC, pJ a conversion at reference_bits */
  double mixer;          /**< E_mix, sum and difference circuit, pJ a channel and example */
  double tap;            /**< E_tap, pJ a readout of a phase shifter's tap */
  size_t passes;         /**< n_pass, passes of a gradient: 3, or 4 with inference beside it */
  size_t light_passes;   /**< n_L, passes of a gradient in units of one pass's light */
  size_t tap_readouts;   /**< c_t, readouts a phase shifter (2: sum and difference) */
  cuonn_energy_taps tap_scheme;

  double symbol_rate; /**< f_s, the lowest of DAC's, modulator's and ADC's, GS/s */
  bool laser;         /**< whether the laser is counted */
  cuonn_energy_detection detection;
  size_t bits;                 /**< b, precision that the light must carry */
  double wall_plug_efficiency; /**< eta_wp, light out of the laser over electricity into it, above 0 to 1 */
  double wavelength;           /**< nm */
  double detector_efficiency;  /**< eta_d, electrons a photon, above 0 to 1 */
  double oscillator_photons;   /**< n_LO, a mode and symbol; homodyne only */
  double least_photons;        /**< n_tap, that the light has at least, whatever `bits` needs; 0: no such need */
  double amplifier_noise;      /**< i_n, input-referred, pA/sqrt(Hz) */
  double fixed_loss;           /**< IL_0, modulator and couplers to the chip, dB */
  double column_loss;          /**< l_MZI, of an MZI without its taps, dB a column */
  double tap_fraction;         /**< kappa_t, share of the power that each of a column's two taps takes */
  double holding_power;        /**< P_hold, mean of a phase shifter, mW */

  cuonn_energy_dataflow dataflow; /**< of a network's layers */
  double column_length;           /**< L_col, mm */
  double group_index;             /**< n_g */
  double electronic_latency;      /**< t_el: DAC, driver, receiver and ADC, ns */
  size_t tap_converters;          /**< n_adc; 0: one a mode */
  double tap_rate;                /**< f_tap, readouts of one of them, MS/s */
  double programming_time;        /**< t_prog, settling of the phase shifters, us */

  /* What depends on electronics that nobody has chosen yet; 0: left out. */
  double programming_energy; /**< E_prog, pJ to write a phase shifter */
  double digital_energy;     /**< E_dig, nonlinearity and optimizer, pJ a training step */
  double digital_time;       /**< t_dig, at each of the 2 L + 1 digital stages of a step, ns a batch */
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

/** Checks every value.
 *  @return CUONN_OK; CUONN_E_ARGUMENT naming the key of the configuration ("energy.dac"), its value and its range */
CUONN_API cuonn_status cuonn_energy_options_check(const cuonn_energy_options *options);

/** Noise of a simulated chip (cuonn/chip.h), as what a chip of given components may have. */
typedef struct cuonn_energy_noise {
  double tap_shot;     /**< sigma_t; 0: none, which no light reaches */
  double io_amplitude; /**< sigma_a; 0: as little as the options' own converters and light have */
  double io_phase;     /**< sigma_phi / pi; 0: the same */
  double symbols; /**< m, symbols over which a tap adds up the light that the simulation takes for norm 1; at least 1 */
} cuonn_energy_noise;

/** Photons in a symbol of norm 1 whose shot noise at the taps is tap_shot.  eq. 22; infinite for 0. */
CUONN_API double cuonn_energy_tap_photons(const cuonn_energy_options *options, double tap_shot, double symbols);

/** Bits, not rounded to a whole number, of converters that read with this deviation.  eq. 23; infinite for 0. */
CUONN_API double cuonn_energy_noise_bits(double deviation);

/** Sets converter_bits, bits and least_photons to the least that has no more than this noise.  eq. 22 to 24.
 *  @return CUONN_OK; CUONN_E_ARGUMENT if a noise is negative or not finite, or symbols are below 1 */
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
  CUONN_ENERGY_PROGRAMMING, /**< only of networks */
  CUONN_ENERGY_DIGITAL      /**< only of networks */
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
  double column_loss; /**< l, MZI and its two taps, dB */
  double symbol_energy; /**< E_L(N), J of electricity a mode and symbol; 0 if the laser is not counted */
  double watts;         /**< N E_L f_s, electricity of the laser while one pass runs */
  double equal_modes;   /**< N_eq, where the mesh's light costs as much as its conversions, eq. 14 */
} cuonn_energy_light;

/** Light of one pass with N modes.  eq. 9 to 11, 14.
 *  @return CUONN_OK, also if not detectable; as cuonn_energy_options_check() */
CUONN_API cuonn_status cuonn_energy_light_cost(cuonn_energy_light *out, const cuonn_energy_options *options);

/** Where an operation is most efficient; beyond, the optical loss costs more than a larger mesh saves. */
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

/** What a network costs.  The optimizer, the loss and the programming of phases count as far as the options give them. */
typedef struct cuonn_energy_network {
  cuonn_energy_cost inference; /**< of one example */
  cuonn_energy_cost step;      /**< of a whole batch */
  cuonn_energy_cost epoch;     /**< over all examples, a last partial batch included unless it is dropped */
  double balance_batch;        /**< M*, from which light propagates longer than phases are read and written, eq. 20 */
  double gpu_seconds;          /**< of the GPU's step, eq. 21; 0: not compared */
  double gpu_joules;           /**< of the GPU's step; 0: not compared */
} cuonn_energy_network;

/** Cost of a network: N and layers from the shape, M and what happens to a partial batch from the training's options;
 *  n_modes and batch of the energy options are not read.  eq. 17 to 21.
 *  @param[in] n_examples  of the training set
 *  @return CUONN_OK; as cuonn_energy_options_check(); CUONN_E_ARGUMENT if an epoch has no step */
CUONN_API cuonn_status cuonn_energy_network_cost(cuonn_energy_network *out, const cuonn_energy_options *options,
                                                 const cuonn_network_shape *shape,
                                                 const cuonn_training_options *training, size_t n_examples);

#ifdef __cplusplus
}
#endif
#endif
