# Every command of README.md and docs/, as it stands there, page by page and in order, in a folder like a fresh clone.
# What it would need hours or another machine for stands below with the reason, and is counted. Small from outside: the
# configurations of the same names have few epochs and values, the images are the first of the data set, and benchmarks
# take a moment.
source "$(dirname "$0")/harness.sh"
root=$(realpath "$(dirname "$0")/../..")

# --------------------------------------------------------------------------------------------- what is not run, and why
# PAGE|COMMAND, in which * stands for anything|REASON
excepted=(
  'README.md|scripts/quickstart.sh|installs packages, builds, and trains seven networks'
  'README.md|cmake --preset cuda && cmake --build --preset cuda*|needs nvcc'
  'README.md|mpirun -n 8 cuonn sweep *|needs a build with MPI; cli.sweep_mpi does the same'
  'docs/commands.md|cuonn train --set training.opt<TAB>|is a key that is pressed'
  'docs/python.md|pip install build/wheel/cuonn-*|needs the wheel, with which python.wheel does the same'
  'docs/python.md|cp -r "$(python -c *|needs the installed wheel'
  'docs/python.md|cuonn train configs/fashion-mnist.yaml --data FOLDER*|takes what that copied'
  'docs/python.md|python -m cuonn.track * --mlflow *|needs the Python package and a tracker; python.track tests it'
  'docs/python.md|python -m cuonn.track * --tensorboard *|needs the Python package and a tracker; python.track tests it'
  'docs/python.md|python -m cuonn.track * --wandb *|needs the Python package and a tracker; python.track tests it'
  'docs/python.md|cmake --preset release -DCUONN_PYTHON=*|gets an environment of 6 GB; scripts/test.sh has it'
  'docs/python.md|cmake --build --preset release|builds with that'
  'docs/reliability.md|ctest --test-dir build/release -R faults*|is part of the test suite itself'
  'docs/reliability.md|cmake --preset fuzz && *|builds with clang, and fuzzes'
  'docs/reliability.md|scripts/campaign.sh *|runs for hours'
  'docs/reliability.md|python3 tests/faults/campaign.py *|runs for minutes, with a library that the test suite builds'
  'docs/gallery.md|scripts/figures.sh*|trains the networks of all figures for an hour'
  'docs/in-situ.md|for seed in 0 1 2 3 4 5 6 7 8 9; do*|trains 320 networks'
  'docs/scale.md|cmake --preset release -DCUONN_MPI=ON *|builds'
  'docs/scale.md|mpirun -n 2 cuonn sweep configs*|needs a build with MPI; cli.sweep_mpi does the same'
  'docs/scale.md|srun -n 64 *|needs Slurm'
  'docs/scale.md|mpirun -n 2 cuonn sweep --resume*|needs a build with MPI; cli.sweep_mpi does the same'
  'docs/scale.md|sbatch *|needs Slurm'
  'docs/scale.md|srun -n 8 *|needs Slurm'
  'docs/scale.md|cuonn sweep *--devices all*|needs several GPUs; cli.devices does the same with emulated ones'
  'docs/scale.md|mpirun -n 4 cuonn sweep *|needs a build with MPI, and GPUs; cli.devices does the same'
  'docs/scale.md|mpirun -n 2 cuonn train *|needs a build with MPI; cli.train_mpi does the same'
  'docs/scale.md|mpirun -n 3 cuonn train *|needs a build with MPI; cli.train_mpi does the same'
  'docs/profiling.md|cmake --preset cuda && cmake --build --preset cuda|needs nvcc'
  'docs/profiling.md|cuonn=build/cuda/*|names what nvcc builds'
  'docs/profiling.md|train="$cuonn train *|uses that'
  'docs/profiling.md|nsys profile *|needs a GPU'
  'docs/profiling.md|nsys stats *|needs what a GPU measured'
  'docs/profiling.md|ncu --set full *|needs a GPU'
  'docs/profiling.md|ncu --import *|needs what a GPU measured'
  'docs/profiling.md|for tool in memcheck *|needs a GPU'
  'docs/profiling.md|kernels=build/cuda/*|names what nvcc builds'
  'docs/profiling.md|cuobjdump --dump-resource-usage *|needs what nvcc builds'
  'docs/profiling.md|cuobjdump --dump-sass *|needs what nvcc builds'
)

