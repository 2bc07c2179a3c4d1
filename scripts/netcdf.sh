#!/usr/bin/env bash
# Builds HDF5 and netCDF-C as static libraries without what goes to the network (DAP, byte ranges, Zarr, XML): Debian's
# own drag in 40 libraries for curl, TLS, LDAP and Kerberos. From Debian's source packages, into build/netcdf.
#   scripts/netcdf.sh            does nothing if they are there
# Prints the folder; its lib/pkgconfig holds netcdf.pc.
set -euo pipefail
cd "$(dirname "$0")/.."

prefix=$PWD/build/netcdf
if [ -e "$prefix/lib/pkgconfig/netcdf.pc" ]; then
  echo "$prefix"
  exit
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Source packages come from where the system's packages come from, by lists of our own.
mkdir -p "$scratch"/lists/partial
if [ -e /etc/apt/sources.list.d/debian.sources ]; then
  sed 's/^Types:.*/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$scratch/src.sources"
  list=$scratch/src.sources
else
  sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >"$scratch/src.list"
  list=$scratch/src.list
fi
apt=(apt-get -qq -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::SourceList="$list"
  -o Dir::State::Lists="$scratch/lists" -o APT::Sandbox::User=root)
"${apt[@]}" update >&2
(cd "$scratch" && "${apt[@]}" source --download-only hdf5 netcdf >&2)
mkdir "$scratch"/{hdf5,hdf5-build,netcdf}
tar xf "$scratch"/hdf5_*.orig.tar.* -C "$scratch/hdf5" --strip-components=1
tar xf "$scratch"/netcdf_*.orig.tar.* -C "$scratch/netcdf" --strip-components=1

{
  cd "$scratch/hdf5-build"
  CC="${CMAKE_C_COMPILER_LAUNCHER-} gcc" ../hdf5/configure --prefix="$prefix" --disable-shared --enable-static \
    --with-pic --disable-tests --disable-tools --disable-fortran --disable-cxx --without-szlib \
    --enable-build-mode=production
  make -j2
  make install
  version=$(sed -n 's/^#define H5_VERS_INFO .*library version: \([0-9.]*\).*/\1/p' "$prefix/include/H5public.h")
  cmake -S "$scratch/netcdf" -B "$scratch/netcdf-build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_INSTALL_PREFIX="$prefix" -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
    -DENABLE_DAP=OFF -DENABLE_BYTERANGE=OFF -DENABLE_NCZARR=OFF -DENABLE_LIBXML2=OFF -DENABLE_HDF4=OFF \
    -DENABLE_PLUGINS=OFF -DENABLE_FILTER_TESTING=OFF -DENABLE_TESTS=OFF -DENABLE_EXAMPLES=OFF -DBUILD_UTILITIES=OFF \
    -DHDF5_VERSION="$version" -DHDF5_INCLUDE_DIR="$prefix/include" -DHDF5_C_LIBRARY="$prefix/lib/libhdf5.a" \
    -DHDF5_HL_LIBRARY="$prefix/lib/libhdf5_hl.a"
  cmake --build "$scratch/netcdf-build" --target install -- -j2
} >"$scratch/log" 2>&1 || {
  tail -n 30 "$scratch/log" >&2
  exit 1
}

# Its own names curl, which nothing in it uses.
version=$(sed -n 's/^Version: //p' "$prefix/lib/pkgconfig/netcdf.pc")
mkdir -p "$prefix/share/licences"
cp "$scratch/hdf5/COPYING" "$prefix/share/licences/HDF5"
cp "$scratch/netcdf/COPYRIGHT" "$prefix/share/licences/netCDF"
cat >"$prefix/lib/pkgconfig/netcdf.pc" <<PC
Name: netCDF
Description: NetCDF client library for C, without network
Version: $version
Libs: -L$prefix/lib -lnetcdf -lhdf5_hl -lhdf5 -lz -ldl -lm
Cflags: -I$prefix/include
PC
echo "$prefix"
