# Matrix errors of programmed chips over the error of their couplers: uncorrected and after local correction.
#   gnuplot -c bench/programming.gp DATA FORMAT > FIGURE        DATA: bench/programming.py curve
data = ARG1
format = ARG2
width = 760
height = 520
load ARG0[:strlen(ARG0) - strlen("bench/programming.gp")]."plots/style.gp"
sizes = "4 8 16 32 64"
uncorrected(n, s) = sqrt(2 - 2*exp(-(n - 1)*s**2))
corrected(n, s) = 2*n*s**2/sqrt(6)
seen(e) = e > 5e-5 ? e : NaN
set logscale xy
set xrange [0.0045:0.11]
set yrange [5e-5:2]
set xtics (0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1)
set format y "%g"
set xlabel "deviation of the couplers / rad"
set ylabel "||U' - U|| / sqrt(N), root mean square of 40 targets"
set grid ytics lt 1 lw 0.8 lc rgb "#dddddd"
set key outside right top
set samples 200
plot for [i = 1:words(sizes)] data index i - 1 skip 1 using 1:3 with points pt mark_of(i - 1) - 1 ps 0.9 \
       lc rgb colour_of(i - 1) notitle, \
     for [i = 1:words(sizes)] uncorrected(word(sizes, i), x) lw 1.5 lc rgb colour_of(i - 1) notitle, \
     for [i = 1:words(sizes)] data index i - 1 skip 1 using 1:(seen($6)) with points pt mark_of(i - 1) ps 0.9 \
       lc rgb colour_of(i - 1) title "N = ".word(sizes, i), \
     for [i = 1:words(sizes)] corrected(word(sizes, i), x) lw 1.5 dt 2 lc rgb colour_of(i - 1) notitle, \
     NaN with points pt 6 ps 0.9 lc rgb "#555555" title "uncorrected", \
     NaN with lines lw 1.5 lc rgb "#555555" title "(43)", \
     NaN with points pt 7 ps 0.9 lc rgb "#555555" title "local", \
     NaN with lines lw 1.5 dt 2 lc rgb "#555555" title "E0² / sqrt 6"
