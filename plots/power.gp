# Power: light on its way through every mesh of a network, a column of interferometers after the other.
#   gnuplot -c power.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
stats data index 0 using 1:2 nooutput
modes = STATS_max_x
layers = STATS_max_y
stats data index 0 using 3:4 nooutput
classes = STATS_max_x
image = STATS_max_y
stats data index 2 using 1 nooutput
kind = STATS_max > 0 ? "field" : "image"
stats data index 0 using 5:6 nooutput
label = STATS_max_x
prediction = STATS_max_y
stats data index 0 using 7 nooutput
probability = STATS_max
stats data index 0 using 8 nooutput
columns = STATS_max
width = 900
height = 400
load ARG0[:strlen(ARG0) - strlen("power.gp")]."style.gp"

places = layers*(columns + 1)
set title sprintf("test %s %.0f, label %.0f: taken for class %.0f with a probability of %.0f %%", kind, image, label, prediction, 100*probability) offset 0,0.7
set xlabel "column of interferometers" offset 0,-0.9
set label "waveguide" at screen 0.018,graph 0.5 center rotate
set xrange [-0.5:places - 0.5]
set yrange [modes - 0.5:-0.5]
unset border
unset key
set tics scale 0.4
set format y "%.0f"
if (modes <= 20) { set ytics 1 }
unset xtics
# Numbers of columns and layers stand where they fit; the first column's and the first layer's always do.
pixels = 0.77*width/places
step = 1
while (step < columns && step*pixels < 24) { step = 2*step }
of_layer = pixels*(columns + 1)
named = of_layer < 58 ? "%d" : "layer %d"
layer_step = of_layer < 26 ? ceil(26/of_layer) : 1
if (of_layer < 58) { set label "layer" at screen 0.068,graph 1.03 right }
do for [l = 0:int(layers) - 1] {
  start = l*(columns + 1)
  if (l > 0) { set arrow from start - 0.5,graph 0 to start - 0.5,graph 1 nohead front lw (of_layer < 26 ? 1 : 2.5) lc rgb "white" }
  if (l % layer_step == 0) {
    set label sprintf(named, l) at start + 0.5*columns,graph 1.03 center
    do for [c = 0:int(columns) - 1:int(step)] {
      if (c == 0 || (columns + 1 - c)*pixels >= 24) { set label sprintf("%d", c) at start + c,graph -0.045 center }
    }
  }
}
# What is read: the first outputs of the last mesh.
set arrow from screen 0.855,first -0.3 to screen 0.855,first classes - 0.7 nohead lw 3 lc rgb "#d55e00"
set label "read" at screen 0.872,first 0.5*classes - 0.5 center rotate by -90 textcolor rgb "#d55e00"
eval "set palette defined (".viridis.")"
set cbrange [-40:0]
set cbtics 10 in
set cblabel "power / dB of what entered" offset 1,0
set lmargin at screen 0.075
set rmargin at screen 0.845
set colorbox user origin 0.9,0.18 size 0.018,0.67
set bmargin at screen 0.18
set tmargin at screen 0.85
plot data index 1 matrix with image
