# Energy of an operation by component against the number of modes; the components add up to the total.
#   gnuplot -c energy.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
width = 900
height = 390
load ARG0[:strlen(ARG0) - strlen("energy.gp")]."style.gp"

parts = 8
set datafile missing "NaN"
stats data index 2 using 2 nooutput
high = STATS_max
# Parts that cost nothing are not in the legend.
array most[parts]
do for [k = 1:parts] { stats data index 2 using k + 2 nooutput; most[k] = STATS_max }

stats data index 2 skip 1 using 1:2 nooutput
points = STATS_records
from = STATS_min_x; to = STATS_max_x

set logscale y
set xlabel "modes N" offset 0,0.6
set format x "%.0f"
if (to - from <= 10) { set xtics 1 }
if (to > from) { set xrange [from:to] } else { set xrange [from - 1:to + 1] }
set grid ytics lt 1 lw 0.8 lc rgb "#dddddd"
set yrange [1e-4*high:2*high]
set tmargin at screen 1 - 35.0/height
set bmargin at screen 62.0/height
# A line needs two points; few are marked.
mark = points <= 12 ? 7 : 0
dash(k) = k > 7 ? 2 : 1

set multiplot
set key at screen 0.86,1 - 35.0/height left top vertical spacing (format eq "svg" ? 1.15 : 1.4)
set label 1 "energy of an operation / fJ" at screen 0.015,graph 0.5 center rotate
set lmargin at screen 0.105
set rmargin at screen 0.435
set title "matrix times vector" offset 0,-0.4
plot data index 0 using 1:2 with linespoints pt mark ps 0.5 lw 2.5 lc rgb "black" title columnheader(2), \
     for [k = 1:parts] data index 0 using 1:k + 2 with linespoints pt mark ps 0.5 lw 1.8 dashtype dash(k) lc rgb colour_of(k - 1) \
       title (most[k] > 0 ? columnheader(k + 2) : "")
unset key
unset label 1
set lmargin at screen 0.515
set rmargin at screen 0.845
set title "in situ gradient"
plot data index 2 skip 1 using 1:2 with linespoints pt mark ps 0.5 lw 2.5 lc rgb "black", \
     for [k = 1:parts] data index 2 skip 1 using 1:k + 2 with linespoints pt mark ps 0.5 lw 1.8 dashtype dash(k) lc rgb colour_of(k - 1)
unset multiplot