# ----------------------------------------------------------------------------------------------------------- extraction
# commands PAGE: "LINE<tab>COMMAND" of each, with line ends in it as \1, and "<tab>OUTPUT" of each line that is shown
# behind it. In a block of bash every line is a command, in one of text those behind "$ ".
commands() {
  awk '
    /^ *```/ { on = !on; kind = on ? substr($0, index($0, "```") + 3) : ""; more = ""; next }
    !on { next }
    kind == "bash" {
      if (more == "" && $0 ~ /^ *(#|$)/) next
      if (more == "") { more = $0; at = NR } else more = more "\1" $0
      if (more ~ /^for / && $0 != "done") next
      if ($0 ~ /\\$/) next
      print at "\t" more
      more = ""
    }
    kind == "text" && /^\$ / { print NR "\t" substr($0, 3); shown = 1; next }
    kind == "text" { print "\t" $0 }' "$1"
}

# -------------------------------------------------------------------------------------------------------- a small clone
mkdir "$work/bin"
cat > "$work/bin/cuonn" << END
#!/usr/bin/env bash
if [[ \${1-} == bench ]]; then exec "$cuonn" "\$@" --modes 16 --batch 8 --samples 1 --seconds 0.5; fi
exec "$cuonn" "\$@"
END
chmod +x "$work/bin/cuonn"
export PATH=$work/bin:$PATH
slice "$work/data" 600 64
mkdir "$work/configs"
for config in "$root"/configs/*.yaml; do
  sed -E -e "s|^( +path:) .*|\1 $work/data|" -e 's/^( +epochs:) .*/\1 1/' -e 's/^( +batch_size:) [0-9]{3}.*/\1 600/' \
    -e 's/^( +modes:) .*/\1 16/' -e 's/^( +radius:) .*/\1 2/' -e 's/^( +frequencies:) .*/\1 16/' \
    -e 's/\[([^],]*),([^],]*)(,[^]]*)?\]/[\1,\2]/' \
    "$config" > "$work/configs/${config##*/}"
done
sed -i -E '/tap_shot|io_phase|name|rate/!s/\[([^],]*),.*\]/[\1]/' "$work/configs/noise-sweep.yaml"
numbers 28 1 3 > "$work/phases"
numbers 120 2 3 > "$work/more-phases"
numbers 16 3 1 > "$work/values"
numbers 1600 4 1 > "$work/more-values"
seq 0 99 | awk '{ print $1 % 10 }' > "$work/labels"

# What a page takes for given.
given() {
  netcdf mesh.nc classic 'node=28' '' theta:node:"$work/phases" phi:node:"$work/phases"
  netcdf fields.nc classic 'example=1 waveguide=8 complex=2' '' input:example,waveguide,complex:"$work/values" \
    cotangent:example,waveguide,complex:"$work/values"
  netcdf batch.nc classic 'example=20 waveguide=16 complex=2' '' \
    input:example,waveguide,complex:<(head -640 "$work/more-values") label:example:<(head -20 "$work/labels"):int
  cuonn matrix mesh.nc --output unitary.nc
  netcdf chip.nc classic 'node=28 side=2' '' theta:node:"$work/phases" phi:node:"$work/phases" \
    coupler_error:node,side:<(numbers 56 5 0.1)
  netcdf tree.nc classic 'node=7 waveguide=8' 'architecture=tree' theta:node:<(head -7 "$work/phases") \
    phi:node:<(head -7 "$work/phases") gamma:waveguide:<(head -8 "$work/phases")
  rm mesh.nc
  case $1 in
    README.md) cuonn sweep configs/noise-sweep.yaml ;;
    docs/commands.md)
      mv unitary.nc dft.nc
      netcdf weights.nc classic 'row=3 column=5 complex=2' '' matrix:row,column,complex:<(printf '%s\n0\n' \
        0.34558419 0.82161814 0.33043708 -1.30315723 0.90535587 0.44637457 -0.53695324 0.5811181 0.3645724 0.2941325 \
        0.02842224 0.54671299 -0.73645409 -0.16290995 -0.48211931)
      netcdf rounded.nc classic 'row=8 column=8 complex=2' '' \
        unitary:row,column,complex:<(values dft.nc unitary | awk '{ printf "%.6f\n", $1 }')
      netcdf phases.nc classic 'node=120' '' theta:node:"$work/more-phases" phi:node:"$work/more-phases"
      ln -s "$work/data" images
      { yes 1000 | head -720; } > loud
      netcdf loud.nc classic 'layer=3 node=120 side=2' '' theta:layer,node:<(numbers 360 1 3) \
        phi:layer,node:<(numbers 360 1 3) \
        loss_db:layer,node,side:<(awk '{ print -$1 }' loud)
      cp configs/fashion-mnist.yaml config.yaml
      netcdf beam.nc classic 'example=1 waveguide=8 complex=2' '' input:example,waveguide,complex:"$work/values"
      ;;
    docs/gallery.md)
      cuonn train configs/fashion-mnist.yaml --output runs/one
      cp runs/one/best.nc .
      ;;
    docs/own-data.md) netcdf digits.nc classic 'example=100 waveguide=16' '' \
      input:example,waveguide:"$work/more-values" label:example:"$work/labels":int ;;
  esac
}

