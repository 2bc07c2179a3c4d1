/** @file config.h
 *  Configuration: a YAML file, "key=value" settings on top of it, and the table of keys that rules both.
 */
#ifndef CUONN_CONFIG_H
#define CUONN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cuonn/dataset.h"
#include "cuonn/energy.h"
#include "cuonn/features.h"
#include "cuonn/network.h"
#include "cuonn/shape.h"
#include "cuonn/status.h"
#include "cuonn/training.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Longest text value, with its final zero byte. */
#define CUONN_CONFIG_TEXT 1024

/** What the examples are. */
typedef enum cuonn_data_kind {
  CUONN_DATA_IMAGES, /**< IDX files, whose features enter the chip */
  CUONN_DATA_FIELDS  /**< netCDF files of the fields that enter it */
} cuonn_data_kind;

/** Where examples come from; texts that are not needed may be empty. */
typedef struct cuonn_data_options {
  cuonn_data_kind kind;
  char path[CUONN_CONFIG_TEXT];                       /**< images: folder of the four files */
  char names[CUONN_DATASET_FILES][CUONN_CONFIG_TEXT]; /**< images: as for cuonn_dataset_load() */
  char train[CUONN_CONFIG_TEXT],
      test[CUONN_CONFIG_TEXT]; /**< fields: files; without test, a share of train is split off */
  double test_share;           /**< fields: 0: there is a file */
  uint64_t seed;               /**< fields: of the split */
  bool pad;                    /**< fields: dark waveguides make up for those that miss */
} cuonn_data_options;

/** A whole configuration.  Plain data: copy it as you like. */
typedef struct cuonn_config {
  cuonn_data_options data;            /**< data.*, but for what features are */
  cuonn_features_options features;    /**< data.features, .radius, .side, .width, .frequencies, .border, .reference */
  cuonn_network_shape network;        /**< network.modes, .layers, .classes, .phase_style, .loss_per_class, .loss,
                                           .nonlinearity and the numbers of its law; mesh: NULL */
  cuonn_architecture architecture;    /**< network.architecture */
  cuonn_node_kind node;               /**< network.node */
  size_t columns;                     /**< network.columns; 0: as many as the architecture has */
  char shape_file[CUONN_CONFIG_TEXT]; /**< network.shape_file: needed with, and only with, architecture: custom */
  cuonn_network_start start;          /**< network.start: haar, haar-phases, file */
  char start_file[CUONN_CONFIG_TEXT]; /**< network.start_file: needed with, and only with, start: file */
  cuonn_training_options training;    /**< training.*, chip.*; training.seed seeds starting phases and order */
  size_t repeats;                     /**< sweep.repeats; 1 but in a grid (cuonn/grid.h) */
  char chip_file[CUONN_CONFIG_TEXT];  /**< chip.file: a fabricated chip, "" if there is none; who reads it sets
                                           training.chip.fabricated */
  char chip_errors_file[CUONN_CONFIG_TEXT];  /**< chip.errors_file: errors of each node, "" if there is none */
  cuonn_energy_preset energy_preset;         /**< energy.preset: what the values of `energy` were before single keys */
  cuonn_energy_components energy_components; /**< energy.components: the same of its electronics, over the preset */
  cuonn_energy_options energy;               /**< energy.*; no part of a training run */
  char backend[16];                          /**< backend.name */
  int threads;                               /**< backend.threads; 0 = one per processor */
  char devices[128];                         /**< backend.devices: "", "all" or numbers such as "0,1" */
  char method[16];                           /**< backend.method */
  char output_directory[CUONN_CONFIG_TEXT];  /**< output.directory */
  double checkpoint_interval;                /**< output.checkpoint_interval, seconds */
} cuonn_config;

/** Sets every key to its default (the source study's setting). */
CUONN_API void cuonn_config_init(cuonn_config *out);

/** Reads a YAML file over the present values: keys that the file does not name stay, but that energy.preset, wherever
 *  it stands in the file, first sets every component of the section energy (all keys but modes and batch), and
 *  energy.components then its electronics.  Keys of earlier versions that are no more are passed over where they have
 *  the value that was their default, and refused with what took their place where they have another.
 *  Refused with file, line, key, what was found and what is allowed: unknown or duplicate keys, wrong types, numbers
 *  that do not parse to their last character or are not finite, values out of range, lists, aliases, anchors, tags, a
 *  second document, nesting beyond 8, files over 1 MiB, empty files.
 *  @return CUONN_OK; CUONN_E_CONFIG; CUONN_E_IO; CUONN_E_MEMORY.  On failure *config is as it was. */
CUONN_API cuonn_status cuonn_config_read(cuonn_config *config, const char *path);

/** Reads YAML text, as cuonn_config_read() does; `name` stands for the file in messages.  Such text stands in
 *  checkpoints and sweeps, perhaps of an earlier version: its keys that are no more are passed over, whatever their
 *  values, but for a rate that sgd had in place of the learning rate, which becomes that, and
 *  where it names no backend.method, that is columns, which was all there was. */
CUONN_API cuonn_status cuonn_config_read_text(cuonn_config *config, const char *text, size_t length, const char *name);

/** Applies one "key=value", such as "training.epochs=5"; energy.preset and
 *  energy.components set others of their section.  @return CUONN_OK; CUONN_E_CONFIG */
CUONN_API cuonn_status cuonn_config_set(cuonn_config *config, const char *assignment);

/** Checks what single keys cannot: the data against its kind, N against the features, classes against N, the
 *  architecture against N and start, style against start, start against its file; and that it is one run: sweep.repeats
 * is 1.
 *  @return CUONN_OK; CUONN_E_CONFIG naming both keys and what to change */
CUONN_API cuonn_status cuonn_config_check(const cuonn_config *config);

/** The shape of the network's meshes: of network.architecture, .modes and .columns, or read from network.shape_file.
 *  @param[out] out  release with cuonn_mesh_shape_free(); for config->network.mesh, which it must outlive
 *  @return CUONN_OK; as cuonn_mesh_shape_make(), as cuonn_mesh_shape_read() */
CUONN_API cuonn_status cuonn_config_mesh_shape(cuonn_mesh_shape **out, const cuonn_config *config);

/** The configuration as YAML that cuonn_config_read_text() reads back to the same values.
 *  @return a string to be released with free(); NULL if there is no memory */
CUONN_API char *cuonn_config_text(const cuonn_config *config);

/** One key of the table, for documentation, completion and messages.  All strings are constant. */
typedef struct cuonn_config_key {
  const char *path;          /**< such as "training.optimizer.learning_rate" */
  const char *type;          /**< "integer", "number", "boolean", "text", "choice" */
  const char *allowed;       /**< range or choices, such as "1 to 1000000" or "adam | sgd" */
  const char *default_value; /**< as it would be written in the file */
  const char *unit;          /**< "" if it has none */
  const char *sentence;      /**< what it does */
  const char *coordinate;    /**< name in the results of a sweep; NULL if no list of values can sweep it */
} cuonn_config_key;

/** The i-th key, in the order of the documentation.
 *  @return true and *out filled, valid until the next call from the same thread; false past the last */
CUONN_API bool cuonn_config_key_at(cuonn_config_key *out, size_t i);

/** Name of the first key whose value differs and that changes what is computed (not paths, backend, threads, devices or
 * output, energy; epochs only under the cosine schedule), NULL if none does: whether a run may be resumed with another
 *  configuration. */
CUONN_API const char *cuonn_config_difference(const cuonn_config *a, const cuonn_config *b);

#ifdef __cplusplus
}
#endif
#endif
