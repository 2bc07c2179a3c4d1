# Test accuracy against the error of the couplers: a line a kind of training, bars of one deviation over the repeats.
#   gnuplot -c tolerance.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
stats data index 0 using (name = strcol(1), lines = int($2), epochs = int($3), repeats = int($4), failed = int($5), \
  missing = int($6), 0) nooutput
width = 760
height = 400 + 22*lines
load ARG0[:strlen(ARG0) - strlen("tolerance.gp")]."style.gp"

stats data index 1 skip 1 using 1 nooutput
from = STATS_min
to = STATS_max
# Lines beside each other, so that no bar covers another.
aside(i) = (i - 0.5*(lines - 1))*0.006*(to - from)
dash(i) = i / 7 + 1
mark(i) = 2*(i % 3) + 5 + (i % 3 == 0 ? 2 : i % 3 == 1 ? -2 : 4)
bottom = (height - 310.0)/height
set xlabel name offset 0,0.3
set ylabel sprintf("test accuracy after epoch %d / %%", epochs) offset 0.5,0
set xrange [from - 0.04*(to - from):to + 0.04*(to - from)]
set grid ytics lt 1 lw 0.8 lc rgb "#dddddd"
set offsets 0, 0, graph 0.04, graph 0.04
set multiplot
set tmargin at screen 1 - 16.0/height
set bmargin at screen bottom
set lmargin at screen 0.095
set rmargin at screen 0.98
unset key
plot for [i = 0:lines - 1] data index i + 1 skip 1 using ($1 + aside(i)):2:3 with yerrorbars pt 0 lw 1.4 lc rgb colour_of(i), \
     for [i = 0:lines - 1] data index i + 1 skip 1 using ($1 + aside(i)):2 with linespoints pt mark(i) ps 0.7 dt dash(i) lw 1.8 lc rgb colour_of(i)

# The legend and what is left out stand below, in a plot of their own.
unset xlabel
unset ylabel
unset border
unset tics
unset grid
set offsets 0, 0, 0, 0
set lmargin at screen 0.02
set yrange [0:1]
set label 1 (repeats > 1 ? sprintf("Mean and standard deviation of %d runs. ", repeats) : "One run each. ").\
  (failed > 0 ? sprintf("%d runs failed. ", failed) : "").(missing > 0 ? sprintf("%d runs are not done.", missing) : "") at screen 0.095, screen 14.0/height left
set key at screen 0.095,bottom - 62.0/height left top vertical maxcols 1
plot for [i = 0:lines - 1] data index i + 1 using 1:(NaN) with linespoints pt mark(i) ps 0.7 dt dash(i) lw 1.8 lc rgb colour_of(i) \
     title (strlen(columnheader(1)) > 0 ? columnheader(1) : "all runs")
unset multiplot
