# Learning curves: loss and test accuracy over the epochs. A run is a colour; of more than seven, a colour and a mark.
#   gnuplot -c curves.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
folder = ARG0[:strlen(ARG0) - strlen("curves.gp")]
stats data using 1 nooutput
runs = STATS_blocks
last = STATS_max
stats data using 1:4 nooutput
least = 100*STATS_min_y
most = 100*STATS_max_y
# Bytes and characters together tell letters as wide as two, which have three bytes.
array name[runs]; array bytes[runs]
set encoding default
stats data using ($0 == 0 ? (name[int(column(-2)) + 1] = strcol(1), bytes[int(column(-2)) + 1] = strlen(strcol(1)), 0) : 0) nooutput
load folder."text.gp"
longest = 0
do for [i = 1:runs] {
  bytes[i] = 0.5*(bytes[i] + strlen(name[i]))
  longest = bytes[i] > longest ? bytes[i] : longest
}
columns = longest <= 42 && runs > 1 ? 2 : 1
room = columns == 2 ? 42 : 92
do for [i = 1:runs] { name[i] = bytes[i] <= room ? name[i] : shortened(name[i], int(strlen(name[i])*room/bytes[i])) }

styles = 42 # colours by marks
repeated = runs > styles ? 24 : 0
rows = ceil(runs/(1.0*columns))
width = 900
height = 368 + 18*rows + repeated
load folder."style.gp"

set xlabel "epoch" offset 0,0.4
set xrange [0:last < 1 ? 1 : last]
set grid ytics lt 1 lw 0.8 lc rgb "#dddddd"
set format x "%.0f"
if (last < 10) { set xtics 1 }
# A mark an epoch, or some ten of them where they tell runs apart.
marked = last < 30 || runs > 7
size = last < 30 ? 0.4 : 0.7
mark(i) = marked ? mark_of(i/7) : 0
every_of = last < 30 ? 1 : ceil(last/10.0)
top = 1 - 40.0/height
bottom = 1 - 285.0/height

set multiplot
set tmargin at screen top
set bmargin at screen bottom
set lmargin at screen 0.1
set rmargin at screen 0.475
set title "loss (dashed: training, solid: test)" offset 0,-0.4
if (last <= 1) { set title "loss (open: training, filled: test)" }
set yrange [0:*]
unset key
plot for [i = 0:runs - 1] data index i skip 1 using 1:2 with linespoints pt (last < 30 ? 6 : 0) ps size dashtype 2 lw 1.2 lc rgb colour_of(i), \
     for [i = 0:runs - 1] data index i skip 1 using 1:3 with linespoints pt mark(i) ps size pi every_of lw 1.8 lc rgb colour_of(i)

set lmargin at screen 0.575
set rmargin at screen 0.975
set title "test accuracy / %"
if (most - least < 1) { set yrange [least < 0.5 ? 0 : least - 0.5:most > 99.5 ? 100 : most + 0.5] } else { set yrange [0 < *:* < 100] }
plot for [i = 0:runs - 1] data index i skip 1 using 1:(100*$4) with linespoints pt mark(i) ps size pi every_of lw 1.8 lc rgb colour_of(i)

# The legend is a plot of its own as wide as the page: gnuplot gives it as many columns as fit its plot.
set lmargin at screen 0.02
set rmargin at screen 0.98
unset title
unset xlabel
unset border
unset tics
set yrange [0:1]
if (repeated) { set label 1 sprintf("Colours and marks are repeated after %d runs.", styles) at screen 0.5,12.0/height center font small }
set key at screen 0.5,bottom - 64.0/height center top horizontal maxcols columns width 2
plot [0:1] for [i = 0:runs - 1] NaN with linespoints pt mark(i) ps 0.7 lw 1.8 lc rgb colour_of(i) title name[i + 1]
unset multiplot
