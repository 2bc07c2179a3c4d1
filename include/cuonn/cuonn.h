/** @file cuonn.h
 *  All of cuONN: trainer and simulator of optical neural networks made of MZI meshes.
 */
#ifndef CUONN_CUONN_H
#define CUONN_CUONN_H

#include "cuonn/benchmark.h"
#include "cuonn/buffer.h"
#include "cuonn/chip.h"
#include "cuonn/compute.h"
#include "cuonn/config.h"
#include "cuonn/convention.h"
#include "cuonn/dataset.h"
#include "cuonn/energy.h"
#include "cuonn/fabricated.h"
#include "cuonn/features.h"
#include "cuonn/fields.h"
#include "cuonn/files.h"
#include "cuonn/function.h"
#include "cuonn/grid.h"
#include "cuonn/layout.h"
#include "cuonn/mesh.h"
#include "cuonn/model.h"
#include "cuonn/network.h"
#include "cuonn/processes.h"
#include "cuonn/programming.h"
#include "cuonn/shape.h"
#include "cuonn/status.h"
#include "cuonn/sweep.h"
#include "cuonn/training.h"
#include "cuonn/version.h"

#endif
