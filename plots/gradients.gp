# Measured derivatives against exact ones: a panel a layer, a point a phase; what is measured right lies on the line.
#   gnuplot -c gradients.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
stats data index 0 using 1 nooutput
layers = int(STATS_records)
array cosine[layers]; array error[layers]
stats data index 0 using (cosine[int($0) + 1] = $1, error[int($0) + 1] = $2, 0) nooutput

array largest[2*layers]
do for [k = 1:2*layers] {
  stats data index k using (abs($1) > abs($2) ? abs($1) : abs($2)) nooutput
  largest[k] = STATS_max
}

# In pixels; more than three layers go on in further lines.
columns = layers < 3 ? layers : 3
lines = ceil(layers/3.0)
left = 74.0; gap = 58.0; above = 40.0; below = 52.0
wide = columns == 3 ? 224.0 : columns == 2 ? 330.0 : 400.0
width = int(left + columns*wide + (columns - 1)*gap + 16)
height = int(lines*(above + wide + below) + 24)
load ARG0[:strlen(ARG0) - strlen("gradients.gp")]."style.gp"
px(x) = x/(1.0*width)
py(y) = 1 - y/(1.0*height)
small = format eq "svg" ? "sans-serif,12" : "sans-serif,9.5"

set xtics font small offset 0,0.3
set ytics font small
set grid lt 1 lw 0.8 lc rgb "#dddddd"
unset key
set multiplot
do for [l = 1:layers] {
  most = 0.0
  do for [k = 0:1] {
    most = largest[2*l - 1 + k] > most ? largest[2*l - 1 + k] : most
  }
  power = most > 0 ? floor(log10(most)) : 0
  unit = 10.0**power
  range = most > 0 ? 1.06*most/unit : 1.0
  top = ((l - 1)/3)*(above + wide + below) + above
  x = left + ((l - 1) % 3)*(wide + gap)
  set lmargin at screen px(x)
  set rmargin at screen px(x + wide)
  set tmargin at screen py(top)
  set bmargin at screen py(top + wide)
  set xrange [-range:range]
  set yrange [-range:range]
  set label 1 sprintf("layer %d: cosine %.4f", l - 1, cosine[l]) at screen px(x), screen py(top - 28) left font small
  set label 2 sprintf("relative error %.3g", error[l]) at screen px(x), screen py(top - 12) left font small
  if (power == 0) {
    set xlabel "exact derivative / (1/rad)" font small offset 0,0.6
  } else {
    set xlabel sprintf("exact derivative / (1e%d/rad)", power) font small offset 0,0.6
  }
  set ylabel (l % 3 == 1 ? "measured, same unit" : "") font small offset 1.2,0
  plot [-range:range] x with lines lw 1 lc rgb faint, \
       data index 2*l - 1 using ($1/unit):($2/unit) with points pt 7 ps 0.3 lc rgb "#800072b2", \
       data index 2*l using ($1/unit):($2/unit) with points pt 7 ps 0.3 lc rgb "#80d55e00"
  unset label
}
# The legend is a plot of its own as wide as the page.
set lmargin at screen px(left)
set rmargin at screen 0.98
unset xlabel
unset ylabel
unset border
unset tics
unset grid
set key at screen px(left),py(height - 12) left center horizontal maxrows 1 font small
plot [0:1] NaN with lines lw 1 lc rgb faint title "measured = exact", \
     NaN with points pt 7 ps 0.6 lc rgb "#0072b2" title "theta", \
     NaN with points pt 7 ps 0.6 lc rgb "#d55e00" title "phi"
unset multiplot
