# Heat maps of a sweep: a cell a pair of values, coloured by the test error after the last epoch, its number within.
#   gnuplot -c sweep-map.gp DATA FORMAT > FIGURE
data = ARG1
format = ARG2
folder = ARG0[:strlen(ARG0) - strlen("sweep-map.gp")]
load folder."text.gp"
stats data index 0 using (xname = strcol(1), yname = strcol(2), nx = int($3), ny = int($4), columns = int($5), \
  rows = int($6), epochs = int($7), repeats = int($8), failed = int($9), missing = int($10), 0) nooutput
array xvalue[nx]; array yvalue[ny]; array column[columns]; array row[rows]
stats data index 1 using (xvalue[int($1) + 1] = strcol(2), 0) nooutput
stats data index 2 using (yvalue[int($1) + 1] = strcol(2), 0) nooutput
stats data index 3 using (column[int($1) + 1] = strcol(2), 0) nooutput
stats data index 4 using (row[int($1) + 1] = strcol(2), 0) nooutput
xlongest = 0; ylongest = 0
do for [i = 1:nx] { xlongest = strlen(xvalue[i]) > xlongest ? strlen(xvalue[i]) : xlongest }
do for [i = 1:ny] { ylongest = strlen(yvalue[i]) > ylongest ? strlen(yvalue[i]) : ylongest }
low = 100.0; high = 0.0
do for [p = 1:columns*rows] {
  stats data index p + 4 using ($3 == $3 ? (low = $3 < low ? $3 : low, high = $3 > high ? $3 : high, 0) : 0) nooutput
}
if (high - low < 0.1) { high = low + 0.1 }

# All in pixels of a page of 900: cells, the gap between maps, texts in as many lines as they need.
letter = 7.4
ticks = ny > 1 ? letter*ylongest + 16 : 0.0
right = 76.0; gap = 12.0
heading = row[1] eq "" ? 0.0 : 30.0
# Few rows of cells are as high as the name beside them is long, within reason.
tall = rows*ny < 4 ? 40.0 : ny > 12 ? 20.0 : 27.0
named = (7.44*strlen(yname) - (rows - 1)*(heading == 0 ? gap : heading))/(rows*ny)
tall = named <= tall ? tall : named < 66 ? named : 66.0
maptall = tall*ny
all = rows*(heading + maptall) + (heading == 0 ? (rows - 1)*gap : 0)
yname = broken(yname, fitting(all - heading, 12))
left = ny > 1 ? 24 + line*lines_of(yname) + ticks : 40.0
if (ny > 1 && left < 92) { left = 92.0 }
cell = (900 - left - right - (columns - 1)*gap)/(columns*nx)
if (cell > 88) { cell = 88.0 }
mapwide = cell*nx
width = int(left + columns*mapwide + (columns - 1)*gap + right)
if (width < 460) { width = 460 }
# Values of x stand upright where they do not fit beside each other, and are left out where not even that helps.
upright = letter*xlongest + 6 > cell
xticks = upright ? letter*xlongest + 8 : 22.0
xstep = upright ? ceil(15.0/cell) : 1
xname = broken(xname, fitting(mapwide, 12))
above = 14.0
if (column[1] ne "") {
  do for [c = 1:columns] {
    column[c] = broken(column[c], fitting(mapwide, 13))
    above = 14 + 16*lines_of(column[c]) > above ? 14.0 + 16*lines_of(column[c]) : above
  }
}
if (heading > 0) {
  do for [r = 1:rows] {
    row[r] = broken(row[r], fitting(width - left, 13))
    heading = 14 + 16*lines_of(row[r]) > heading ? 14.0 + 16*lines_of(row[r]) : heading
  }
  all = rows*(heading + maptall)
}
fit(s) = broken(s, fitting(width - 24, 12))
note = sprintf("Test error after epoch %d in %%", epochs).(repeats > 1 ? ", mean of ".runs_of(repeats)."." : ".")
if (failed > 0) { note = note."\n".fit(sprintf("× or *: all or some of a cell's runs failed, %d in all.", failed)) }
if (missing > 0) { note = note."\n".fit("Grey and empty: ".not_done(missing)) }
below = xticks + line*lines_of(xname) + 19 + line*lines_of(note) + 8
height = int(above + all + below)
load folder."style.gp"
px(x) = x/(1.0*width)
py(y) = 1 - y/(1.0*height)
tiny = format eq "svg" ? "sans-serif,11" : "sans-serif,8.5"
large = ",".(format eq "svg" ? 13 : 10)

