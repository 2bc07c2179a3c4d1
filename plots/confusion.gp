# Confusion matrix: a cell a pair of label and prediction, coloured by its share of the label's images or fields.
#   gnuplot -c confusion.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
stats data index 0 using 1:2 nooutput
images = STATS_max_x
right = STATS_max_y
stats data index 2 using 1 nooutput
kind = STATS_max > 0 ? "fields" : "images"
stats data index 1 using 1 nooutput
classes = STATS_max + 1
width = 680
height = 580
load ARG0[:strlen(ARG0) - strlen("confusion.gp")]."style.gp"

set title sprintf("%.0f of %.0f test %s right: %.2f %%", right, images, kind, 100.0*right/images)
set xlabel "taken for class"
set label "label" at screen 0.026,graph 0.5 center rotate
set cblabel sprintf("share of the label's %s / %%", kind) offset -0.5,0
set xrange [-0.5:classes - 0.5]
set yrange [classes - 0.5:-0.5]
set cbrange [0:100]
set cbtics 25 in
if (classes <= 20) { set xtics 1; set ytics 1 }
set format xy "%.0f"
set xtics scale 0
set ytics scale 0
unset border
unset key
# One hue whose lightness falls evenly, so that the rare errors are as readable as the diagonal.
set palette defined (0 "#f7fbff", 1 "#deebf7", 2 "#c6dbef", 3 "#9ecae1", 4 "#6baed6", 5 "#4292c6", 6 "#2171b5", 7 "#08519c", 8 "#08306b")
set rmargin at screen 0.83
set lmargin at screen 0.10
set bmargin at screen 0.115
# Counts are left out where they would not fit their cells.
size = classes <= 12 ? 11 : 8
font = sprintf("sans-serif,%d", format eq "svg" ? size + 2 : size)
plot data index 1 using 1:2:(100*$4) with image @crisp, \
     data index 1 using 1:2:(classes <= 20 && $3 > 0 ? sprintf("%.0f", $3) : ""):($4 > 0.5 ? 0xffffff : 0x1a1a1a) \
       with labels font font textcolor rgb variable
