#!/usr/bin/env bash
# Every relative link of the project's pages leads to a file or folder, and every `path` that looks like one of the
# project's own folders exists.
#   check-links.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

bad=0
for page in *.md docs/*.md; do
  [[ "$(head -n 1 "$page")" == '# '* ]] || { echo "$page: its first line is no title" && bad=1; }
  while IFS= read -r target; do
    [ -e "$(dirname "$page")/${target%%#*}" ] || { echo "$page: link to $target, which is not there" && bad=1; }
  done < <(grep -oP '\]\(\K[^)#:]+(?=[)#])' "$page" || true)
  while IFS= read -r path; do
    [ -e "$path" ] || { echo "$page: names $path, which is not there" && bad=1; }
  done < <(grep -oP '`\K(src|include|tests|bench|scripts|cmake|configs|docs|\.ci)/[A-Za-z0-9_./-]+(?=`)' "$page" ||
    true)
done
[ "$bad" -eq 0 ] && echo "all links lead somewhere"
