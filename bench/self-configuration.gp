# Power at the output of a layer that configures itself, over the readings of its drop detectors.
#   gnuplot -c bench/self-configuration.gp DATA FORMAT > FIGURE        DATA: bench/programming.py readings
data = ARG1
format = ARG2
width = 760
height = 420
load ARG0[:strlen(ARG0) - strlen("bench/self-configuration.gp")]."plots/style.gp"
stats data using 1 nooutput
set xrange [0:STATS_max]
set yrange [0:1.05]
set xlabel "readings"
set ylabel "share of the light at the output"
set grid ytics lt 1 lw 0.8 lc rgb "#dddddd"
set key outside right top
shapes = "tree triangular"
plot for [i = 0:1] data index 2*i using 1:2 with steps lw 2 lc rgb colour_of(i) title word(shapes, i + 1), \
     for [i = 0:1] data index 2*i + 1 using 1:2 with steps lw 2 dt 2 lc rgb colour_of(i) notitle, \
     NaN with lines lw 2 lc rgb "#555555" title "no errors", \
     NaN with lines lw 2 dt 2 lc rgb "#555555" title "0.1 rad"
