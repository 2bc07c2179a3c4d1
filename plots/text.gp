# What figures share before their size is known: how much room a text takes, shortened texts, texts in lines.
set encoding utf8
# Characters that fit some pixels of a page, in letters of some pixels: as wide as those of DejaVu Sans, which are wide.
fitting(pixels, letters) = int(pixels/(0.62*letters))
# At most n characters: what stands in the middle is left out.
shortened(s, n) = strlen(s) <= n ? s : s[1:n - 1 - (n - 1)/2]."…".s[strlen(s) - (n - 1)/2 + 1:strlen(s)]
# Lines of at most n characters, broken at spaces as far as there are any, but not between "/" and a unit.
space_before(s, k) = k < 2 ? 0 : s[k:k] eq " " && s[k - 1:k - 1] ne "/" ? k : space_before(s, k - 1)
broken(s, n) = strlen(s) <= n ? s : (space_before(s, n + 1) > 0 ? \
  s[1:space_before(s, n + 1) - 1]."\n".broken(s[space_before(s, n + 1) + 1:strlen(s)], n) : \
  s[1:n]."\n".broken(s[n + 1:strlen(s)], n))
# A further line of small letters is 18 pixels high.
line = 18.0
lines_of(s) = strstrt(s, "\n") == 0 ? 1 : 1 + lines_of(s[strstrt(s, "\n") + 1:strlen(s)])
runs_of(n) = n == 1 ? "1 run" : sprintf("%d runs", n)
not_done(n) = runs_of(n).(n == 1 ? " is" : " are")." not done."
# A step of ticks not less than x: 1, 2 or 5 times a power of ten.
mantissa(x) = x/10.0**floor(log10(x))
even_step(x) = 10.0**floor(log10(x))*(mantissa(x) > 5 ? 10 : mantissa(x) > 2 ? 5 : mantissa(x) > 1 ? 2 : 1)
