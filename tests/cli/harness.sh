# Harness of the command-line tests; bash scripts source it with their arguments: PROGRAM GOLDEN_FOLDER.
# A check that fails is printed and counted; the script then fails at its end (finish).
set -u
umask 022
export LC_ALL=C TERM=xterm
unset CUONN_PLOTS OMP_NUM_THREADS OMP_THREAD_LIMIT OMP_DYNAMIC OPENBLAS_NUM_THREADS POSIXLY_CORRECT ARGP_HELP_FMT CDPATH
export GCOV_ERROR_FILE=/dev/null # coverage counters that cannot be written are no error of the program
cuonn=$(realpath "$1")
golden=$(realpath "$2")/golden.nc
work=$(mktemp -d "${TMPDIR:-/tmp}/cuonn-cli.XXXXXX")
chmod 755 "$work" # an unprivileged user looks into it, too
clean_up() { [[ $BASHPID == "$$" ]] && rm -rf "$work"; } # not in a background job that is stopped before it begins
trap clean_up EXIT
checks=0
failures=0

failed() {
  local frame=1
  while [[ ${BASH_SOURCE[frame]} == */harness.sh ]]; do frame=$((frame + 1)); done
  failures=$((failures + 1))
  echo "FAILED ${BASH_SOURCE[frame]##*/}:${BASH_LINENO[frame - 1]}: $*"
}

# check COMMAND...: the command succeeds.
check() {
  checks=$((checks + 1))
  "$@" || failed "$*"
}

# check_not COMMAND...: it does not.
check_not() {
  checks=$((checks + 1))
  if "$@"; then failed "not: $*"; fi
}

# flip FILE OFFSET: turns the lowest bit of a byte, so that it is another one whatever it was.
flip() {
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# wait_for COMMAND...: waits until the command succeeds; fails if job $! ends before.
wait_for() {
  until "$@" 2> /dev/null; do
    kill -0 $! 2> /dev/null || { "$@"; return; }
    sleep 0.02
  done
}

# Names and contents of all files below a folder.
fingerprint() { (cd "$1" && find . -type f -exec sha256sum {} + | sort -k2 && find . | sort); }

# expect CODE REGEX COMMAND...: exit code; one line on stderr that the regex matches, none if the code is 0 and the
# regex empty. A command that fails must leave everything below $kept as it was. Output is in $work/out, $work/err.
kept=
expect() {
  local code=$1 regex=$2 got before=
  shift 2
  [[ $kept ]] && before=$(fingerprint "$kept")
  "$@" > "$work/out" 2> "$work/err"
  got=$?
  judge "$code" "$regex" "$got" "$*"
  if [[ $kept && $code != 0 && $before != "$(fingerprint "$kept")" ]]; then failed "files changed: $*"; fi
}

# judge CODE REGEX GOT WHAT: the same for a command whose exit code is known and whose stderr is in $work/err.
judge() {
  local lines
  checks=$((checks + 1))
  lines=$(wc -l < "$work/err")
  if [[ $3 != "$1" ]]; then failed "exit code $3 instead of $1: $4: $(head -c 1000 "$work/err")"; fi
  if grep -q 'Sanitizer\|runtime error' "$work/err"; then
    failed "sanitizer: $4"
    cat "$work/err"
  elif [[ $1 == 0 && -z $2 ]]; then
    if [[ $lines != 0 ]]; then failed "stderr is not empty: $4: $(cat "$work/err")"; fi
  elif [[ $lines != 1 ]]; then
    failed "$lines lines on stderr: $4: $(head -c 1000 "$work/err")"
  elif ! grep -qE -- "$2" "$work/err"; then
    failed "stderr does not match '$2': $4: $(cat "$work/err")"
  fi
}

# Standard output of the last command matches.
output() { check grep -qE -- "$(printf %s "$@")" "$work/out"; }

finish() {
  echo "${0##*/}: $checks checks, $failures failed"
  [[ $failures == 0 && $checks -gt 0 ]]
  exit
}

# ------------------------------------------------------------------------------------------------------ numbers, netCDF

# Text of a sweep's sweep.nc but times and where it lies; of a run's last.nc but the same, and of its metrics.csv.
sweep_results() { ncdump -p 9,17 "$1/sweep.nc" | sed '/^ seconds =/,/;$/d; /:config = /,/;$/d; /^netcdf/d'; }
train_results() {
  ncdump -p 9,17 "$1/last.nc" | sed '/:config = /,/;$/d; /^netcdf/d; /seconds/d'
  cut -d, -f1-4 "$1/metrics.csv"
}

# golden_group GROUP VARIABLE...: some golden values as text for `values`; opening the golden file takes its time.
golden_group() {
  local group=$1
  shift
  ncdump -p 9,17 -v "$(printf "$group/%s\n" "$@" | paste -sd,)" "$golden"
}

# values FILE VARIABLE: the numbers of a variable, one a line; of a netCDF file, or of a golden_group's text.
values() {
  case $1 in
    *.cdl) cat "$1" ;;
    *) ncdump -p 9,17 -v "$2" "$1" ;;
  esac | awk -v name="$2" '
    /^ *data:/ { data = 1 } # a dimension may have the same name
    data && $1 == name && $2 == "=" { on = 1; sub(/^[^=]*=/, "") }
    on { last = /;/; gsub(/[;,]/, " "); for (i = 1; i <= NF; i++) print $i; if (last) exit }'
}

