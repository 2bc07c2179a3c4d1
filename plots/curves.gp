# Learning curves: loss and test accuracy over the epochs, a colour a run.
#   gnuplot -c curves.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
stats data using 1 nooutput
runs = STATS_blocks
last = STATS_max
rows = (runs + 1) / 2
width = 900
height = 350 + 22*rows
load ARG0[:strlen(ARG0) - strlen("curves.gp")]."style.gp"

set xlabel "epoch" offset 0,0.4
set xrange [0:last < 1 ? 1 : last]
set grid ytics lt 1 lw 0.8 lc rgb "#dddddd"
set xtics format "%.0f"
if (last < 10) { set xtics 1 }
marks = last < 30 ? 0.4 : 0
top = 1 - 40.0/height
bottom = (height - 285.0)/height
dash(i) = i / 7 + 1

set multiplot
set tmargin at screen top
set bmargin at screen bottom
set lmargin at screen 0.075
set rmargin at screen 0.475
set title "loss (dashed: training, solid: test)" offset 0,-0.4
set yrange [0:*]
unset key
plot for [i = 0:runs - 1] data index i skip 1 using 1:2 with linespoints pt 6 ps marks dashtype 2 lw 1.2 lc rgb colour_of(i), \
     for [i = 0:runs - 1] data index i skip 1 using 1:3 with linespoints pt 7 ps marks dashtype dash(i) lw 1.8 lc rgb colour_of(i)

set lmargin at screen 0.575
set rmargin at screen 0.975
set title "test accuracy / %"
set yrange [*:*]
plot for [i = 0:runs - 1] data index i skip 1 using 1:(100*$4) with linespoints pt 7 ps marks dashtype dash(i) lw 1.8 lc rgb colour_of(i)

# The legend is a plot of its own as wide as the page: gnuplot gives it as many columns as fit its plot.
set lmargin at screen 0.02
set rmargin at screen 0.98
unset title
unset xlabel
unset border
unset tics
set yrange [0:1]
set key at screen 0.5,bottom - 62.0/height center top horizontal maxcols 2 width 2
plot for [i = 0:runs - 1] data index i using 1:(NaN) with linespoints pt 7 ps marks dashtype dash(i) lw 1.8 lc rgb colour_of(i) \
     title columnheader(1)
unset multiplot
