#!/usr/bin/env bash
# Makes what tests and measures cuONN on a GPU machine elsewhere, which needs neither internet nor our libraries:
#   build/bundle/cuonn-gpu-check.tar.xz        programs with what they are linked with, golden values, start script
#   build/bundle/cuonn-gpu-check-data.tar.xz   Fashion-MNIST; unpacks into the same folder
# Both together are more than 40 MB, each is less. bundle/README.md says how to use them.
set -euo pipefail
cd "$(dirname "$0")/.."

data=/usr/share/datasets/fashion-mnist
folder=$PWD/build/bundle
build=$folder/build
stage=$folder/cuonn-gpu-check
most=40000000 # bytes of an archive

toolkit=$(scripts/cuda-toolkit.sh)
# The older tag of the run path holds also for what a library is linked with.
cmake --preset cuda -B "$build" -DCMAKE_CUDA_COMPILER="$toolkit/bin/nvcc" -DCUDAToolkit_ROOT="$toolkit" \
  -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON -DCMAKE_INSTALL_RPATH="\$ORIGIN/../lib" \
  -DCMAKE_EXE_LINKER_FLAGS="-Wl,--disable-new-dtags,--as-needed"
cmake --build "$build" --target cuonn exercise cuonn_gpu_tests cuonn_golden -- -j2

rm -rf "$stage"
mkdir -p "$stage"/{bin,lib,libexec,share/licences}
cp "$build/src/cli/cuonn" "$stage/bin/"
cp bundle/gpu-check.sh "$stage/bin/cuonn-gpu-check"
cp "$build/bundle/exercise" "$build"/tests/gpu/test_gpu_* "$stage/libexec/"
cp -r "$build/bundle/golden" "$stage/share/"
cp configs/{fashion-mnist,in-situ-fashion-mnist,noise-sweep}.yaml "$stage/share/"
cp bundle/README.md LICENSE "$stage/"
git describe --always --dirty >"$stage/share/built"

# The peers, and the problem that they solve, which takes NumPy and SciPy to make.
mkdir "$stage/share/peers"
cp bench/peers/*.py "$stage/share/peers/"
[ -x "$folder/python/bin/python3" ] || python3 -m venv "$folder/python"
"$folder/python/bin/python3" -m pip install -q --disable-pip-version-check numpy scipy
LD_LIBRARY_PATH=$toolkit/lib "$folder/python/bin/python3" bench/peers/problem.py \
  --cuonn "$build/src/cli/cuonn" "$stage/share/problem.npz"

strip "$stage/bin/cuonn" "$stage"/libexec/*

# needs PROGRAM...: "name path" of every library, as the loader finds them with CUDA's in reach.
needs() {
  LD_LIBRARY_PATH=$toolkit/lib ldd "$@" | awk '$2 == "=>" { print $1, $3 == "not" ? "missing" : $3 }' | sort -u
}

# The C library belongs to the machine, cuFFT and cuBLAS (880 MB) to its CUDA; all else is carried, with its licence.
own='^(libc|libm|libdl|librt|libpthread|libresolv)\.so|^libcu(fft|blas|blasLt)\.so'
programs=("$stage/bin/cuonn" "$stage"/libexec/*)
while read -r name path; do
  [[ $name =~ $own ]] && continue
  cp -L "$path" "$stage/lib/$name"
  package=$(dpkg-query -S "*/$(basename "$(realpath "$path")")" | head -n 1 | cut -d: -f1)
  cp -L "/usr/share/doc/$package/copyright" "$stage/share/licences/$package"
done < <(needs "${programs[@]}")

# With the same programs where they will lie: nothing is found but what was carried.
while read -r name path; do
  if ! [[ $name =~ $own || $path == "$stage"/* ]]; then
    echo "bundle: $name comes from $path, not from the bundle" >&2
    exit 1
  fi
done < <(needs "${programs[@]}")

# pack ARCHIVE FILE...: from $folder; the same files give the same archive.
pack() {
  tar -C "$folder" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -c "${@:2}" | xz -9 >"$1"
  local size
  size=$(stat -c %s "$1")
  if [ "$size" -gt "$most" ]; then
    echo "bundle: $1 has $size bytes, more than $most" >&2
    exit 1
  fi
  echo "bundle: $1, $size bytes"
}

# All programs hold the same kernels, which xz sees where they lie near each other.
pack "$folder/cuonn-gpu-check.tar.xz" cuonn-gpu-check/{bin,libexec,lib,share,LICENSE,README.md}
if [ ! -e "$folder/cuonn-gpu-check-data.tar.xz" ]; then # xz packs the images tighter than gzip does
  mkdir -p "$stage/data"
  for file in "$data"/*.gz; do zcat "$file" >"$stage/data/$(basename "$file" .gz)"; done
  pack "$folder/cuonn-gpu-check-data.tar.xz" cuonn-gpu-check/data
fi
