# Examples: test images, or real parts of fields, above the moduli that enter the chip, above the probabilities that
# come out.
#   gnuplot -c examples.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
stats data index 0 using 1 nooutput
examples = STATS_max
stats data index 1 + 4*examples using 1:2 nooutput
fields = STATS_max_x > 0
least = STATS_max_y
stats data index 1 + 4*examples using 3 nooutput
most = STATS_max > least ? STATS_max : least + 1
width = 900
height = 500
load ARG0[:strlen(ARG0) - strlen("examples.gp")]."style.gp"
itself = fields ? crisp : "" # of fields, a few large pixels

left(i) = 0.080 + 0.142*i
w = 0.125
high = w*width/height
unset key
set multiplot
do for [i = 0:examples - 1] {
  set xrange [*:*] # what lies outside is not counted
  set yrange [*:*] reverse
  stats data index 1 + 4*i using 1:2 nooutput
  image = STATS_max_x
  label = STATS_max_y
  stats data index 1 + 4*i using 3 nooutput
  prediction = STATS_max
  set lmargin at screen left(i)
  set rmargin at screen left(i) + w

  set tmargin at screen 0.885
  set bmargin at screen 0.885 - high
  set title sprintf("%s %.0f\n%s", fields ? "field" : "image", image, prediction == label ? sprintf("label %.0f", label) : sprintf("%.0f taken for %.0f", label, prediction)) \
    offset 0,-0.5 textcolor rgb (prediction == label ? "black" : "#b04a00")
  unset border
  unset tics
  unset xlabel
  set autoscale fix
  unset colorbox
  set palette defined (0 "#000000", 1 "#ffffff")
  unset logscale cb
  set cbrange [least:most]
  if (i == 0) { set label 1 (fields ? "real part" : "image") at screen 0.016,0.885 - 0.5*high rotate center }
  plot data index 2 + 4*i matrix with image @itself
  unset label 1

  set tmargin at screen 0.62
  set bmargin at screen 0.62 - high
  unset title
  eval "set palette defined (".viridis.")"
  set logscale cb
  set cbrange [0.05:20]
  if (i == 0) { set label 2 (fields ? "modulus" : "features, modulus") at screen 0.016,0.62 - 0.5*high rotate center }
  if (i == examples - 1) {
    set colorbox user origin left(i) + w + 0.012,0.62 - high size 0.012,high
    set cbtics ("0.05" 0.05, "0.2" 0.2, "1" 1, "5" 5, "20" 20) in
  }
  plot data index 3 + 4*i matrix with image @crisp
  unset label 2
  unset colorbox

  set tmargin at screen 0.345
  set bmargin at screen 0.115
  set border 3
  set xrange [*:*]
  set yrange [*:*]
  stats data index 4 + 4*i using 1 nooutput
  classes = STATS_max + 1
  set yrange [0:100] noreverse
  set xrange [-0.6:classes - 0.4]
  set format x "%.0f"
  set xtics nomirror scale 0 offset 0,0.4
  if (classes <= 10) { set xtics 1 }
  set ytics 50 nomirror scale 0.5
  if (i > 0) { set ytics format "" } else { set ytics format "%g"; set label 3 "probability / %" at screen 0.016,0.23 rotate center }
  if (i == int(examples/2)) { set xlabel "class (blue: the label; orange: taken for, and wrong)" offset -6,0.5 }
  set style fill solid noborder
  plot data index 4 + 4*i using 1:(100*$2):($3 == 1 ? 0x0072b2 : ($3 == 2 ? 0xd55e00 : 0xb0b0b0)) with boxes lc rgb variable
  unset label 3
}
unset multiplot
