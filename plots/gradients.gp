# Measured derivatives against exact ones: a panel per layer, a point per phase; what is measured right lies on the
# line.
#   gnuplot -c gradients.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
stats data index 0 using 1 nooutput
layers = int(STATS_records)
array cosine[layers]; array error[layers]
stats data index 0 using (cosine[int($0) + 1] = $1, error[int($0) + 1] = $2, 0) nooutput

array largest[2*layers]
nodes = 0
do for [k = 1:2*layers] {
  stats data index k using (abs($1) > abs($2) ? abs($1) : abs($2)) nooutput
  largest[k] = STATS_max
  nodes = STATS_records
}

# In pixels; more than three layers go on in further lines.
columns = layers < 3 ? layers : 3
lines = ceil(layers/3.0)
left = 74.0; gap = 58.0; above = 40.0; below = 52.0
wide = columns == 3 ? 224.0 : columns == 2 ? 330.0 : 400.0
width = int(left + columns*wide + (columns - 1)*gap + 16)
height = int(lines*(above + wide + below) + 28)
load ARG0[:strlen(ARG0) - strlen("gradients.gp")]."style.gp"
px(x) = x/(1.0*width)
py(y) = 1 - y/(1.0*height)

# Few points are drawn larger.
size = nodes <= 100 ? 0.6 : 0.3
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
       data index 2*l - 1 using ($1/unit):($2/unit) with points pt 7 ps size lc rgb "#800072b2", \
       data index 2*l using ($1/unit):($2/unit) with points pt 7 ps size lc rgb "#80d55e00"
  unset label
}
# The legend is a plot of its own over the whole page.
set lmargin at screen 0
set rmargin at screen 1
set tmargin at screen 1
set bmargin at screen 0
unset xlabel
unset ylabel
unset border
unset tics
unset grid
set xrange [0:width]
set yrange [height:0]
y = height - 13
set label 1 "theta" at left + 14,y left font small
set label 2 "" at left + 4,y point pt 7 ps 0.6 lc rgb "#0072b2"
set label 3 "phi" at left + 84,y left font small
set label 4 "" at left + 74,y point pt 7 ps 0.6 lc rgb "#d55e00"
set arrow 1 from left + 124,y to left + 144,y nohead lw 1 lc rgb faint
set label 5 "measured = exact" at left + 152,y left font small
plot NaN
unset multiplot
