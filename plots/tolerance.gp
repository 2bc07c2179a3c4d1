# Test accuracy against the error of the couplers: a line a kind of training, bars of one deviation over the repeats.
#   gnuplot -c tolerance.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
stats data index 0 using (name = strcol(1), lines = int($2), epochs = int($3), repeats = int($4), failed = int($5), \
  missing = int($6), 0) nooutput
folder = ARG0[:strlen(ARG0) - strlen("tolerance.gp")]
load folder."text.gp"
array label[lines]
stats data skip 0 using ($0 == 0 && column(-2) > 0 ? (label[int(column(-2))] = strcol(1), 0) : 0) nooutput
longest = 0
least = 100.0; most = 0.0
do for [i = 1:lines] {
  if (label[i] eq "") { label[i] = "all runs" }
  longest = strlen(label[i]) > longest ? strlen(label[i]) : longest
  stats data index i skip 1 using ($2 == $2 ? (least = $2 < least ? $2 : least, most = $2 > most ? $2 : most, 0) : 0) nooutput
}
width = 760
letters = longest > fitting(width - 130, 14) ? 12 : 14
do for [i = 1:lines] { label[i] = shortened(label[i], fitting(width - 130, letters)) }
note = (repeats > 1 ? sprintf("Mean and standard deviation of %d runs. ", repeats) : "One run each. ").\
  (failed > 0 ? runs_of(failed)." failed. " : "").(missing > 0 ? not_done(missing) : "")
height = 406 + 18*lines
load folder."style.gp"

stats data index 1 skip 1 using 1 nooutput
from = STATS_min
to = STATS_max
# Lines beside each other, so that no bar covers another.
dash(i) = i/7 + 1
aside(i) = (i - 0.5*(lines - 1))*0.006*(to - from)
bottom = (height - 310.0)/height
set xlabel name offset 0,0.3
set label 2 sprintf("test accuracy after epoch %d / %%", epochs) at screen 0.022,graph 0.5 center rotate
set xrange [from - 0.04*(to - from) - abs(aside(0)):to + 0.04*(to - from) + abs(aside(0))]
set grid ytics lt 1 lw 0.8 lc rgb "#dddddd"
if (most - least < 1) { set yrange [least < 0.5 ? 0 : least - 0.5:most > 99.5 ? 100 : most + 0.5] } else { set yrange [0 < *:* < 100] }
set multiplot
set tmargin at screen 1 - 16.0/height
set bmargin at screen bottom
set lmargin at screen 0.095
set rmargin at screen 0.98
unset key
plot for [i = 0:lines - 1] data index i + 1 skip 1 using ($1 + aside(i)):2:3 with yerrorbars pt 0 lw 1.4 lc rgb colour_of(i), \
     for [i = 0:lines - 1] data index i + 1 skip 1 using ($1 + aside(i)):2 with linespoints pt mark_of(i) ps 0.7 dt dash(i) lw 1.8 lc rgb colour_of(i)

# The legend and what is left out stand below, in a plot of their own over the whole page.
unset xlabel
unset border
unset tics
unset grid
unset label
set lmargin at screen 0
set rmargin at screen 1
set tmargin at screen 1
set bmargin at screen 0
set yrange [0:1]
set label 1 note at screen 0.095, screen 14.0/height left font small
legend = sprintf("sans-serif,%g", format eq "svg" ? letters : letters*11.0/14)
set key at screen 0.095,bottom - 67.0/height left top horizontal maxcols 1 font legend
plot [0:1] for [i = 0:lines - 1] NaN with linespoints pt mark_of(i) ps 0.7 dt dash(i) lw 1.8 lc rgb colour_of(i) title label[i + 1]
unset multiplot
