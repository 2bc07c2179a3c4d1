# Error bars of a sweep: a column an axis, a row an optimizer; the mean over all that varies besides, a thick bar of one deviation,
# and a thin one from the least to the largest.
#   gnuplot -c sweep-bars.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
stats data index 0 using (rows = int($1), axes = int($2), epochs = int($3), failed = int($4), missing = int($5), 0) nooutput
array row[rows]; array name[axes]; array numeric[axes]; array logarithmic[axes]
stats data index 1 using (row[int($1) + 1] = strcol(2), 0) nooutput
stats data index 2 using (name[int($0) + 1] = strcol(1), numeric[int($0) + 1] = int($2), logarithmic[int($0) + 1] = int($3), 0) nooutput
low = 100.0; high = 0.0; runs = 0
do for [p = 3:rows*axes + 2] {
  stats data index p using ($3 == $3 ? (under = $3 - $4 < $5 ? $3 - $4 : $5, over = $3 + $4 > $6 ? $3 + $4 : $6, \
    low = under < low ? under : low, high = over > high ? over : high, runs = $7 > runs ? int($7) : runs, 0) : 0) nooutput
}
# The values of all axes behind each other, of each axis rising.
array least[axes]; array most[axes]; array count[axes]; array first[axes]
total = 0
do for [a = 1:axes] {
  stats data index a + 2 using 1 nooutput
  least[a] = STATS_min; most[a] = STATS_max; count[a] = int(STATS_records); first[a] = total
  total = total + count[a]
}
array value[total]; array word_at[total]
do for [a = 1:axes] {
  stats data index a + 2 using (value[first[a] + int($0) + 1] = $1, word_at[first[a] + int($0) + 1] = strcol(2), 0) nooutput
}
note = (runs > 1 ? sprintf("Mean of up to %d runs; thick: ± deviation, thin: range. ", runs) : "").\
  (failed > 0 ? sprintf("%d runs failed. ", failed) : "").(missing > 0 ? sprintf("%d runs are not done.", missing) : "")
margin = high > low ? 0.07*(high - low) : 1.0

# In pixels; more than four axes go on in further lines.
columns = axes < 4 ? axes : 4
lines = ceil(axes/4.0)
left = 76.0; right = 14.0; gap = 16.0; panel = lines*rows > 3 ? 140.0 : 180.0
heading = row[1] eq "" ? 14.0 : 34.0
below = 48.0
width = columns > 2 ? 900 : columns > 1 ? 700 : 480
wide = (width - left - right - (columns - 1)*gap)/columns
height = int(lines*rows*(heading + panel + below) + (note eq "" ? 0 : 30))
load ARG0[:strlen(ARG0) - strlen("sweep-bars.gp")]."style.gp"
px(x) = x/(1.0*width)
py(y) = 1 - y/(1.0*height)
small = format eq "svg" ? "sans-serif,12" : "sans-serif,9.5"

set grid ytics lt 1 lw 0.8 lc rgb "#dddddd"
unset key
set yrange [low - margin:high + margin]
set ytics font small
set multiplot
do for [r = 0:rows - 1] {
  do for [a = 0:axes - 1] {
    c = a % 4
    top = (r*lines + a/4)*(heading + panel + below) + heading
    x = left + c*(wide + gap)
    set lmargin at screen px(x)
    set rmargin at screen px(x + wide)
    set tmargin at screen py(top)
    set bmargin at screen py(top + panel)
    unset label
    if (a == 0) { set label 1 row[r + 1] at screen px(left), screen py(top - 14) left font ",".(format eq "svg" ? 13 : 10) }
    if (r == 0 && a == 0) {
      set label 2 note at screen px(left), screen py(height - 12) left font small
    }
    if (c == 0) {
      set format y "%g"
      set ylabel sprintf("test error, epoch %d / %%", epochs) font small offset 0.8,0
    } else {
      set format y ""
      unset ylabel
    }
    set xlabel name[a + 1] font small offset 0,1
    set autoscale x
    unset logscale x
    set xtics font small
    index_of = 3 + r*axes + a
    from = least[a + 1]; to = most[a + 1]
    if (logarithmic[a + 1]) {
      set logscale x
      set xrange [from/(to/from)**0.08:to*(to/from)**0.08]
    } else {
      set xrange [from - 0.08*(to - from):to + 0.08*(to - from)]
    }
    # The values themselves are the ticks, but for those that would run into the one before.
    set xtics () offset 0,0.4
    last = -1e9
    place(v) = logarithmic[a + 1] ? wide*log(v/from)/log(to/from) : wide*(v - from)/(to - from)
    do for [i = 1:count[a + 1]] {
      v = value[first[a + 1] + i]
      if (place(v) > last + 36) {
        set xtics add (word_at[first[a + 1] + i] v)
        last = place(v)
      }
    }
    plot data index index_of using 1:3 with lines lw 1.4 lc rgb colour_of(r), \
         data index index_of using 1:3:5:6 with yerrorbars pt 0 lw 1 lc rgb colour_of(r), \
         data index index_of using 1:($3 - $4):(0):(2*$4) with vectors nohead lw 5 lc rgb colour_of(r), \
         data index index_of using 1:3 with points pt 7 ps 0.7 lc rgb colour_of(r), \
         data index index_of using 1:3 with points pt 7 ps 0.35 lc rgb "white"
  }
}
unset multiplot
