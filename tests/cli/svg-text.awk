# The texts of an SVG of gnuplot, as boxes: reports each that leaves the picture, and each that lies over another.
#   awk -f svg-text.awk FIGURE.svg          a line a fault: nothing if all can be read
#   awk -v list=1 -f svg-text.awk FIGURE.svg   a line a text: left, top, right, bottom, text
# Widths are those of DejaVu Sans, which is wide: what fits in it fits in other fonts without serifs.
function set_width(characters, w,    i) { for (i = 1; i <= length(characters); i++) em[substr(characters, i, 1)] = w }
BEGIN {
  for (i = 32; i < 127; i++) em[sprintf("%c", i)] = 0.62
  set_width("ijl'", 0.28); set_width(" .,:;!|", 0.34); set_width("frt()[]-/\\", 0.40)
  set_width("mMW@%", 0.95); set_width("w+=<>~#", 0.84); set_width("ABCDEFGHKNOPQRTUVXYZ&", 0.70)
  for (i = 128; i < 256; i++) em[sprintf("%c", i)] = i < 192 ? 0 : i < 224 ? 0.7 : 1.0 # UTF-8: the first byte counts
}
function width_of(s,    i, w) {
  w = 0
  for (i = 1; i <= length(s); i++) w += em[substr(s, i, 1)]
  return w
}
/viewBox=/ { split($0, part, /[" ]+/); for (i in part) if (part[i] ~ /^viewBox=/) { wide = part[i + 3]; tall = part[i + 4] } }
/<g transform="translate\(/ {
  match($0, /translate\([^)]*\)/); split(substr($0, RSTART + 10, RLENGTH - 11), at, ",")
  angle = match($0, /rotate\([^)]*\)/) ? substr($0, RSTART + 7, RLENGTH - 8) + 0 : 0
  match($0, /font-size="[0-9.]*"/); size = substr($0, RSTART + 11, RLENGTH - 12) + 0
  anchor = match($0, /text-anchor="[a-z]*"/) ? substr($0, RSTART + 13, RLENGTH - 14) : "start"
}
/<text/ {
  s = $0; sub(/.*<text[^>]*>/, "", s); sub(/<\/text>.*/, "", s); gsub(/<[^>]*>/, "", s)
  gsub(/&lt;/, "<", s); gsub(/&gt;/, ">", s); gsub(/&amp;/, "\\&", s); gsub(/^ +| +$/, "", s)
  if (s == "") next
  w = size * width_of(s); from = anchor == "end" ? -w : anchor == "middle" ? -w / 2 : 0
  up = 0.76 * size; down = 0.2 * size
  n++; text[n] = s
  if (angle == 0) { l[n] = at[1] + from; r[n] = l[n] + w; t[n] = at[2] - up; b[n] = at[2] + down }
  else if (angle < 0) { l[n] = at[1] - up; r[n] = at[1] + down; t[n] = at[2] - from - w; b[n] = at[2] - from }
  else { l[n] = at[1] - down; r[n] = at[1] + up; t[n] = at[2] + from; b[n] = at[2] + from + w }
}
END {
  if (wide == 0 || n == 0) { print "no picture with text"; exit 1 }
  for (i = 1; i <= n; i++) {
    if (list) { printf "%.1f %.1f %.1f %.1f %s\n", l[i], t[i], r[i], b[i], text[i]; continue }
    if (l[i] < 0 || t[i] < 0 || r[i] > wide || b[i] > tall) {
      printf "outside %g x %g: %.0f..%.0f, %.0f..%.0f: %s\n", wide, tall, l[i], r[i], t[i], b[i], text[i]; bad = 1
    }
    for (k = 1; k < i; k++)
      if (l[i] + 1 < r[k] && l[k] + 1 < r[i] && t[i] + 1 < b[k] && t[k] + 1 < b[i]) {
        printf "over each other: '%s' and '%s' at %.0f, %.0f\n", text[i], text[k], l[i], t[i]; bad = 1
      }
  }
  exit bad
}
