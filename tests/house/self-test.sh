#!/usr/bin/env bash
# Shows that check-includes.sh passes a good house, and fails with file, line and reason for each kind of wrong include;
# that check-circles.py refuses circles, check-columns.sh long lines, and check-links.sh links that lead nowhere.
#   self-test.sh FOLDER    a folder for a small house, made anew
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
check=$here/check-includes.sh
house=$1

# A house of five rooms in which every include is allowed.
build() {
  rm -rf "$house"
  mkdir -p "$house"/{docs,include/cuonn,src/base,src/mesh,src/cli,tests}
  cat >"$house/docs/architecture.md" <<'TABLE'
# Rooms

| Room | What lives there | May include |
| --- | --- | --- |
| `include/cuonn/` | `a.h` | only C standard headers |
| `src/base/` | base | `include/cuonn` |
| `src/mesh/` | mesh | `include/cuonn`, `src/base/error.h`, `made.h` |
| `src/cli/` | program | `include/cuonn` |
| `tests/` | tests | anything |
TABLE
  printf '#include <stddef.h>\n#include "cuonn/b.h"\n' >"$house/include/cuonn/a.h"
  printf '#include <stdint.h>\n' >"$house/include/cuonn/b.h.in"
  printf '#include "cuonn/a.h"\n' >"$house/src/base/error.h"
  printf '\n' >"$house/src/base/memory.h"
  printf '#include "cuonn/b.h"\n#include "base/error.h"\n#include "made.h"\n#include <zlib.h>\n' \
    >"$house/src/mesh/mesh.c"
  printf '#include "cuonn/a.h"\n' >"$house/src/cli/main.c"
  printf '#include "base/memory.h"\n' >"$house/tests/test.h"
}

# Adds a line to a file of the good house; the check must fail and say TEXT about that line.
refused() {
  local file=$1 line=$2 text=$3 output
  build
  printf '%s\n' "$line" >>"$house/$file"
  if output=$("$check" "$house"); then
    echo "not refused: $line in $file"
    exit 1
  fi
  case $output in
    "$file:$(wc -l <"$house/$file"): "*"$text"*) ;;
    *)
      echo "refused without the right words: $line in $file: $output"
      exit 1
      ;;
  esac
}

build
"$check" "$house"
refused src/mesh/mesh.c '#include "base/memory.h"' 'src/mesh may not include src/base/memory.h'
refused src/cli/main.c '#include "base/error.h"' 'src/cli may not include src/base/error.h'
refused src/cli/main.c '# include <base/error.h>' 'src/cli may not include src/base/error.h'
refused src/base/error.h '#include "../mesh/mesh.h"' 'climbs out'
refused src/base/error.h '#include "base/none.h"' 'no file of the project'
refused src/base/error.h '#include "made.h"' 'no file of the project'
refused src/base/error.h '#include "tests/test.h"' 'a file of the tests'
refused include/cuonn/a.h '#include <zlib.h>' 'public header'
refused include/cuonn/a.h '#include "base/error.h"' 'include/cuonn may not include'
build
mkdir -p "$house/src/new"
echo >"$house/src/new/new.c"
if output=$("$check" "$house"); then echo "a folder without a line in the table is not refused" && exit 1; fi
case $output in *"src/new/new.c:1: lies in no room"*) ;; *) echo "$output" && exit 1 ;; esac
build
echo >"$house/docs/architecture.md"
if "$check" "$house" >/dev/null; then echo "a missing table is not noticed" && exit 1; fi
echo "all wrong includes are refused"

