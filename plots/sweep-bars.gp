# Error bars of a sweep: a column an axis, a row an optimizer; the mean over all that varies besides, a thick bar of one
# deviation,
# and a thin one from the least to the largest.
#   gnuplot -c sweep-bars.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
folder = ARG0[:strlen(ARG0) - strlen("sweep-bars.gp")]
load folder."text.gp"
stats data index 0 using (rows = int($1), axes = int($2), epochs = int($3), failed = int($4), missing = int($5), 0) nooutput
array row[rows]; array name[axes]; array numeric[axes]; array logarithmic[axes]
stats data index 1 using (row[int($1) + 1] = strcol(2), 0) nooutput
stats data index 2 using (name[int($0) + 1] = strcol(1), numeric[int($0) + 1] = int($2), logarithmic[int($0) + 1] = int($3), 0) nooutput
low = 100.0; high = 0.0; runs = 0
do for [p = 3:rows*axes + 2] {
  stats data index p using ($3 == $3 ? (under = $3 - $4 < $5 ? $3 - $4 : $5, over = $3 + $4 > $6 ? $3 + $4 : $6, \
    low = under < low ? under : low, high = over > high ? over : high, runs = $7 > runs ? int($7) : runs, 0) : 0) nooutput
}
# The values of all axes behind each other, of each axis rising; far apart, as logarithms.
place_of(v, a) = logarithmic[a] ? log10(v) : v
array least[axes]; array most[axes]; array count[axes]; array first[axes]
total = 0
do for [a = 1:axes] {
  stats data index a + 2 using (place_of($1, a)) nooutput
  least[a] = STATS_min; most[a] = STATS_max; count[a] = int(STATS_records); first[a] = total
  total = total + count[a]
}
array value[total]; array word_at[total]
do for [a = 1:axes] {
  stats data index a + 2 using (value[first[a] + int($0) + 1] = place_of($1, a), word_at[first[a] + int($0) + 1] = strcol(2), 0) nooutput
}
note = (runs > 1 ? sprintf("Mean of up to %d runs; thick: ± deviation, thin: range. ", runs) : "").\
  (failed > 0 ? runs_of(failed)." failed. " : "").(missing > 0 ? not_done(missing) : "")
margin = high > low ? 0.07*(high - low) : 1.0

# In pixels; more than four axes go on in further lines.
columns = axes < 4 ? axes : 4
lines = ceil(axes/4.0)
left = 76.0; right = 20.0; gap = 24.0; panel = lines*rows > 3 ? 140.0 : 180.0
width = columns > 2 ? 900 : columns > 1 ? 700 : 480
wide = (width - left - right - (columns - 1)*gap)/columns
# Names of axes stand in lines, words upright where they do not fit beside each other, and so do long numbers.
letter = 7.4
array upright[axes]
below = 36.0
do for [a = 1:axes] {
  name[a] = broken(name[a], fitting(wide, 12))
  longest = 0
  do for [i = first[a] + 1:first[a] + count[a]] { longest = strlen(word_at[i]) > longest ? strlen(word_at[i]) : longest }
  upright[a] = longest*letter > (count[a] > 1 ? 0.86*wide/(count[a] - 1) : wide) && !numeric[a] || longest*letter > 0.14*wide + gap ? 1 : 0
  room = 36.0 + line*(lines_of(name[a]) - 1) + (upright[a] ? longest*letter - 8 : 0)
  below = room > below ? room : below
}
below = below + 12
heading = row[1] eq "" ? 14.0 : 34.0
note = broken(note, fitting(width - 24, 12))
height = int(lines*rows*(heading + panel + below) + (note eq "" ? 0 : 16 + line*lines_of(note)))
load folder."style.gp"
px(x) = x/(1.0*width)
py(y) = 1 - y/(1.0*height)

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
      set label 2 note at screen px(12), screen py(height - 12 - line*(lines_of(note) - 1)) left font small
    }
    if (c == 0) {
      set format y "%g"
      set label 3 sprintf("test error, epoch %d / %%", epochs) at screen px(16), screen py(top + 0.5*panel) center rotate font small
    } else { set format y "" }
    index_of = 3 + r*axes + a
    from = least[a + 1]; to = most[a + 1]
    inner = to > from ? 0.08*(to - from) : 1.0
    set xrange [from - inner:to + inner]
    # The values themselves are the ticks, but for numbers that would run into the one before.
    if (upright[a + 1]) { set xtics () font small rotate by 90 right offset 0,0 } else { set xtics () font small norotate center offset 0,0.4 }
    last = -1e9
    pixel(v) = wide*(v - from + inner)/(to - from + 2*inner)
    longest = 0
    do for [i = first[a + 1] + 1:first[a + 1] + count[a + 1]] {
      half = upright[a + 1] ? 7.5 : 0.5*letter*strlen(word_at[i])
      if (pixel(value[i]) - half > last + (upright[a + 1] ? 0 : 5)) {
        set xtics add (word_at[i] value[i])
        last = pixel(value[i]) + half
      }
      longest = strlen(word_at[i]) > longest ? strlen(word_at[i]) : longest
    }
    set label 4 name[a + 1] at screen px(x + 0.5*wide), screen py(top + panel + 35 + (upright[a + 1] ? longest*letter - 8 : 0)) center font small
    plot data index index_of using (place_of($1, a + 1)):3 with lines lw 1.4 lc rgb colour_of(r), \
         data index index_of using (place_of($1, a + 1)):3:5:6 with yerrorbars pt 0 lw 1 lc rgb colour_of(r), \
         data index index_of using (place_of($1, a + 1)):($3 - $4):(0):(2*$4) with vectors nohead lw 5 lc rgb colour_of(r), \
         data index index_of using (place_of($1, a + 1)):3 with points pt 7 ps 0.7 lc rgb colour_of(r), \
         data index index_of using (place_of($1, a + 1)):3 with points pt 7 ps 0.35 lc rgb "white"
  }
}
unset multiplot
