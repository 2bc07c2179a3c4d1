#!/usr/bin/env bash
# Installs a build into a folder, moves that elsewhere, and builds and runs the consumer against it: with CMake and with
# pkg-config, with the shared and with the static library.
#   check.sh BUILD FOLDER LIBDIR CC [FLAGS...]    flags: those of the build that every program using it needs
set -euo pipefail
build=$1 folder=$2 libdir=$3 cc=$4
shift 4
source=$(cd "$(dirname "$0")" && pwd)

rm -rf "$folder"
mkdir -p "$folder"
cmake --install "$build" --prefix "$folder/first" >"$folder/install.log"
mv "$folder/first" "$folder/installed"
prefix=$folder/installed

echo "-- CMake"
cmake -G Ninja -S "$source" -B "$folder/cmake" -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_FLAGS="$*" \
  -DCMAKE_PREFIX_PATH="$prefix" \
  >"$folder/configure.log"
cmake --build "$folder/cmake" >"$folder/build.log"
"$folder/cmake/consumer_shared"
"$folder/cmake/consumer_static"
"$folder/cmake/model_shared"
"$folder/cmake/model_static"
"$folder/cmake/shape_shared"
"$folder/cmake/shape_static"

echo "-- pkg-config"
export PKG_CONFIG_PATH=$prefix/$libdir/pkgconfig
# shellcheck disable=SC2046 # flags are words
"$cc" "$@" "$source/consumer.c" -o "$folder/consumer_pc_shared" $(pkg-config --cflags --libs cuonn) -lm \
  -Wl,-rpath,"$prefix/$libdir"
"$folder/consumer_pc_shared"
# shellcheck disable=SC2046
"$cc" "$@" "$source/consumer.c" -o "$folder/consumer_pc_static" $(pkg-config --cflags cuonn) \
  $(pkg-config --static --libs cuonn | sed 's/-lcuonn/-l:libcuonn.a/')
"$folder/consumer_pc_static"

if [ -x "$prefix/bin/cuonn" ]; then
  echo "-- program"
  "$prefix/bin/cuonn" --version
  # It finds its scripts where it was moved to.
  printf '%s\n' epoch,train_loss,test_loss,test_accuracy,seconds,examples_per_second 1,0.2,0.1,0.7,1,60000 \
    2,0.1,0.1,0.8,1,60000 \
    >"$folder/metrics.csv"
  "$prefix/bin/cuonn" plot curves "$folder/metrics.csv" --output "$folder/curves.svg"
fi
