# What accuracy costs: efficiency of an in situ gradient and laser power against the test error, a point per setting of
# a sweep.
#   gnuplot -c tradeoff.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
folder = ARG0[:strlen(ARG0) - strlen("tradeoff.gp")]
load folder."text.gp"
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
stats data index rows + 3 using (n_free = int($1), n_dark = int($4), n_unknown = int($5), 0) nooutput
free_low = NaN; free_high = NaN
if (n_free > 0) { stats data index rows + 3 using (free_low = $2, free_high = $3, 0) nooutput }

# What is left out, in words.
settings(n) = n == 1 ? "1 setting" : sprintf("%d settings", n)
is(n) = n == 1 ? " is" : " are"
errors = free_high > free_low ? sprintf("%.1f to %.1f %%", free_low, free_high) : sprintf("%.1f %%", free_low)
note = (n_free > 0 ? "Without noise at the taps there is no price: ".settings(n_free).is(n_free)." left out, with a test error of ".errors.". " : "").\
  (n_dark > 0 ? "No light is enough for ".settings(n_dark).", left out. " : "").\
  (n_unknown > 0 ? settings(n_unknown).(n_unknown == 1 ? " has" : " have")." no finished run. " : "").\
  (digital ? "" : "Digital products, which a measured matrix leaves, are not counted.")

# In pixels.
left = 78.0; gap = 92.0; panel = 210.0; below = 58.0
heading = row[1] eq "" ? 14.0 : 30.0
width = 900
wide = (width - left - gap - 16)/2
note = broken(note, fitting(width - left - 10, 12))
# Entries of the legend beside each other, the names of the taps' noises in as many lines as they need.
named = 130.0
longest = 1
n_taps = 0
do for [i = 1:taps] {
  if (used[i]) { n_taps = n_taps + 1; longest = strlen(tap[i]) > longest ? strlen(tap[i]) : longest }
}
entry = 7.44*longest + 46
columns = int((width - left - named - 10)/entry)
lines = ceil(n_taps/(1.0*columns))
noted = note eq "" ? 0 : 6 + line*lines_of(note)
legend = 40 + 20*lines + noted
height = int(rows*(heading + panel + below) + legend)
load folder."style.gp"
px(x) = x/(1.0*width)
py(y) = 1 - y/(1.0*height)

# Bits by colour, in their order from light to dark; noise of the taps by mark.
array shade[17]
n = 0
do for [b = 1:17] { if (bits[b]) { n = n + 1; shade[b] = n } else { shade[b] = 0 } }
array scale[16] = ["#e69f00", "#d55e00", "#56b4e9", "#0072b2", "#cc79a7", "#555555", "#009e73", "#8c510a", "#01665e", "#762a83", \
  "#b2182b", "#2166ac", "#999999", "#66a61e", "#e7298a", "#000000"]
ink(b) = bits[b] ? scale[int(shade[int(b)])] : scale[1]
array kinds[12] = [7, 5, 9, 13, 11, 15, 6, 4, 8, 12, 10, 14]
mark(i) = kinds[int(i) % 12 + 1]

set grid lt 1 lw 0.8 lc rgb "#dddddd"
set xtics font small offset 0,0.3
set ytics font small
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
      set label 2 "in situ gradient / (TOPS/W)" at screen px(14), screen py(top + panel/2) center rotate font small
    } else {
      if (far(weak, strong)) { set logscale y; set yrange [weak/1.25:strong*1.25] } else { unset logscale y; set yrange [0:1.1*strong] }
      set label 2 sprintf("laser, electricity for N = %d / W", modes) at screen px(x - 72), screen py(top + panel/2) center rotate font small
    }
    plot data index r + 3 using (repeats > 1 ? $1 : NaN):(side ? $4 : $3):2 with xerrorbars pt 0 lw 1 lc rgb faint, \
      for [t = 0:taps - 1] for [b = 1:16] data index r + 3 using ($7 == t && $6 == b ? $1 : NaN):(side ? $4 : $3) \
      with points pt mark(t) ps 0.8 lw 1 lc rgb ink(b)
  }
}

# The legend is a plot of its own over the whole page: a line for bits, lines for the taps, what is left out.
unset label
unset xlabel
unset border
unset tics
unset grid
unset key
unset logscale
set lmargin at screen 0
set rmargin at screen 1
set tmargin at screen 1
set bmargin at screen 0
set xrange [0:width]
set yrange [height:0]
first_line = height - legend + 16
set label 1 "converters:" at left,first_line left font small
set label 2 "taps' shot noise:" at left,first_line + 22 left font small
set label 3 note at left,first_line + 26 + 20*lines left font small
n = 0
do for [b = 1:16] {
  if (bits[b]) {
    set label 100 + b "" at left + named + 70*n,first_line point pt 7 ps 0.9 lc rgb ink(b)
    set label 200 + b sprintf("%d bits", b) at left + named + 70*n + 12,first_line left font small
    n = n + 1
  }
}
n = 0
do for [t = 1:taps] {
  if (used[t]) {
    set label 300 + t "" at left + named + entry*(n % columns),first_line + 22 + 20*(n/columns) point pt mark(t - 1) ps 0.9 lc rgb "#555555"
    set label 20000 + t tap[t] at left + named + entry*(n % columns) + 12,first_line + 22 + 20*(n/columns) left font small
    n = n + 1
  }
}
plot NaN
unset multiplot