# close_to TOLERANCE GOT WANT: two files of numbers, as many in both, all finite; relative to the largest wanted
# modulus.
close_to() {
  paste "$2" "$3" | awk -v tolerance="$1" '
    NF != 2 || $0 ~ /[nN]a[nN]|[iI]nf|_/ { bad = 1 }
    { d = $1 - $2; if (d < 0) d = -d; if (d > worst) worst = d; w = $2 < 0 ? -$2 : $2; if (w > scale) scale = w }
    END { if (bad || NR == 0 || worst > tolerance * scale) { print "worst", worst, "scale", scale, "lines", NR;
      exit 1 } }'
}

# same_values TOLERANCE FILE VARIABLE FILE VARIABLE
same_values() {
  values "$2" "$3" > "$work/got"
  values "$4" "$5" > "$work/want"
  close_to "$1" "$work/got" "$work/want"
}

# netcdf FILE KIND DIMENSIONS ATTRIBUTES VARIABLE...: makes a file as another program would. KIND as ncgen -k knows it;
# DIMENSIONS "a=2 b=3"; ATTRIBUTES "name=text count=2"; a VARIABLE is name:dimension,dimension:file of
# numbers[:type[:units]].
netcdf() {
  local file=$1 kind=$2 dimensions=$3 attributes=$4 item rest
  shift 4
  {
    echo 'netcdf made { dimensions:'
    for item in $dimensions; do echo "  ${item%=*} = ${item#*=} ;"; done
    echo 'variables:'
    for item in "$@"; do
      IFS=: read -r name over _ type units <<< "$item"
      echo "  ${type:-double} $name${over:+($over)} ;"
      if [[ $units ]]; then echo "  $name:units = \"$units\" ;"; fi
    done
    for item in $attributes; do
      rest=${item#*=}
      [[ $rest =~ ^[0-9]+$ ]] || rest="\"$rest\""
      echo "  :${item%%=*} = $rest ;"
    done
    echo 'data:'
    for item in "$@"; do
      IFS=: read -r name _ numbers _ <<< "$item"
      echo "  $name = $(paste -sd, "$numbers") ;"
    done
    echo '}'
  } > "$work/made.cdl"
  ncgen -k "$kind" -o "$file" "$work/made.cdl"
}

# numbers COUNT SEED SCALE: seemingly random numbers in 0..SCALE.
numbers() {
  awk -v n="$1" -v seed="$2" -v scale="$3" 'BEGIN { srand(seed);
    for (i = 0; i < n; i++) printf "%.17g\n", scale * rand() }'
}

# --------------------------------------------------------------------------------------------------------------- images

real=/usr/share/datasets/fashion-mnist

