#!/usr/bin/env bash
# Makes the Python package as one wheel for all Pythons from 3.10 on, with the library, the program, and what they need:
#   build/wheel/cuonn-VERSION-py3-none-manylinux_....whl
# It runs where glibc is as new as here or newer, and holds the backends reference and cpu.
set -euo pipefail
cd "$(dirname "$0")/.."

python=$(scripts/python.sh)
environment=$(dirname "$(dirname "$python")")
netcdf=$(scripts/netcdf.sh)
folder=$PWD/build/wheel
export PKG_CONFIG_PATH=$netcdf/lib/pkgconfig PATH=$environment/bin:$PATH

rm -rf "$folder"
mkdir -p "$folder"
cp LICENSE python/LICENSE
cp docs/python.md python/README.md
"$python" -m build --wheel --no-isolation --outdir "$folder/raw" -C cmake.define.CUONN_PYTHON="$environment" \
  -C build-dir="$folder/build" python >"$folder/log" 2>&1 || { tail -n 30 "$folder/log" >&2 && exit 1; }
rm python/LICENSE python/README.md

# Licences of what is carried: of the static libraries, and of each library that auditwheel copies.
"$python" -m auditwheel show "$folder"/raw/*.whl
"$python" -m auditwheel repair --only-plat --wheel-dir "$folder/repaired" "$folder"/raw/*.whl
"$python" - "$folder" "$netcdf" <<'PYTHON'
"""Adds the licences of the libraries that the wheel carries, by Debian's packages, and lists them."""
import pathlib
import re
import subprocess
import sys
import zipfile

folder, netcdf = map(pathlib.Path, sys.argv[1:])
(wheel,) = (folder / "repaired").glob("*.whl")
licences = {p.name: p.read_text(errors="replace") for p in (netcdf / "share" / "licences").iterdir()}
for package in ("libxsmm-dev", "librandom123-dev"):
    licences[package] = pathlib.Path(f"/usr/share/doc/{package}/copyright").read_text(errors="replace")
with zipfile.ZipFile(wheel) as archive:
    carried = [n for n in archive.namelist() if re.match(r"cuonn\.libs/.*\.so", n)]
for name in carried:
    stem = re.match(r"cuonn\.libs/(lib[\w.+-]*?)-[0-9a-f]{8}", name).group(1)
    found = subprocess.run(["dpkg-query", "-S", f"*/{stem}*.so*"], capture_output=True, text=True).stdout
    for package in sorted({line.split(":")[0] for line in found.splitlines() if "-dev" not in line.split(":")[0]}):
        copyright = pathlib.Path(f"/usr/share/doc/{package}/copyright")
        if copyright.exists():
            licences[package] = copyright.read_text(errors="replace")
subprocess.run([sys.executable, "-m", "wheel", "unpack", "-d", folder / "unpacked", wheel], check=True,
               stdout=subprocess.DEVNULL)
(unpacked,) = (folder / "unpacked").iterdir()
(info,) = unpacked.glob("*.dist-info")
for name, text in licences.items():
    (info / "licenses" / name).write_text(text)
subprocess.run([sys.executable, "-m", "wheel", "pack", "-d", folder, unpacked], check=True, stdout=subprocess.DEVNULL)
print("licences of:", *sorted(licences))
PYTHON
rm -rf "$folder"/{raw,repaired,unpacked,build}
ls -l "$folder"/*.whl
