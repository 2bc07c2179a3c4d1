#!/usr/bin/env bash
# Builds netCDF of the source of Debian's package, in the version that is installed, for programs that go elsewhere:
# Debian's own brings 40 libraries for curl, TLS, LDAP, Kerberos and XML, all for places that cuONN does not read from.
#   scripts/netcdf.sh static    prints a folder with static libraries of netCDF and HDF5, and lib/pkgconfig/netcdf.pc
#   scripts/netcdf.sh classic   prints the path of a shared library in place of Debian's, without HDF5: it reads and
#                               writes the classic formats alone, which is what cuONN writes
# Nothing is done if it is there. It needs apt-get with a mirror that has sources, whose signatures apt-get checks, and
# what `scripts/install-packages.sh tests` installs.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { echo "netcdf: $*" >&2; }

kind=${1-}
case $kind in
  static) packages=(libnetcdf-dev libhdf5-dev) ;;
  classic) packages=(libnetcdf-dev) ;;
  *)
    echo "usage: scripts/netcdf.sh static|classic" >&2
    exit 2
    ;;
esac
folder=$PWD/build/netcdf/$kind
case $kind in
  static) result=$folder ;;
  classic) result=$folder/lib/$(objdump -p "$(pkg-config --variable=libdir netcdf)/libnetcdf.so" |
    awk '$1 == "SONAME" { print $2 }') ;;
esac
# shellcheck disable=SC2016 # ${...} is dpkg-query's own notation
mapfile -t sources < <(dpkg-query -W -f '${source:Package}=${source:Version}\n' "${packages[@]}")
if [ ${#sources[@]} -ne ${#packages[@]} ]; then
  say "${packages[*]}: not installed; scripts/install-packages.sh does it"
  exit 1
fi
made="${sources[*]}, by $(sha256sum <scripts/netcdf.sh)"
if [ "$(cat "$folder/made" 2>/dev/null)" = "$made" ]; then
  echo "$result"
  exit
fi
rm -rf "$folder"
mkdir -p "$folder"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# fetch: the sources into $scratch/NAME. From the mirrors that apt-get knows, asked for sources by lists of our own.
fetch() {
  local list source
  mkdir -p "$scratch"/{mirrors,lists/partial,cache/archives/partial}
  shopt -s nullglob
  for list in /etc/apt/sources.list.d/*.sources; do
    sed 's/^Types:.*/Types: deb-src/' "$list" >"$scratch/mirrors/${list##*/}"
  done
  for list in /etc/apt/sources.lis[t] /etc/apt/sources.list.d/*.list; do
    sed -n 's/^deb /deb-src /p' "$list" >"$scratch/mirrors/$(basename "$list" .list).list"
  done
  local apt=(apt-get -qq -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$scratch/mirrors"
    -o "Dir::State::Lists=$scratch/lists" -o "Dir::Cache=$scratch/cache" -o APT::Sandbox::User=root)
  "${apt[@]}" update || say "not every mirror has sources"
  (cd "$scratch" && "${apt[@]}" source --download-only "${sources[@]}") || return 1
  for source in "${sources[@]%%=*}"; do
    mkdir "$scratch/$source"
    tar -xf "$scratch/${source}"_*.orig.tar.* -C "$scratch/$source" --strip-components=1
  done
}

# Nothing in what is built tells where or when that was.
flags="-O2 -ffile-prefix-map=$scratch=. -ffile-prefix-map=$folder=."

# Its files for CMake do not get along with Debian's CMake.
build_hdf5() {
  cd "$scratch/hdf5"
  CC="${CMAKE_C_COMPILER_LAUNCHER-} gcc" CFLAGS=$flags ./configure --prefix="$folder" --disable-shared --enable-static \
    --with-pic --disable-tests --disable-tools --disable-fortran --disable-cxx --without-szlib \
    --disable-embedded-libinfo --enable-build-mode=production
  make -j2
  make install
}

# build_netcdf OPTION...
build_netcdf() {
  local source=$scratch/netcdf
  cmake -S "$source" -B "$source/build" -G Ninja -DCMAKE_INSTALL_PREFIX="$folder" -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_C_FLAGS="$flags -DNDEBUG" -DENABLE_DAP=OFF -DENABLE_BYTERANGE=OFF -DENABLE_LIBXML2=OFF \
    -DENABLE_PLUGINS=OFF -DENABLE_TESTS=OFF -DENABLE_EXAMPLES=OFF -DBUILD_UTILITIES=OFF \
    -DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON -DCMAKE_SKIP_INSTALL_RPATH=ON "$@"
  SOURCE_DATE_EPOCH=$(stat -c %Y "$source/CMakeLists.txt") cmake --build "$source/build" --target install -- -j2
}

# netCDF's own names curl, which nothing in it uses.
write_pc() {
  local version
  version=$(sed -n 's/^Version: //p' "$folder/lib/pkgconfig/netcdf.pc")
  cat >"$folder/lib/pkgconfig/netcdf.pc" <<PC
Name: netCDF
Description: NetCDF client library for C, without network
Version: $version
Libs: -L$folder/lib -lnetcdf -lhdf5_hl -lhdf5 -lz -ldl -lm
Cflags: -I$folder/include
PC
}

make_static() {
  build_hdf5
  local version
  version=$(sed -n 's/^#define H5_VERS_INFO .*library version: \([0-9.]*\).*/\1/p' "$folder/include/H5public.h")
  build_netcdf -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DENABLE_NCZARR=OFF -DENABLE_HDF4=OFF \
    -DHDF5_VERSION="$version" -DHDF5_INCLUDE_DIR="$folder/include" -DHDF5_C_LIBRARY="$folder/lib/libhdf5.a" \
    -DHDF5_HL_LIBRARY="$folder/lib/libhdf5_hl.a"
  write_pc
}

# Without HDF5 the model of netCDF-4 stays, with which alone this version links.
make_classic() {
  build_netcdf -DENABLE_HDF5=OFF -DENABLE_NCZARR_FILTERS=OFF -DCMAKE_SHARED_LINKER_FLAGS=-Wl,--as-needed,--no-undefined
}

say "building ${sources[*]}"
if ! fetch >&2; then
  say "the sources of ${sources[*]} cannot be had: apt-get needs a mirror with sources (deb-src)"
  exit 1
fi
# In a shell of its own, which the first failure ends.
if ! bash -euc "$(declare -f build_hdf5 build_netcdf write_pc make_static make_classic)
  folder='$folder' scratch='$scratch' flags='$flags'; make_$kind" >"$folder/log" 2>&1 || ! [ -e "$result" ]; then
  tail -n 30 "$folder/log" >&2
  say "it cannot be built; $folder/log says why"
  exit 1
fi
mkdir -p "$folder/share/licences"
for source in "${sources[@]%%=*}"; do cat "$scratch/$source"/COPY* >"$folder/share/licences/$source"; done
echo "$made" >"$folder/made"
echo "$result"
