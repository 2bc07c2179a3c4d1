#!/usr/bin/env bash
# Prints the path of a netCDF library that reads and writes the classic formats alone, which is what cuONN writes: made
# of the source of Debian's package, in build/classic-netcdf. It stands in for Debian's where a program goes elsewhere:
# that one brings HDF5, curl, XML and ICU, and all they need, for formats and places that such a program does not meet.
#   library=$(scripts/classic-netcdf.sh)
# It needs apt-get with a mirror that has sources.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/build/classic-netcdf
say() { echo "netcdf: $*" >&2; }

# shellcheck disable=SC2016 # ${...} is dpkg-query's own notation
read -r package version < <(dpkg-query -W -f '${source:Package} ${source:Version}\n' libnetcdf-dev)
soname=$(objdump -p "$(pkg-config --variable=libdir netcdf)/libnetcdf.so" | awk '$1 == "SONAME" { print $2 }')
library=$folder/build/liblib/$soname
if [ "$(cat "$folder/made" 2>/dev/null)" = "$version" ]; then
  echo "$library"
  exit
fi

# The mirrors that apt knows, asked for sources, whose lists stay in this folder.
say "building $package $version"
rm -rf "$folder"
mkdir -p "$folder"/{mirrors,lists,source}
shopt -s nullglob
for list in /etc/apt/sources.list.d/*.sources; do
  sed 's/^Types:.*/Types: deb-src/' "$list" >"$folder/mirrors/$(basename "$list")"
done
for list in /etc/apt/sources.lis[t] /etc/apt/sources.list.d/*.list; do
  sed -n 's/^deb /deb-src /p' "$list" >"$folder/mirrors/$(basename "$list" .list).list"
done
sources=(-qq -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$folder/mirrors"
  -o "Dir::State::lists=$folder/lists" -o APT::Sandbox::User=root)
apt-get "${sources[@]}" update >&2 || say "not every mirror has sources"
if ! (cd "$folder" && apt-get "${sources[@]}" source --download-only "$package=$version") >&2; then
  say "the source of $package $version cannot be had: apt-get needs a mirror with sources (deb-src)"
  exit 1
fi
tar -xf "$folder/$package"_*.orig.tar.* -C "$folder/source" --strip-components=1

# Without HDF5 the model of netCDF-4 stays, with which alone this version links.
if ! {
  cmake -S "$folder/source" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DENABLE_HDF5=OFF -DENABLE_DAP=OFF \
    -DENABLE_BYTERANGE=OFF -DENABLE_LIBXML2=OFF -DENABLE_NCZARR_FILTERS=OFF -DENABLE_PLUGINS=OFF -DBUILD_UTILITIES=OFF \
    -DENABLE_TESTS=OFF -DENABLE_EXAMPLES=OFF -DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON \
    -DCMAKE_SHARED_LINKER_FLAGS=-Wl,--as-needed,--no-undefined
  cmake --build "$folder/build" --target netcdf -- -j2
} >"$folder/log" 2>&1 || ! [ -e "$library" ]; then
  say "it cannot be built; $folder/log says why"
  exit 1
fi
echo "$version" >"$folder/made"
echo "$library"
