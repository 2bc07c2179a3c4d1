/* A handle from inside: a backend's state, and what is known of it here. */
#ifndef CUONN_MODEL_MODEL_H
#define CUONN_MODEL_MODEL_H

#include "backends/backend.h"

struct cuonn_model {
  const cuonn_backend *backend;
  backend_place place;
  cuonn_model_options options;
  void *state;                     /* the backend's */
  cuonn_model_settings *settings;  /* [model] */
  bool *has_phases;                /* [model] */
  size_t n_examples[CUONN_SPLITS]; /* 0: not set */
};

/* CUONN_E_ARGUMENT if the handle has no such model, or if it cannot compute for want of phases. */
cuonn_status model_check_index(const cuonn_model *model, size_t index);
cuonn_status model_check_phases(const cuonn_model *model, size_t index);

#endif
