#!/usr/bin/env bash
# Makes the Python package as one wheel for all Pythons from 3.10 on, with the library, the program, and what they need:
#   build/wheel/cuonn-VERSION-py3-none-manylinux_....whl
# It is named after the oldest C library that will do, and holds the backends reference and cpu. The same sources, built
# with the same packages, give the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

python=$(scripts/python.sh wheel)
netcdf=$(scripts/netcdf.sh static)
environment=$(dirname "$(dirname "$python")")
folder=$PWD/build/wheel
static=$folder/static

# logged COMMAND...: what it says goes to a file, of which the end is shown if it fails.
logged() { "$@" >>"$folder/log" 2>&1 || { tail -n 30 "$folder/log" >&2 && exit 1; }; }

rm -rf "$folder"
mkdir -p "$static"
trap 'rm -f python/LICENSE python/README.md' EXIT
cp LICENSE python/LICENSE
cp docs/python.md python/README.md

# LAPACKE is linked statically: the shared one brings LAPACK and BLAS of its own, which OpenBLAS has as well.
ln -s "$(gcc -print-file-name=liblapacke.a)" "$static/"
cat >"$static/lapacke.pc" <<PC
Name: LAPACKE
Description: C interface of the LAPACK in OpenBLAS
Version: $(pkg-config --modversion lapacke)
Libs: -L$static -llapacke $(pkg-config --libs openblas)
Cflags: $(pkg-config --cflags lapacke)
PC

PKG_CONFIG_PATH=$static:$netcdf/lib/pkgconfig
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH-$(git log -1 --format=%ct || stat -c %Y CMakeLists.txt)}
export PKG_CONFIG_PATH SOURCE_DATE_EPOCH PATH=$environment/bin:$PATH
# Neither run paths of the build folder nor identities that depend on it.
flags=-Wl,--build-id=none
logged "$python" -m build --wheel --no-isolation --outdir "$folder/raw" -C build-dir="$folder/build" \
  -C cmake.define.CUONN_PYTHON="$environment" -C cmake.define.CMAKE_BUILD_WITH_INSTALL_RPATH=ON \
  -C cmake.define.CMAKE_EXE_LINKER_FLAGS="$flags" -C cmake.define.CMAKE_SHARED_LINKER_FLAGS="$flags" python
logged "$python" -m auditwheel repair --only-plat --wheel-dir "$folder/repaired" "$folder"/raw/*.whl

# The licences of what it carries: of each library that auditwheel copied, by its list, and of what is linked statically
logged "$python" -m wheel unpack -d "$folder/unpacked" "$folder"/repaired/*.whl
licences=$(echo "$folder"/unpacked/*/*.dist-info/licenses)
cp "$netcdf"/share/licences/* "$licences/"
copied=$(grep -o 'pkg:deb/debian/[^@"]*' "$licences"/../sboms/auditwheel.cdx.json | sort -u)
for package in ${copied//pkg:deb\/debian\//} liblapacke-dev libxsmm-dev librandom123-dev; do
  text=$(realpath "/usr/share/doc/$package/copyright")
  cp "$text" "$licences/$(basename "$(dirname "$text")")" # one text of all of GCC's libraries
done
cp /usr/share/common-licenses/{GPL-3,LGPL-2.1} "$licences/" # which GCC's text names
logged "$python" -m wheel pack -d "$folder" "$folder"/unpacked/*

rm -rf "$folder"/{raw,repaired,unpacked,build,static}
"$python" -m auditwheel show "$folder"/*.whl
ls -l "$folder"/*.whl
