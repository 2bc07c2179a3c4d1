# Energy of an operation by component against the number of modes; the components add up to the total.
#   gnuplot -c energy.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
width = 900
height = 380
load ARG0[:strlen(ARG0) - strlen("energy.gp")]."style.gp"

parts = 9
set datafile missing "NaN"
stats data index 2 using 2 nooutput
high = STATS_max
# Parts that cost nothing are not in the legend.
array most[parts]
do for [k = 1:parts] { stats data index 2 using k + 2 nooutput; most[k] = STATS_max }

set logscale y
set xlabel "modes N" offset 0,0.3
set grid ytics lt 1 lw 0.8 lc rgb "#dddddd"
set autoscale xfix
set format y "%g"
set yrange [1e-4*high:2*high]
set tmargin at screen 0.91
set bmargin at screen 0.15
dash(k) = k > 7 ? 2 : 1

set multiplot
set key at screen 0.86,0.91 left top vertical spacing 1.3
set ylabel "energy of an operation / fJ" offset 0.5,0
set lmargin at screen 0.085
set rmargin at screen 0.43
set title "matrix times vector" offset 0,-0.4
plot data index 0 using 1:2 with lines lw 2.5 lc rgb "black" title columnheader(2), \
     for [k = 1:parts] data index 0 using 1:k + 2 with lines lw 1.8 dashtype dash(k) lc rgb colour_of(k - 1) \
       title (most[k] > 0 ? columnheader(k + 2) : "")
unset key
unset ylabel
set lmargin at screen 0.50
set rmargin at screen 0.845
set title "in situ gradient"
plot data index 2 skip 1 using 1:2 with lines lw 2.5 lc rgb "black", \
     for [k = 1:parts] data index 2 skip 1 using 1:k + 2 with lines lw 1.8 dashtype dash(k) lc rgb colour_of(k - 1)
unset multiplot