be32() {
  printf "\\x$(printf %02x $(($1 >> 24 & 255)))\\x$(printf %02x $(($1 >> 16 & 255)))\\x$(printf %02x \
    $(($1 >> 8 & 255)))\\x$(printf %02x $(($1 & 255)))"
}

# images_of COUNT GZ and labels_of COUNT GZ: the first examples of a file of Fashion-MNIST, as plain IDX.
images_of() {
  printf '\0\0\10\3'; be32 "$1"; be32 28; be32 28; zcat "$2" 2> /dev/null | tail -c +17 | head -c $(($1 * 784))
}
labels_of() { printf '\0\0\10\1'; be32 "$1"; zcat "$2" 2> /dev/null | tail -c +9 | head -c "$1"; }

# slice FOLDER TRAIN TEST: the first examples of Fashion-MNIST.
slice() {
  mkdir -p "$1"
  images_of "$2" $real/train-images-idx3-ubyte.gz > "$1/train-images-idx3-ubyte"
  labels_of "$2" $real/train-labels-idx1-ubyte.gz > "$1/train-labels-idx1-ubyte"
  images_of "$3" $real/t10k-images-idx3-ubyte.gz > "$1/t10k-images-idx3-ubyte"
  labels_of "$3" $real/t10k-labels-idx1-ubyte.gz > "$1/t10k-labels-idx1-ubyte"
}

# small_config DATA: N = 16, two layers, for tests that train.
small_config() {
  cat << END
data:
  path: $1
  radius: 2
network:
  modes: 16
  layers: 2
training:
  epochs: 2
  batch_size: 64
backend:
  name: reference
END
}

# A CPU count's worth of backends that this build has, one a line.
backends() { "$cuonn" info --json | grep -o '"backends":\[[^]]*\]' | grep -oE '"(reference|cpu)"' | tr -d '"'; }

# -------------------------------------------------------------------------------------------------------------- figures

texts=$(realpath "$(dirname "${BASH_SOURCE[0]}")/svg-text.awk")

# readable FIGURE.svg: well-formed; no text leaves the picture or lies over another; no mark has the size 0, which is no
# SVG.
readable() {
  check xmllint --noout --nonet "$1"
  check awk -f "$texts" "$1"
  check_not grep -q 'scale(0\.0*)' "$1"
}
# draw NAME WHAT FILE...: as SVG, which can be read.
draw() {
  local name=$1
  shift
  expect 0 '' "$cuonn" plot "$@" --output "$name.svg" --keep-data
  readable "$name.svg"
}
# has FIGURE.svg TEXT: this very text stands in it.
has() { check grep -qxF -- "$2" <(awk -v list=1 -f "$texts" "$1" | cut -d' ' -f5-); }
has_not() { check_not grep -qE -- "$2" <(awk -v list=1 -f "$texts" "$1" | cut -d' ' -f5-); }

# no_figures: for tests of reports whose figures are not what is tried: gnuplot draws an empty picture.
no_figures() {
  mkdir "$work/tools"
  printf '%s\n' '#!/bin/sh' 'echo "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"></svg>"' \
    > "$work/tools/gnuplot"
  chmod +x "$work/tools/gnuplot"
  export PATH=$work/tools:$PATH
}

# small_data FOLDER CLASSES: images of Fashion-MNIST with labels that go round.
small_data() {
  slice "$1" 64 32
  for kind in train:64 t10k:32; do
    { printf '\0\0\10\1'; be32 "${kind#*:}"
    for ((k = 0; k < ${kind#*:}; k++)); do printf "\\x$(printf %02x $((k % $2)))"; done
    } > "$1/${kind%:*}-labels-idx1-ubyte"
  done
}
# train N CLASSES LAYERS FEATURES: two epochs of a small network, into chipN.
train() {
  small_data "data$1" "$2"
  cat > "chip$1.yaml" << END
data: {path: data$1, $4}
network: {modes: $1, classes: $2, layers: $3}
training: {epochs: 2, batch_size: 32}
backend: {name: reference}
END
  expect 0 '' "$cuonn" train "chip$1.yaml" --output "chip$1"
}
