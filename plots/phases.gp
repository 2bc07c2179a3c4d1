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
width = 900
pitch = 620.0/modes > 44 ? 44 : 620.0/modes
height = 130 + (modes < 8 ? 8 : modes)*pitch
load ARG0[:strlen(ARG0) - strlen("phases.gp")]."style.gp"

set title sprintf("mesh of %.0f waveguides%s: left part of each interferometer phi, right part theta", modes, \
                  layers > 1 ? sprintf(", layer %.0f of 0 to %.0f", layer, layers - 1) : "")
set xlabel "column"
set ylabel "waveguide"
set xrange [-0.7:modes - 0.3]
set yrange [modes - 0.4:-0.6]
set format xy "%.0f"
if (modes <= 20) { set xtics 1; set ytics 1 }
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
plot for [w = 0:int(modes) - 1] '+' using (-0.7):(w):(modes + 0.4):(0) every ::0::0 with vectors nohead lw line lc rgb "#999999", \
     data index 1 using ($1 - 0.25):($2 + 0.5):($1 - 0.40):($1 - 0.10):($2 - 0.18):($2 + 1.18):4 with boxxyerror fc palette, \
     data index 1 using ($1 + 0.17):($2 + 0.5):($1 - 0.06):($1 + 0.40):($2 - 0.18):($2 + 1.18):3 with boxxyerror fc palette