eval "set palette defined (".viridis.")"
set cbrange [low:high]
set border 0
set tics scale 0
unset key
unset colorbox
set xrange [-0.5:nx - 0.5]
set yrange [-0.5:ny - 0.5]
share(z) = (z - low)/(high - low)
# Numbers stand where they fit; a cross marks cells whose runs have all failed, a star those of which some have.
number(z, bad) = cell < 27 ? (bad > 0 ? "*" : "") : sprintf(bad > 0 ? "%.1f*" : "%.1f", z)
ink(z) = share(z) < 0.6 ? 0xffffff : 0x1a1a1a

set multiplot
do for [r = 0:rows - 1] {
  top = above + r*(heading + maptall + (heading == 0 ? gap : 0)) + heading
  do for [c = 0:columns - 1] {
    x = left + c*(mapwide + gap)
    set lmargin at screen px(x)
    set rmargin at screen px(x + mapwide)
    set tmargin at screen py(top)
    set bmargin at screen py(top + maptall)
    unset label
    if (r == 0) { set label 1 column[c + 1] at screen px(x + mapwide/2), screen py(13) center font large }
    if (r == 0 && c == 0 && ny > 1) { set label 3 yname at screen px(16), screen py(above + heading + 0.5*(all - heading)) center rotate font small }
    if (c == 0) { set label 2 row[r + 1] at screen px(left), screen py(top - 12 - 16*(lines_of(row[r + 1]) - 1)) left font large }
    unset xtics
    unset ytics
    if (c == 0 && ny > 1) {
      set ytics () font small
      do for [i = 1:ny] { set ytics add (yvalue[i] i - 1) }
    }
    if (r == rows - 1) {
      if (upright) { set xtics () font small rotate by 90 right offset 0,0.2 } else { set xtics () font small norotate center }
      do for [i = 1:nx:xstep] { set xtics add (xvalue[i] i - 1) }
      set label 4 xname at screen px(x + mapwide/2), screen py(above + all + xticks + 15) center font small
    }
    plot data index 5 + r*columns + c using 1:2:($1 - 0.5):($1 + 0.5):($2 - 0.5):($2 + 0.5) with boxxyerror \
           fs solid 1 border lc rgb "white" fc rgb "#dddddd", \
         data index 5 + r*columns + c using ($5 > 0 ? $1 : NaN):2:($1 - 0.5):($1 + 0.5):($2 - 0.5):($2 + 0.5):3 with boxxyerror \
           fs solid 1 border lc rgb "white" fc palette, \
         data index 5 + r*columns + c using 1:2:($5 > 0 ? number($3, $6) : $6 > 0 ? "×" : ""):($5 > 0 ? ink($3) : 0x1a1a1a) with labels font tiny tc rgb variable
  }
}

# The scale of colours is a plot of its own, as high as all maps together but not more than 300 pixels.
from = above + heading
scale = all - heading > 300 ? 300.0 : all - heading
x = left + columns*mapwide + (columns - 1)*gap + 18
set lmargin at screen px(x)
set rmargin at screen px(x + 14)
set tmargin at screen py(from)
set bmargin at screen py(from + scale)
unset label
unset xtics
unset ytics
set y2tics font small format "%.4g" offset -0.5,0
if (scale < 110) { set y2tics (low, high) format "%.1f" } else { set y2tics even_step(22*(high - low)/scale) }
set xrange [0:1]
set yrange [low:high]
set y2range [low:high]
set label 1 note at screen px(12), screen py(height - 12 - line*(lines_of(note) - 1)) left font small
plot for [i = 0:99] "+" every ::0::0 using (0.5):(low + (i + 0.5)*(high - low)/100):(0):(1):(low + i*(high - low)/100):(low + (i < 99 ? i + 1.5 : 100)*(high - low)/100):(low + (i + 0.5)*(high - low)/100) \
  with boxxyerror fs solid 1 noborder fc palette
unset multiplot