# A house whose files lead from main to mesh to error; public functions are declared in one header and defined in two
# files.
build_calls() {
  build
  printf '#include "cuonn/b.h"\nint cuonn_open(void);\nint cuonn_close(void);\n' >"$house/include/cuonn/a.h"
  printf '#include "cuonn/a.h"\nint base_fail(int code);\nstatic inline int twice(int a) { return 2 * a; }\n' \
    >"$house/src/base/error.h"
  printf '#include "base/error.h"\nint base_fail(int code) {\n  if (code) {\n    code++;\n  }\n  return code;\n}\n' \
    >"$house/src/base/error.c"
  printf 'int cuonn_close(void) { return 0; }\n' >>"$house/src/base/error.c"
  printf 'int mesh_make(int n);\nextern const int mesh_sizes[2];\n' >"$house/src/mesh/mesh.h"
  printf '#include "base/error.h"\n#include "mesh/mesh.h"\nconst int mesh_sizes[2] = {1, 2};\n' \
    >"$house/src/mesh/mesh.c"
  printf '/* base_fail(1) */\nint mesh_make(int n) {\n  return base_fail(n); // "cuonn_open"\n}\n' \
    >>"$house/src/mesh/mesh.c"
  printf '#include "mesh/mesh.h"\nint cuonn_open(void) { return mesh_make(mesh_sizes[1]); }\n' >"$house/src/cli/main.c"
}

# Adds a line to a file of that house; the check must fail and say TEXT.
refused_circle() {
  local file=$1 line=$2 text=$3 output
  build_calls
  printf '%s\n' "$line" >>"$house/$file"
  if output=$("$here/check-circles.py" "$house"); then echo "not refused: $line in $file" && exit 1; fi
  grep -qF -- "$text" <<<"$output" || { echo "refused without the right words: $line in $file: $output" && exit 1; }
}

build_calls
"$here/check-circles.py" "$house"
refused_circle src/base/error.h '#include "mesh/mesh.h"' \
  'circle: src/base/error includes mesh/mesh.h of src/mesh/mesh; src/mesh/mesh includes base/error.h of src/base/error'
refused_circle include/cuonn/b.h.in '#include "cuonn/a.h"' \
  'circle: include/cuonn/a includes cuonn/b.h of include/cuonn/b'
refused_circle src/base/error.c 'int base_more(void) { return mesh_make(1); }' \
  'src/base/error uses mesh_make of src/mesh/mesh'
refused_circle src/base/error.c 'int base_size(void) { return mesh_sizes[0]; }' \
  'src/base/error uses mesh_sizes of src/mesh/mesh'
refused_circle src/mesh/mesh.c '#define OPEN() cuonn_open()' 'src/mesh/mesh uses cuonn_open of src/cli/main'
refused_circle src/base/error.c 'int base_open(void) { return cuonn_open(); }' \
  'circle: src/base/error uses cuonn_open of src/cli/main; src/cli/main includes mesh/mesh.h of src/mesh/mesh; src/mesh'
refused_circle src/mesh/mesh.h 'int base_fail(int);' 'declares base_fail, which src/base/error.c defines'
refused_circle src/mesh/mesh.h 'int mesh_break(int);' 'declares mesh_break, which no file defines'
rm -r "$house"/{src,include}
if "$here/check-circles.py" "$house"; then echo "missing sources are not noticed" && exit 1; fi
echo "all circles are refused"

build
touch "$house/CMakeLists.txt"
printf '%.0sä' {1..120} >"$house/src/mesh/long.c" # characters count, not bytes
"$here/check-columns.sh" "$house"
printf 'x\n' >>"$house/src/mesh/long.c"
if output=$("$here/check-columns.sh" "$house"); then echo "a line of 121 columns is not noticed" && exit 1; fi
[[ $output == src/mesh/long.c:1:* ]]

build
# shellcheck disable=SC2016 # backticks are Markdown's
printf '# House\n[a](docs/architecture.md#part) [b](https://example.org/none) `src/base/error.h`\n' >"$house/README.md"
"$here/check-links.sh" "$house"
# shellcheck disable=SC2016
for wrong in '[a](docs/none.md)' '`src/none/`'; do
  printf '# Page\n%s\n' "$wrong" >"$house/docs/page.md"
  if "$here/check-links.sh" "$house" >"$house/output"; then echo "not noticed: $wrong" && exit 1; fi
  grep -q '^docs/page.md: .*none' "$house/output"
done
echo '#Page' >"$house/docs/page.md"
if "$here/check-links.sh" "$house" >"$house/output"; then echo "not noticed: a page without a title" && exit 1; fi
grep -q '^docs/page.md: .*title' "$house/output"
echo "all wrong links, and a title that is none, are noticed"
