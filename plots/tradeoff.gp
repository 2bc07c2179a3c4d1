# What accuracy costs: efficiency of an in situ gradient and laser power against the test error, a point a setting of a sweep.
#   gnuplot -c tradeoff.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
stats data index 0 using (modes = int($1), epochs = int($2), rows = int($3), repeats = int($4), 0) nooutput
stats data index 2 using 1 nooutput
taps = int(STATS_records)
array row[rows]; array tap[taps]; array used[taps]; array bits[17]
stats data index 1 using (row[int($1) + 1] = strcol(2), 0) nooutput
stats data index 2 using (tap[int($1) + 1] = strcol(2), 0) nooutput
do for [i = 1:taps] { used[i] = 0 }
do for [b = 1:17] { bits[b] = 0 }
digital = 1; least = 1e300; most = 0.0; weak = 1e300; strong = 0.0; low = 100.0; high = 0.0
do for [r = 0:rows - 1] {
  stats data index r + 3 using ($1 == $1 ? (used[int($7) + 1] = 1, bits[int($6)] = 1, digital = $8 > 0 ? 0 : digital, \
    least = $3 < least ? $3 : least, most = $3 > most ? $3 : most, weak = $4 < weak ? $4 : weak, strong = $4 > strong ? $4 : strong, \
    low = $1 < low ? $1 : low, high = $1 > high ? $1 : high, 0) : 0) nooutput
}

# In pixels.
left = 78.0; gap = 92.0; panel = 210.0; below = 52.0; legend = 62.0
heading = row[1] eq "" ? 14.0 : 30.0
width = 900
height = int(rows*(heading + panel + below) + legend)
load ARG0[:strlen(ARG0) - strlen("tradeoff.gp")]."style.gp"
px(x) = x/(1.0*width)
py(y) = 1 - y/(1.0*height)
small = format eq "svg" ? "sans-serif,12" : "sans-serif,9.5"
wide = (width - left - gap - 16)/2

# Bits by colour, in their order from light to dark; noise of the taps by mark.
array shade[17]
n = 0
do for [b = 1:17] { if (bits[b]) { n = n + 1; shade[b] = n } else { shade[b] = 0 } }
array scale[6] = ["#e69f00", "#d55e00", "#56b4e9", "#0072b2", "#cc79a7", "#555555"]
ink(b) = int(shade[int(b)] - 1) % 6
array kinds[4] = [7, 5, 9, 13]
mark(i) = kinds[int(i) % 4 + 1]

set grid lt 1 lw 0.8 lc rgb "#dddddd"
set xtics font small offset 0,0.3
set ytics font small
set format y "%g"
# A linear scale from 0 where it parts the numbers well enough.
far(a, b) = b > 20*a
unset key
margin = high > low ? 0.05*(high - low) : 1.0
set xrange [low - margin:high + margin]
set multiplot
do for [r = 0:rows - 1] {
  top = r*(heading + panel + below) + heading
  set tmargin at screen py(top)
  set bmargin at screen py(top + panel)
  set xlabel sprintf("test error after epoch %d / %%", epochs) font small offset 0,0.6
  do for [side = 0:1] {
    x = left + side*(wide + gap)
    set lmargin at screen px(x)
    set rmargin at screen px(x + wide)
    unset label
    if (side == 0) {
      set label 1 row[r + 1] at screen px(left), screen py(top - 14) left font ",".(format eq "svg" ? 13 : 10)
      if (far(least, most)) { set logscale y; set yrange [least/1.25:most*1.25] } else { unset logscale y; set yrange [0:1.1*most] }
      set label 2 (digital ? "in situ gradient / (TOPS/W)" : "in situ gradient,\ndigital products left out / (TOPS/W)") at screen px(14), screen py(top + panel/2) center rotate font small
    } else {
      if (far(weak, strong)) { set logscale y; set yrange [weak/1.25:strong*1.25] } else { unset logscale y; set yrange [0:1.1*strong] }
      set label 2 sprintf("laser, electricity for N = %d / W", modes) at screen px(x - 72), screen py(top + panel/2) center rotate font small
    }
    plot data index r + 3 using (repeats > 1 ? $1 : NaN):(side ? $4 : $3):2 with xerrorbars pt 0 lw 1 lc rgb faint, \
      for [t = 0:taps - 1] for [b = 1:16] data index r + 3 using ($7 == t && $6 == b ? $1 : NaN):(side ? $4 : $3) \
      with points pt mark(t) ps 0.8 lw 1 lc rgb scale[(bits[b] ? ink(b) : 0) + 1]
  }
}

# The legend is a plot of its own as wide as the page: a line for bits, one for the taps.
unset label
unset xlabel
unset border
unset tics
unset grid
unset logscale
set lmargin at screen px(left)
set rmargin at screen 0.98
set yrange [0:1]
set label 1 "converters:" at screen px(left), screen py(height - 44) left font small
set label 2 "taps' shot noise:" at screen px(left), screen py(height - 18) left font small
set key at screen px(left + 130),py(height - 44) left center horizontal maxrows 1 width 1 font small
plot [0:1] for [b = 1:16] NaN with points pt (bits[b] ? 7 : 0) ps 0.9 lc rgb scale[(bits[b] ? ink(b) : 0) + 1] title (bits[b] ? sprintf("%d bits", b) : "")
unset label
set key at screen px(left + 130),py(height - 18) left center horizontal maxrows 1 width 1 font small
plot [0:1] for [t = 0:taps - 1] NaN with points pt (used[t + 1] ? mark(t) : 0) ps 0.9 lc rgb "#555555" title (used[t + 1] ? tap[t + 1] : "")
unset multiplot
