# What an accuracy costs on a chip: test accuracy against optical passes, detector readings, phase writes, joules and
# seconds; a line a way of training, a band of one deviation over the repeats, dashed where the chip takes no part.
#   gnuplot -c budget.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
folder = ARG0[:strlen(ARG0) - strlen("budget.gp")]
load folder."text.gp"
stats data index 0 using (lines = int($1), epochs = int($2), repeats = int($3), failed = int($4), missing = int($5), \
  modes = int($6), layers = int($7), 0) nooutput
array label[lines]; array on_chip[lines]; array final[lines]
least = 100.0; most = 0.0
do for [i = 1:lines] {
  stats data index i every ::0::0 using (label[i] = strcol(1).(strcol(2) eq "" ? "" : ", ".strcol(2)), \
    on_chip[i] = int($3), 0) nooutput
  final[i] = NaN
  stats data index i skip 1 using ($7 == $7 ? (final[i] = $7, least = $7 < least ? $7 : least, \
    most = $7 > most ? $7 : most, 0) : 0) nooutput
}
array axis[5] = ["optical passes, vectors through a mesh", "detector readings", "phases written", "energy / J", "time / s"]
note = sprintf("%d layers of N = %d, %d epoch%s. ", layers, modes, epochs, epochs == 1 ? "" : "s").\
  (repeats > 1 ? sprintf("Means of %d runs, bands of one standard deviation. ", repeats) : "").\
  (failed > 0 ? runs_of(failed)." failed. " : "").(missing > 0 ? not_done(missing)." " : "").\
  "Dashed: computed elsewhere, after the last epoch; the chip is programmed once."

# In pixels: three panels beside each other, two rows; the last place has the legend, as far as it is not longer.
width = 900
left = 74.0; gap = 48.0; panel = 250.0; below = 64.0; top = 12.0
wide = (width - left - 2*gap - 14)/3
note = broken(note, fitting(width - left - 14, 12))
room = 18.0*lines > panel ? 18.0*lines - panel : 0
height = int(top + 2*(panel + below) + room + line*lines_of(note) + 4)
load folder."style.gp"
px(x) = x/(1.0*width)
py(y) = 1 - y/(1.0*height)
dash(i) = on_chip[i + 1] ? 1 : 2
do for [i = 1:lines] { label[i] = shortened(label[i], fitting(wide - 38, 12)) }

set grid ytics lt 1 lw 0.8 lc rgb "#dddddd"
set xtics font small offset 0,0.3
set ytics font small
set logscale x
margin = most > least ? 0.05*(most - least) : 1.0
set yrange [(least - margin > 0 ? least - margin : 0):(most + margin < 100 ? most + margin : 100)]
unset key
set multiplot
do for [p = 0:4] {
  x = left + (p % 3)*(wide + gap)
  y = top + (p/3)*(panel + below)
  set lmargin at screen px(x)
  set rmargin at screen px(x + wide)
  set tmargin at screen py(y)
  set bmargin at screen py(y + panel)
  unset label
  set xlabel axis[p + 1] font small offset 0,0.6
  if (p % 3 == 0) { set label 1 "test accuracy / %" at screen px(14),screen py(y + panel/2) center rotate font small }
  # The range of what costs something, and ticks that stand apart.
  low = 1e300; high = 0.0
  do for [i = 1:lines] {
    if (on_chip[i]) { stats data index i skip 1 using (column(p + 2) > 0 && $7 == $7 ? \
      (low = column(p + 2) < low ? column(p + 2) : low, high = column(p + 2) > high ? column(p + 2) : high, 0) : 0) nooutput }
  }
  if (high == 0) { low = 0.1; high = 10.0 }
  set xrange [low/1.6:high*1.6]
  each = log10(high/low) > 5 ? 2 : 1
  set xtics ()
  do for [k = ceil(log10(low/1.6)/each):floor(log10(high*1.6)/each)] { set xtics add (sprintf("1e%d", each*k) 10.0**(each*k)) }
  plot for [i = 0:lines - 1] data index i + 1 skip 1 using (on_chip[i + 1] && repeats > 1 ? column(p + 2) : NaN):($7 - $8):($7 + $8) \
      with filledcurves fs transparent solid 0.18 noborder lc rgb colour_of(i), \
    for [i = 0:lines - 1] data index i + 1 skip 1 using (on_chip[i + 1] ? column(p + 2) : NaN):7 with lines lw 1.8 lc rgb colour_of(i), \
    for [i = 0:lines - 1] [low/1.6:high*1.6] (on_chip[i + 1] ? NaN : final[i + 1]) with lines dt 2 lw 1.4 lc rgb colour_of(i)
}

# The legend, in the last place; and what is meant, below.
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
set xrange [0:width]
set yrange [height:0]
at_x = left + 2*(wide + gap)
at_y = top + panel + below + 10
do for [i = 1:lines] {
  set arrow i from at_x,at_y + 18*(i - 1) to at_x + 30,at_y + 18*(i - 1) nohead lw 1.8 dt dash(i - 1) lc rgb colour_of(i - 1)
  set label i label[i] at at_x + 38,at_y + 18*(i - 1) left font small
}
set label lines + 1 note at left,height - line*lines_of(note) + 4 left font small
plot NaN
unset multiplot
