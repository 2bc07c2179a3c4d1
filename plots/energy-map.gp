# Energy efficiency over batch size and modes: two heat maps in the manner of Pai et al., Science 380, 398 (2023).
#   gnuplot -e "data='map.txt'; figure='map.svg'" plots/energy-map.gp
# data: blocks of one N each, parted by an empty line; columns M, N, mvm TOPS/W, gradient TOPS/W
# (scripts/energy-map.sh).
set terminal svg size 900,380 font "sans-serif,13" background rgb "white"
set output figure
# viridis, by S. van der Walt and N. Smith: rises evenly in lightness, also for the colour-blind
set palette defined (0 "#440154", 1 "#472d7b", 2 "#3b528b", 3 "#2c728e", 4 "#21918c", 5 "#28ae80", 6 "#5ec962", \
                     7 "#addc30", 8 "#fde725")
set xlabel "batch size M"
set xrange [0:256]
set yrange [3:257]
set xtics 0,64,256 out nomirror
set ytics 0,64,256 out nomirror
set cbtics out
set contour base
set cntrparam linear
unset key
unset clabel

# A contour is drawn on top of its map: plotted to a table first.
set table $mvm_lines
set cntrparam levels discrete 8, 16, 32
unset surface
splot data using 1:2:3
set table $gradient_lines
set cntrparam levels discrete 4, 8, 16
splot data using 1:2:4
unset table

set multiplot layout 1,2
set ylabel "modes N"
set title "matrix times vector, TOPS/W; lines at 8, 16, 32"
set cbrange [0:150]
plot data using 1:2:3 with image, $mvm_lines using 1:2 with lines lc rgb "white" lw 1.5
unset ylabel
set title "in situ gradient, TOPS/W; lines at 4, 8, 16"
set cbrange [0:50]
plot data using 1:2:4 with image, $gradient_lines using 1:2 with lines lc rgb "white" lw 1.5
unset multiplot
