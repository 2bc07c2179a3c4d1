# Throughput: a panel per case, a curve per backend, bars from the 10th to the 90th percentile; dashed, what the machine
# could do.
#   gnuplot -c throughput.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
stats data index 0 using (name = strcol(1), cases = int($2), curves = int($3), 0) nooutput
array what[cases]; array label[curves]; array bytes[curves]
stats data index 1 using (what[int($1) + 1] = strcol(2), 0) nooutput
set encoding default
stats data index 2 using (label[int($1) + 1] = strcol(2), bytes[int($1) + 1] = strlen(strcol(2)), 0) nooutput
folder = ARG0[:strlen(ARG0) - strlen("throughput.gp")]
load folder."text.gp"
stats data index 3 using 1 nooutput
values = int(STATS_records)
array value[values]
stats data index 3 using (value[int($0) + 1] = $1, 0) nooutput
low = 1e300; high = 0.0; from = 1e300; to = 0.0
do for [k = 4:cases*curves + 3] {
  stats data index k using ($1 == $1 ? (low = $3 < low ? $3 : low, high = $4 > high ? $4 : high, high = $5 > high ? $5 : high, \
    from = $1 < from ? $1 : from, to = $1 > to ? $1 : to, 0) : 0) nooutput
}

# In pixels.
columns = cases < 3 ? cases : 3
lines = ceil(cases/3.0)
left = 86.0; gap = 18.0; above = 30.0; panel = 190.0; below = 46.0
width = columns == 1 ? 560 : columns == 2 ? 760 : 900
# Names in two columns if they fit, else in one on a page as wide as they need. Bytes and characters together tell
# letters as wide
# as two, which have three bytes.
longest = 0
do for [k = 1:curves] {
  bytes[k] = 0.5*(bytes[k] + strlen(label[k]))
  longest = bytes[k] > longest ? bytes[k] : longest
}
abreast = longest <= fitting(0.5*(width - left) - 60, 12) ? 2 : 1
if (abreast == 1) { width = longest*7.44 + left + 70 > 900 ? 900 : longest*7.44 + left + 70 > width ? int(longest*7.44 + left + 70) : width }
room = fitting((width - left)/abreast - 60, 12)
do for [k = 1:curves] { label[k] = bytes[k] <= room ? label[k] : shortened(label[k], int(strlen(label[k])*room/bytes[k])) }
rows = ceil(curves/(1.0*abreast))
height = int(lines*(above + panel + below) + 24 + 18*rows)
load folder."style.gp"
px(x) = x/(1.0*width)
py(y) = 1 - y/(1.0*height)
wide = (width - left - 16 - (columns - 1)*gap)/columns

set logscale xy
set grid lt 1 lw 0.8 lc rgb "#dddddd"
# The values themselves are the ticks, where there are few.
set xtics font small offset 0,0.3
if (values <= 8) {
  set xtics () font small offset 0,0.3
  do for [i = 1:values] { set xtics add (sprintf("%d", value[i]) value[i]) }
}
set ytics font small
set xrange [from/(to/from)**0.06/1.02:to*(to/from)**0.06*1.02]
set yrange [low/1.4:high*1.4]
unset key
set multiplot
do for [c = 0:cases - 1] {
  top = (c/3)*(above + panel + below) + above
  x = left + (c % 3)*(wide + gap)
  set lmargin at screen px(x)
  set rmargin at screen px(x + wide)
  set tmargin at screen py(top)
  set bmargin at screen py(top + panel)
  unset label
  set label 1 shortened(what[c + 1], fitting(wide, 13)) at screen px(x), screen py(top - 13) left font ",".(format eq "svg" ? 13 : 10)
  if (c % 3 == 0) {
    set label 2 "examples a second" at screen px(12), screen py(top + panel/2) center rotate font small
    set format y "%.0e"
  } else { set format y "" }
  set xlabel name font small offset 0,1
  plot for [k = 0:curves - 1] data index 4 + c*curves + k using 1:5 with linespoints pt (values == 1 ? 2 : 0) ps 0.6 dt 2 lw 1.2 lc rgb colour_of(k), \
       for [k = 0:curves - 1] data index 4 + c*curves + k using 1:2:3:4 with yerrorbars pt 0 lw 1 lc rgb colour_of(k), \
       for [k = 0:curves - 1] data index 4 + c*curves + k using 1:2 with linespoints pt mark_of(k/7) ps 0.5 lw 1.8 lc rgb colour_of(k)
}

# The legend is a plot of its own as wide as the page.
unset label
unset xlabel
unset border
unset tics
unset grid
unset logscale
set lmargin at screen 0
set rmargin at screen 1
set tmargin at screen 1
set bmargin at screen 0
set yrange [0:1]
set label 1 (values == 1 ? "cross" : "dashed").": limit of the machine's memory or arithmetic" at screen 0.98, screen py(height - 10) right font small
set key at screen px(left),py(height - 22 - 18*rows) left top horizontal maxcols abreast font small spacing (format eq "svg" ? 1.0 : 1.22)
plot [0:1] for [k = 0:curves - 1] NaN with linespoints pt mark_of(k/7) ps 0.5 lw 1.8 lc rgb colour_of(k) title label[k + 1]
unset multiplot
