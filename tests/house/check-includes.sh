#!/usr/bin/env bash
# Compares every #include in include/, src/, kernels/, bench/, bundle/ and tests/ with the table of rooms in
# docs/architecture.md: its first column names a room by its folder, its last one the folders and files that the room
# may include, or "anything".
#   check-includes.sh [ROOT]
# Ends with status 1 after one line for every include that its room's line does not allow.
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

folders=()
for folder in include src kernels bench bundle tests; do [ ! -d "$folder" ] || folders+=("$folder"); done
mapfile -t files < <(find "${folders[@]}" -name '*.[ch]' -o -name '*.inc' -o -name '*.cu' -o -name '*.cuh' -o -name \
  '*.[ch].in' | sort)

awk -v files="${files[*]}" '
  BEGIN {
    count = split(files, list, " ")
    for (i = 1; i <= count; i++) {
      there[list[i]] = 1
      name = list[i]
      if (sub(/\.in$/, "", name)) there[name] = 1 # what CMake writes from it
    }
    split("assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg" \
          " stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time" \
          " uchar wchar wctype", names, " ")
    for (i in names) standard[names[i] ".h"] = 1
  }
  function complain(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; bad++ }
  # Backticked words of a table cell, into words[1..n].
  function ticked(cell, words,   n) {
    n = 0
    while (match(cell, /`[^`]+`/)) {
      words[++n] = substr(cell, RSTART + 1, RLENGTH - 2)
      sub(/\/$/, "", words[n])
      cell = substr(cell, RSTART + RLENGTH)
    }
    return n
  }
  # The room of a path: the longest folder of the table that it lies in.
  function room_of(path) {
    while (sub(/\/[^\/]*$/, "", path)) if (path in room) return path
    return ""
  }
  # The file that an include means, searched as the compiler does; "" if it is none of ours.
  function meaning(word, quoted, folder,   n, i, roots) {
    if (quoted && ((folder "/" word) in there)) return folder "/" word
    n = split("include src src/backends . tests bench", roots, " ")
    for (i = 1; i <= n; i++) if ((roots[i] "/" word) in there) return roots[i] "/" word
    return word in there ? word : ""
  }
  FILENAME == "docs/architecture.md" {
    if (/^\|.*`/) {
      cells = split($0, cell, "|")
      if (ticked(cell[2], words) < 1) next
      here = words[1]
      room[here] = 1
      rooms++
      if (cell[cells - 1] ~ /anything/) free[here] = 1
      n = ticked(cell[cells - 1], words)
      for (i = 1; i <= n; i++) allowed[here, words[i]] = 1
    }
    next
  }
  FNR == 1 {
    here = room_of(FILENAME)
    folder = FILENAME
    sub(/\/[^\/]*$/, "", folder)
    checked++
    if (here == "") complain("lies in no room of docs/architecture.md")
  }
  here != "" && match($0, /^[ \t]*#[ \t]*include[ \t]*["<][^">]+[">]/) {
    word = substr($0, RSTART, RLENGTH)
    quoted = word ~ /"/
    sub(/^[^"<]*["<]/, "", word)
    sub(/[">]$/, "", word)
    if (index(word, "..")) { complain("climbs out of its folder: " word); next }
    path = meaning(word, quoted, folder)
    if (path == "") {
      if (quoted && !((here, word) in allowed)) complain("includes \"" word "\", which is no file of the project")
      else if (!quoted && here == "include/cuonn" && !(word in standard))
        complain("a public header includes <" word ">")
      next
    }
    there_room = room_of(path)
    if (there_room == "tests" && here != "tests") { complain("includes a file of the tests: " word); next }
    if (there_room == here || here in free || (here, there_room) in allowed || (here, path) in allowed) next
    complain(here " may not include " path)
  }
  END {
    if (rooms < 2) { print "docs/architecture.md: no table of rooms"; exit 1 }
    if (!checked) { print "no sources"; exit 1 }
    if (bad) exit 1
    printf "%d files in %d rooms: every include is allowed\n", checked, rooms
  }' docs/architecture.md "${files[@]}"
