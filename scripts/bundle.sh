#!/usr/bin/env bash
# Makes what tests and measures cuONN on a GPU machine elsewhere, which needs neither internet nor our libraries:
#   build/bundle/cuonn-gpu-check.tar.gz     programs with what they are linked with, golden values, start script
#   build/bundle/cuonn-gpu-check-data.tar   Fashion-MNIST; unpacks into the same folder
# bundle/README.md says how to use them.
#   scripts/bundle.sh [ARCHITECTURES]       as CMAKE_CUDA_ARCHITECTURES; 90-real (H100, H200) if not said
set -euo pipefail
cd "$(dirname "$0")/.."

architectures=${1-90-real}
data=/usr/share/datasets/fashion-mnist
folder=$PWD/build/bundle
build=$folder/build
stage=$folder/cuonn-gpu-check
most=40000000               # bytes of an archive
most_together=$((60 << 20)) # and of both
glibc=2.35                  # the oldest C library on which all of it starts

toolkit=$(scripts/cuda-toolkit.sh)
netcdf=$(scripts/netcdf.sh classic)
# C++'s library is linked statically: one that is carried could be older than what others on that machine need, and
# needs a newer C library itself. What is left of it when unused sections are dropped does not; nothing may look into
# the libraries that Debian's netCDF needs, for whose sake sections would be kept.
mkdir -p "$folder/static"
ln -sf "$(g++ -print-file-name=libstdc++.a)" "$folder/static/libstdc++.a"
link="-L$folder/static -Wl,--disable-new-dtags,--as-needed,--gc-sections,--allow-shlib-undefined"
# The older tag of the run path holds also for what a library is linked with.
cmake --preset cuda -B "$build" -DCMAKE_CUDA_COMPILER="$toolkit/bin/nvcc" -DCUDAToolkit_ROOT="$toolkit" \
  -DCMAKE_CUDA_ARCHITECTURES="$architectures" \
  -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON -DCMAKE_INSTALL_RPATH="\$ORIGIN/../lib" \
  -DCMAKE_EXE_LINKER_FLAGS="$link"
cmake --build "$build" --target cuonn exercise gpu_tests cuonn_golden -- -j2

rm -rf "$stage"
mkdir -p "$stage"/{bin,lib,libexec,share/{licences,cuonn}}
cp "$build/src/cli/cuonn" "$stage/bin/"
cp bundle/gpu-check.sh "$stage/bin/cuonn-gpu-check"
cp "$build/bundle/exercise" "$build/tests/gpu/gpu_tests" "$stage/libexec/"
cp -r "$build/bundle/golden" "$stage/share/"
cp configs/{fashion-mnist,in-situ-fashion-mnist,noise-sweep}.yaml "$stage/share/"
cp -r plots "$stage/share/cuonn/"
cp bundle/README.md LICENSE "$stage/"
echo "$(git describe --always --dirty), code for $architectures" >"$stage/share/built"
cp "$netcdf" "$stage/lib/"
cp -L /usr/share/doc/libnetcdf-dev/copyright "$stage/share/licences/libnetcdf"

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
  [[ $name =~ $own || $path == "$stage"/* ]] && continue
  # What Debian takes out of OpenBLAS, that library holds, too.
  if [[ $name == lib@(blas|lapack).so.3 && $(realpath "$path") == */openblas*/* ]]; then
    ln -s libopenblas.so.0 "$stage/lib/$name"
    continue
  fi
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

# Nothing of it asks for a newer C library than it should start on, or for C++'s.
for file in "${programs[@]}" "$stage"/lib/*; do
  newest=$(objdump -T "$file" | sed -n 's/.*[( ]GLIBC_\([0-9.]*\).*/\1/p' | sort -V | tail -n 1)
  if [ "$(printf '%s\n' "$glibc" "$newest" | sort -V | tail -n 1)" != "$glibc" ]; then
    echo "bundle: ${file##*/} needs glibc $newest, newer than $glibc" >&2
    exit 1
  fi
  if objdump -p "$file" | grep -q 'NEEDED.*libstdc++'; then
    echo "bundle: ${file##*/} needs libstdc++, which is not carried" >&2
    exit 1
  fi
done

# pack FILE...: from $folder; the same files give the same archive.
pack() {
  tar -C "$folder" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -c "$@"
}

# What any tar and any Python unpacks; the images are gzip files by themselves.
pack cuonn-gpu-check/{bin,libexec,lib,share,LICENSE,README.md} | gzip -9n >"$folder/cuonn-gpu-check.tar.gz"
mkdir -p "$stage/data"
cp "$data"/*.gz "$stage/data/"
pack cuonn-gpu-check/data >"$folder/cuonn-gpu-check-data.tar"
together=0
for archive in "$folder"/cuonn-gpu-check{.tar.gz,-data.tar}; do
  size=$(stat -c %s "$archive")
  together=$((together + size))
  echo "bundle: $archive, $size bytes"
  if [ "$size" -gt "$most" ] || [ "$together" -gt "$most_together" ]; then
    echo "bundle: more than $most bytes, or $most_together together" >&2
    exit 1
  fi
done