# -------------------------------------------------------------------------------------------------------------- running
# judge_command PAGE COMMAND: it succeeds, or fails with the very line that is shown. A line that is shown begins with
# the word with which one of its output does, and JSON has the same names in the same order.
shown=()
judge_command() {
  local code=0 line
  checks=$((checks + 1))
  ran=$((ran + 1))
  bash -c "set -o pipefail; $2" > "$work/out" 2> "$work/err" < /dev/null || code=$?
  if [[ ${shown[0]-} == cuonn:* || ${shown[0]-} =~ ^cuonn\ [a-z]+:\  ]]; then
    [[ $code != 0 && $(cat "$work/err") == "${shown[0]}" ]] || failed "$1: $2: exit code $code, $(cat "$work/err")"
    return
  fi
  [[ $code == 0 ]] || failed "$1: $2: exit code $code: $(tail -3 "$work/err")"
  cat "$work/err" >> "$work/out"
  for line in "${shown[@]}"; do
    [[ $line == ... || $line == ^C* || -z ${line// /} ]] && continue
    if [[ $line == '{'* ]]; then
      check test "$(grep -o '"[a-z_]*":' <<< "$line")" = "$(grep -o '"[a-z_]*":' "$work/out")"
      continue
    fi
    read -r line _ <<< "$line"
    awk -v word="$line" '$1 == word { found = 1 } END { exit !found }' "$work/out" ||
      failed "$1: $2: no line begins with '$line'"
  done
}

is_excepted() {
  local entry pattern
  for entry in "${excepted[@]}"; do
    [[ ${entry%%|*} == "$1" ]] || continue
    pattern=${entry#*|}
    # shellcheck disable=SC2053 # a pattern
    [[ $2 == ${pattern%|*} ]] && return 0
  done
  return 1
}

found=0 ran=0 left=0
# judge_page PAGE
judge_page() {
  local page=$1 clone line command='' number
  clone=$work/clone-${page//\//-}
  mkdir -p "$clone/build/release/src/cli" "$clone/docs"
  cp -r "$work/configs" "$clone"
  ln -s "$root/scripts" "$root/plots" "$root/bench" "$clone"
  ln -s "$work/bin/cuonn" "$clone/build/release/src/cli/cuonn"
  cd "$clone" || exit 1
  given "$page" > "$work/given" 2>&1 || failed "$page: what it takes for given: $(tail -3 "$work/given")"
  finish_command() {
    [[ $command ]] || return
    found=$((found + 1))
    if is_excepted "$page" "$command"; then
      left=$((left + 1))
    else
      judge_command "$page:$number" "$command"
    fi
  }
  while IFS= read -r line; do
    if [[ $line == $'\t'* ]]; then
      shown+=("${line#?}")
      continue
    fi
    finish_command
    number=${line%%$'\t'*} command=${line#*$'\t'} shown=()
    command=${command//$'\1'/$'\n'}
  done < <(commands "$root/$page")
  finish_command
}

pages=(README.md)
for page in "$root"/docs/*.md; do
  [[ $(commands "$page") ]] && pages+=("docs/${page##*/}")
done
for page in "${pages[@]}"; do judge_page "$page"; done

# Nothing vanishes: what is left out is what is listed, and the blocks hold as many commands of cuonn as were found.
check test "$left" = "${#excepted[@]}"
check test $((ran + left)) = "$found"
plain=$(cd "$root" && awk '/^ *```/ { on = !on; bash = /bash/; next } on && (bash ? /^ *cuonn / : /^\$ .*cuonn /)' \
  README.md docs/*.md | wc -l)
heard=$(cd "$root" && for page in README.md docs/*.md; do commands "$page"; done | tr "\1" "\n" |
  grep -cE $'^([0-9]+\t)?([^ ]* <\\()? *cuonn ')
check test "$plain" = "$heard"
check test "$ran" -gt 60
echo "$ran commands ran, $left are left out for a reason"
finish
