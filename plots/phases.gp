# Phases: the mesh as it lies on the chip. Light enters at the left; in each interferometer it meets phi first, then
# theta.
#   gnuplot -c phases.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
stats data index 0 using 1:2 nooutput
modes = STATS_max_x
layer = STATS_max_y
stats data index 0 using 3 nooutput
layers = STATS_max
stats data index 0 using 4 nooutput
turns = STATS_max > 7 ? 2 : 1 # colours go around with the longest period of a phase, 2 pi or 4 pi
stats data index 1 using ($5 - $2) nooutput
apart = STATS_max > 1 # some interferometers join waveguides that are not neighbours
stats data index 2 using ($1 + $2) nooutput
places = STATS_max # from left to right: a column has several where its interferometers would cover each other
columns = STATS_records
width = 900
pitch = 620.0/modes > 44 ? 44 : 620.0/modes
height = 130 + (modes < 8 ? 8 : modes)*pitch
load ARG0[:strlen(ARG0) - strlen("phases.gp")]."style.gp"

set title sprintf("mesh of %.0f waveguides%s: left part of each interferometer phi, right part theta", modes, \
                  layers > 1 ? sprintf(", layer %.0f of 0 to %.0f", layer, layers - 1) : "")
set xlabel "column"
set ylabel "waveguide"
set xrange [-0.7:places - 0.3]
set yrange [modes - 0.4:-0.6]
set format xy "%.0f"
if (modes <= 20) { set ytics 1 }
if (places <= 20 && !apart) { set xtics 1 }
unset border
set tics scale 0
unset key
# A cyclic map, because phases are: twilight, by B. Bechtold and the authors of matplotlib.
set palette defined (0 "#e2d9e2", 1 "#9ebbc9", 2 "#6785be", 3 "#5e43a5", 4 "#421257", 5 "#2f1436", 6 "#57123f", 7 "#8e2c50", \
                     8 "#b46b61", 9 "#ceac94", 10 "#e2d9e2")
set cbrange [0:2*pi*turns]
if (turns == 1) { set cbtics ("0" 0, "π/2" pi/2, "π" pi, "3π/2" 3*pi/2, "2π" 2*pi) in } \
else { set cbtics ("0" 0, "π" pi, "2π" 2*pi, "3π" 3*pi, "4π" 4*pi) in }
set cblabel "phase / rad" offset (turns == 1 ? -1 : 1),0
set lmargin at screen 0.075
set rmargin at screen 0.865
set style fill solid noborder
line = modes > 32 ? 0.6 : 1.5
waveguides = "plot for [w = 0:int(modes) - 1] '+' using (-0.7):(w):(places + 0.4):(0) every ::0::0 with vectors nohead lw line lc rgb '#999999'"
# An interferometer of neighbours is one box, another a box at each of its waveguides and a line between them.
lower(top, bottom) = bottom - top == 1 ? bottom : top
box(side, phase) = sprintf(", data index 1 using ($6 %s):(($2 + lower($2, $5))/2):($6 %s):($6 %s):($2 - 0.18 - 0.1*apart*($5 - $2 > 1)):(lower($2, $5) + 0.18 + 0.1*apart*($5 - $2 > 1)):%d with boxxyerror fc palette", word(side, 1), word(side, 2), word(side, 3), phase)
far(side, phase) = sprintf(", data index 1 using ($5 - $2 > 1 ? $6 %s : NaN):5:($6 %s):($6 %s):($5 - 0.28):($5 + 0.28):%d with boxxyerror fc palette", word(side, 1), word(side, 2), word(side, 3), phase)
left = "-0.25 -0.40 -0.10"
right = "+0.17 -0.06 +0.40"
command = waveguides
if (apart) {
  set xtics ()
  step = ceil(columns/20.0)
  command = command.", data index 1 using ($5 - $2 > 1 ? $6 : NaN):2:(0):($5 - $2) with vectors nohead lw 2 lc rgb '#444444', data index 2 using ($1 + ($2 - 1)/2.0):(modes):xtic(int($0) % step == 0 ? sprintf('%d', int($0)) : '') with dots"
}
command = command.box(left, 4).box(right, 3)
if (apart) { command = command.far(left, 4).far(right, 3) }
eval command
