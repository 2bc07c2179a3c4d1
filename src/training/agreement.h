/* What processes that share a training have to agree on (cuonn/processes.h); one alone agrees with itself. */
#ifndef CUONN_TRAINING_AGREEMENT_H
#define CUONN_TRAINING_AGREEMENT_H

#include <stdbool.h>

#include "cuonn/network.h"
#include "cuonn/processes.h"

/* Whether any of them was asked to stop: all stop before the same step. */
cuonn_status training_agree_to_stop(bool *stop, const cuonn_context *context);

/* CUONN_E_PROCESSES, on all, unless all have the same parameters. when: of the training, for the message. */
cuonn_status training_agree_on_phases(const cuonn_context *context, const cuonn_network *network, const char *when);

#endif
