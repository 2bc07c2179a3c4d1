# What all figures share: terminal, font, colours. A script sets `format`, `width` and `height`, then loads this file.
#   format  svg, png or pdf; the figure goes to standard output
#   width   pixels on a page; a figure of 900 fills one
set encoding utf8
# Letters of ticks and notes.
small = format eq "svg" ? "sans-serif,12" : "sans-serif,9.5"
# For `with image @crisp`: browsers smooth the few pixels of a small image within an SVG.
crisp = format eq "svg" ? "pixels" : ""
if (format eq "svg") { set terminal svg size width,height noenhanced font "sans-serif,14" background rgb "white" }
if (format eq "png") {
  set terminal pngcairo size 1.6*width,1.6*height noenhanced font "sans-serif,11" fontscale 1.6 linewidth 1.6 pointscale 1.6 background rgb "white"
}
if (format eq "pdf") {
  set terminal pdfcairo size width/100.0,height/100.0 noenhanced font "sans-serif,11" linewidth 1 background rgb "white"
}

# Okabe and Ito's colours, told apart by the colour-blind, too; the yellow is left out, because it is lost on white.
# https://jfly.uni-koeln.de/color/
array colour[7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555"]
colour_of(i) = colour[int(i) % 7 + 1]
faint = "#b0b0b0"

# viridis, by S. van der Walt and N. Smith: rises evenly in lightness.
viridis = "0 '#440154', 1 '#472d7b', 2 '#3b528b', 3 '#2c728e', 4 '#21918c', 5 '#28ae80', 6 '#5ec962', 7 '#addc30', 8 '#fde725'"

set border 3 lw 1 lc rgb "#555555"
set tics nomirror out scale 0.6
# Marks that tell more curves apart than there are colours. Dashes do not: they have a meaning of their own.
array shape[6] = [7, 5, 9, 11, 13, 15]
mark_of(i) = shape[int(i) % 6 + 1]
# A line of a legend is 18 pixels high.
set key Left reverse samplen 2 spacing (format eq "svg" ? 0.857 : 1.05)
set format xy "%g"
