#!/usr/bin/env bash
# Tests and measures cuONN on this machine's GPU within ten minutes: golden values and parity, the study's 50 epochs on
# Fashion-MNIST, compute-sanitizer, benchmarks, the other tests, a sweep of 144 noisy chips, the same step in JAX and
# PyTorch, a profile by ncu. README.md says what comes out.
#   cuonn-gpu-check [--only PART[,PART]...] OUTPUT [DATA]
# OUTPUT: a folder for the results, made if it is not there. DATA: a folder with the four files of Fashion-MNIST, where
# they are neither in the bundle nor where Debian's package puts them. --only: these parts and no others.
# Ends with status 0 if nothing failed, 1 if something did, 4 if there is nothing to compute on, 2 for a wrong call.
set -uo pipefail
export LC_ALL=C
here=$(dirname "$(dirname "$(realpath "$0")")")
limit=520 # seconds for everything
# In the order in which they run: what is most worth knowing comes first.
parts=(golden parity study memcheck bench tests sweep peers bench-modes bench-batch profile profile-in-situ racecheck
  initcheck synccheck)

give_up() {
  echo "cuonn-gpu-check: $2" >&2
  exit "$1"
}

# ------------------------------------------------------------------------------------------------------------ arguments

usage="cuonn-gpu-check [--only PART[,PART]...] OUTPUT [DATA]"
wanted=("${parts[@]}")
while [[ ${1-} == -* ]]; do
  case "$1" in
    --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0" && echo "Parts, in their order: ${parts[*]}" && exit ;;
    --only=*) IFS=, read -ra wanted <<<"${1#--only=}" ;;
    --only) IFS=, read -ra wanted <<<"${2-}" && shift ;;
    *) give_up 2 "$1 is unknown; usage: $usage" ;;
  esac
  shift
done
[ ${#wanted[@]} -gt 0 ] || give_up 2 "--only: the list is empty; the parts are ${parts[*]}"
for part in "${wanted[@]}"; do
  [[ " ${parts[*]} " == *" $part "* ]] || give_up 2 "--only: '$part' is no part; the parts are ${parts[*]}"
done
if [ $# -lt 1 ] || [ $# -gt 2 ]; then give_up 2 "usage: $usage"; fi
output=$1
data=${2-$here/data}
[ -n "${2-}" ] || [ -d "$data" ] || data=/usr/share/datasets/fashion-mnist

# ------------------------------------------------------------------------------------- cuFFT and cuBLAS of this machine

# Folders that may hold them: of a toolkit, of the loader, of Python's packages.
library_folders() {
  local nvcc root
  nvcc=$(command -v nvcc) && echo "$(dirname "$(realpath "$nvcc")")/../lib64"
  for root in "${CUDA_HOME:-}" /usr/local/cuda /usr/local/cuda-*; do
    [ -z "$root" ] || printf '%s\n' "$root/lib64" "$root/lib" "$root/targets/x86_64-linux/lib"
  done
  { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | sed -n 's|.*libcu\(fft\|blas\)\.so.* => \(.*\)/[^/]*$|\2|p'
  python3 - 2>/dev/null <<'PYTHON'
import importlib.util
spec = importlib.util.find_spec("nvidia")
for place in spec.submodule_search_locations if spec else ():
    for part in ("cu13", "cufft", "cublas"):
        print(f"{place}/{part}/lib")
PYTHON
}

# Links to just those libraries, so that nothing else of these folders comes before what the bundle carries.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cuonn-gpu-check.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/lib"
mapfile -t folders < <(library_folders)
for library in libcufft.so.12 libcublas.so.13 libcublasLt.so.13; do
  for folder in "${folders[@]}"; do
    [ -e "$folder/$library" ] || continue
    ln -s "$(realpath "$folder/$library")" "$scratch/lib/$library"
    break
  done
  [ -e "$scratch/lib/$library" ] ||
    give_up 4 "$library is not on this machine: install a CUDA 13 toolkit and set CUDA_HOME to it, \
or pip install nvidia-cufft nvidia-cublas"
done
# Python's packages bring libraries of their own, which these must not come before: JAX would find an older cuBLAS than
# its own and compute on the processor.
as_called=(env -u LD_LIBRARY_PATH)
[ -z "${LD_LIBRARY_PATH+set}" ] || as_called=(env "LD_LIBRARY_PATH=$LD_LIBRARY_PATH")
export LD_LIBRARY_PATH=$scratch/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

reason=$("$here/libexec/exercise" 2>&1) || give_up 4 "${reason:-the GPU cannot be used}"

# ---------------------------------------------------------------------------------------------------------- bookkeeping

mkdir -p "$output" || give_up 2 "$output cannot be made"
output=$(realpath "$output")
log=$output/check.log
: >"$log" || give_up 2 "$output cannot be written to"
names=() results=() seconds=() notes=()
: >"$scratch/tables"
gpu=$(nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,memory.total --format=csv,noheader \
  2>/dev/null | head -n 1)
gpu=$(tr -d '"\\\000-\037|' <<<"${gpu:-not named by nvidia-smi}")
built=$(cat "$here/share/built")

count() {
  local result n=0
  for result in "${results[@]}"; do [ "$result" != "$1" ] || n=$((n + 1)); done
  echo "$n"
}
summary() { echo "$(count passed) passed, $(count failed) failed, $(count 'not run') not run"; }

# What there is so far, rewritten after every check: a check that is killed loses nothing.
study="not measured"
write_results() {
  local i
  {
    TZ=UTC printf '{"built": "%s", "gpu": "%s", "date": "%(%FT%TZ)T", "seconds": %s,\n "checks": [' "$built" "$gpu" \
      -1 "$SECONDS"
    for i in "${!names[@]}"; do
      [ "$i" = 0 ] || printf ','
      printf '\n  {"name": "%s", "result": "%s", "seconds": %s, "note": "%s"}' "${names[i]}" "${results[i]}" \
        "${seconds[i]}" "${notes[i]}"
    done
    printf '\n ]}\n'
  } >"$output/results.json.new"
  {
    printf '# cuONN on %s\n\n%s; %s; %s s.\n\nStudy: %s.\n\n' "$gpu" "$built" "$(summary)" "$SECONDS" "$study"
    printf '| Check | Result | Seconds | |\n| --- | --- | --- | --- |\n'
    for i in "${!names[@]}"; do
      printf '| %s | %s | %s | %s |\n' "${names[i]}" "${results[i]}" "${seconds[i]}" "${notes[i]}"
    done
    cat "$scratch/tables"
  } >"$output/results.md.new"
  mv "$output/results.json.new" "$output/results.json" && mv "$output/results.md.new" "$output/results.md"
}

# record NAME RESULT SECONDS NOTE; results: passed, failed, not run.
record() {
  names+=("$1") results+=("$2") seconds+=("$3") notes+=("$(tr -d '"\\\000-\037|' <<<"$4")")
  printf '%-24s %-8s %5s s  %s\n' "$1" "$2" "$3" "$4"
  write_results
}

# attempt NAME SECONDS COMMAND...: runs it with its output in $scratch/said and the log; $status, $took say how it
# ended, $cut whether it had less than its seconds. Fails if it was not run, because no time is left.
attempt() {
  local name=$1 begin=$SECONDS left=$((limit - SECONDS))
  most=$2 cut=0
  shift 2
  [ "$most" -le "$left" ] || most=$left cut=1
  if [ "$most" -lt 1 ]; then
    record "$name" "not run" 0 "no time was left"
    return 1
  fi
  timeout -k 5 "$most" "$@" >"$scratch/said" 2>&1 </dev/null
  status=$?
  took=$((SECONDS - begin))
  { printf '\n== %s (status %s, %s s): %s\n' "$name" "$status" "$took" "$*" && tail -c 1000000 "$scratch/said"
  } >>"$log"
  return 0
}

# fail NAME [NOTE]: has failed; or, if it was stopped because the time for everything was over, has not run.
fail() {
  local late=0
  if [ "$status" = 124 ] || [ "$status" = 137 ]; then
    if [ "$took" -ge "$most" ]; then late=1; fi
  fi
  if [ $late = 1 ] && [ "$cut" = 1 ]; then
    record "$1" "not run" "$took" "stopped: no time was left"
  elif [ $late = 1 ]; then
    record "$1" failed "$took" "not finished in its $most s"
  elif [ "$status" = 137 ]; then
    record "$1" failed "$took" "${2:-killed}"
  else
    record "$1" failed "$took" "${2:-$(tail -n 1 "$scratch/said")}"
  fi
}

# check NAME SECONDS COMMAND...: passed if it ends with status 0.
check() {
  attempt "$@" || return
  if [ "$status" = 0 ]; then record "$1" passed "$took" ""; else fail "$1"; fi
}

# tool NAME PLACE...: where a tool of the toolkit is; fails if it is not there.
tool() {
  local place
  command -v "$1" && return
  for place in "${@:2}"; do
    [ -x "$place" ] && echo "$place" && return
  done
  return 1
}

# What was said, or of it the lines that match, as a text in the page.
show() {
  { printf '\n```text\n' && grep -E "${1-}" "$scratch/said" && printf '```\n'; } >>"$scratch/tables"
}

# ----------------------------------------------------------------------------------------------------------- the checks

# A function for each part, part_NAME.
export CUONN_GOLDEN=$here/share/golden
test_gpu() { check "$1" 60 "$here/libexec/gpu_tests" "$1"; }
part_golden() { test_gpu golden; }
part_parity() { test_gpu parity; }
part_tests() {
  local name
  attempt tests 60 "$here/libexec/gpu_tests" || return # says their names
  [ "$status" = 0 ] || { fail tests && return; }
  for name in $(<"$scratch/said"); do
    [ "$name" = golden ] || [ "$name" = parity ] || test_gpu "$name"
  done
}

# The study's setting. The seeds of the cpu backend and of the study's own program end between 0.846 and 0.853.
part_study() {
  [ -d "$data" ] || { record study "not run" 0 "no data in $data" && return; }
  attempt study 60 "$here/bin/cuonn" train "$here/share/fashion-mnist.yaml" --set backend.name=cuda \
    --set data.path="$data" --output "$scratch/study" || return
  if [ -f "$scratch/study/metrics.csv" ]; then cp "$scratch/study/metrics.csv" "$output/study.csv"; fi
  [ "$status" = 0 ] || { fail study && return; }
  study=$(awk -F, 'NR > 1 { total += $5; accuracy = $4; n++ }
    END { printf "accuracy %.4f after %d epochs, %.3f s of training, %.1f us a step",
      accuracy, n, total, 1e6 * total / (117 * n) }' \
    "$output/study.csv")
  if awk -F, 'END { exit !(NR == 51 && $4 >= 0.84 && $4 <= 0.86) }' "$output/study.csv"; then
    record study passed "$took" "$study"
  else
    fail study "$study; 0.84 to 0.86 after 50 was expected"
  fi
}

# sanitize NAME SECONDS [OPTION...]: passed means that the tool itself says that it found nothing.
sanitizer=$(tool compute-sanitizer /usr/local/cuda/bin/compute-sanitizer \
  /usr/local/cuda/compute-sanitizer/compute-sanitizer) || sanitizer=
sanitize() {
  local found
  [ -n "$sanitizer" ] || { record "$1" "not run" 0 "compute-sanitizer is not on this machine" && return; }
  attempt "$1" "$2" "$sanitizer" --tool "$1" --error-exitcode 9 "${@:3}" "$here/libexec/exercise" small || return
  found=$(grep -E '(ERROR|RACECHECK) SUMMARY' "$scratch/said" | tail -n 1)
  if [ "$status" = 0 ] && grep -qE 'SUMMARY: 0 (errors|hazards)' <<<"$found"; then
    record "$1" passed "$took" "${found##*= }"
  else
    fail "$1" "$found"
  fi
}
part_memcheck() { sanitize memcheck 60; }

# The slower tools watch cuONN's own kernels alone, not those of cuBLAS and cuFFT; older ones call the option otherwise.
# Each of the LEFT that are still to come has its share of what time is left.
own_kernels=--kernel-regex
if [ -n "$sanitizer" ] && grep -q -e --kernel-name < <("$sanitizer" --help 2>&1); then own_kernels=--kernel-name; fi
slow_sanitize() { sanitize "$1" $(((limit - SECONDS) / $2)) "$own_kernels" kns=k_; }
part_racecheck() { slow_sanitize racecheck 3; }
part_initcheck() { slow_sanitize initcheck 2; }
part_synccheck() { slow_sanitize synccheck 1; }

# The study's sizes in all backends; over N; and over the batch. The program leaves out a backend that cannot compute,
# which cuda may not be here.
bench() {
  rm -f "$output/$1.json"
  attempt "$1" 90 "$here/bin/cuonn" bench --json "$output/$1.json" --commit "$built" --seconds 0.5 "${@:2}" || return
  show
  if [ "$status" = 0 ] && ! grep -qs '"backend": "cuda"' "$output/$1.json"; then
    fail "$1" "$(grep 'backend cuda is left out' "$scratch/said" || echo "no row of cuda")"
  elif [ "$status" = 0 ]; then
    record "$1" passed "$took" ""
  else
    fail "$1"
  fi
}
part_bench() { bench bench; }
part_bench_modes() { bench bench-modes --case train_step,forward --modes 8,16,32,64,128,256,512,1024; }
part_bench_batch() { bench bench-batch --case train_step,forward --modes 64 --batch 1,16,128,512,2048,8192,65536; }

# The study's sweep: 144 noisy chips, 100 epochs of 100 in situ training steps each. Without noise .13 of the test
# images are taken for another class; NaN, or a chip that does not learn, would be far from that.
part_sweep() {
  local speed best
  [ -d "$data" ] || { record sweep "not run" 0 "no data in $data" && return; }
  attempt sweep 150 "$here/bin/cuonn" sweep "$here/share/noise-sweep.yaml" --set backend.name=cuda \
    --set data.path="$data" --output "$scratch/sweep" || return
  [ ! -f "$scratch/sweep/sweep.nc" ] || cp "$scratch/sweep/sweep.nc" "$output/sweep.nc"
  speed=$(awk '/^best/ { best = $3 }
    /^done: 144 of 144 runs finished, 0 failed, in / { sub(/.* failed, in /, ""); s = $1 }
    END { if (s > 0) printf "144 runs in %s s, %.0f in situ training steps a second, least test error %s",
      s, 1440000 / s, best }' \
    "$scratch/said")
  best=${speed##* }
  if [ "$status" = 0 ] && [ -n "$speed" ] && awk -v best="$best" 'BEGIN { exit !(best > 0.1 && best < 0.16) }'; then
    record sweep passed "$took" "$speed"
  else
    fail sweep "$speed"
  fi
}

# The same step in JAX and PyTorch, on the same device; their rows join those of the study's sizes.
part_peers() {
  local skipped
  "${as_called[@]}" python3 -c 'import importlib.util as u; exit(not (u.find_spec("jax") or u.find_spec("torch")))' \
    2>/dev/null || { record peers "not run" 0 "Python here has neither JAX nor PyTorch" && return; }
  [ -f "$output/bench.json" ] || echo '{"results": []}' >"$output/bench.json"
  attempt peers 150 "${as_called[@]}" XLA_PYTHON_CLIENT_PREALLOCATE=false python3 "$here/share/peers/run.py" --gpu \
    --python python3 --longest 60 --within 140 --problem "$here/share/problem.npz" --bench "$output/bench.json" \
    --json "$output/bench.json" || return
  show '^(train_step|cuONN|jax|torch|skipped)'
  skipped=$(grep -c '^skipped' "$scratch/said") || true
  if [ "$status" = 0 ]; then
    record peers passed "$took" "$([ "$skipped" = 0 ] || echo "$skipped skipped, see the table")"
  else
    fail peers
  fi
}

# profile NAME SECONDS LAUNCHES CONFIGURATION: ncu sees kernels, if this user may read the GPU's counters.
profile() {
  local ncu page=$output/$1.txt
  ncu=$(tool ncu /usr/local/cuda/bin/ncu /opt/nvidia/nsight-compute/*/ncu) ||
    { record "$1" "not run" 0 "ncu is not on this machine" && return; }
  [ -d "$data" ] || { record "$1" "not run" 0 "no data in $data" && return; }
  rm -f "$page"
  attempt "$1" "$2" "$ncu" --set full --kernel-name regex:^k_ --launch-count "$3" --clock-control none \
    --log-file "$page" "$here/bin/cuonn" train "$here/share/$4" --set backend.name=cuda --set training.epochs=1 \
    --set data.path="$data" --output "$scratch/$1" || return
  if grep -qs ERR_NVGPUCTRPERM "$page" "$scratch/said"; then
    record "$1" "not run" "$took" "this user may not read the GPU's counters (ERR_NVGPUCTRPERM)"
  elif [ "$status" = 0 ] && grep -qs Duration "$page"; then
    record "$1" passed "$took" ""
  else
    fail "$1" "$([ "$status" != 0 ] || echo "ncu saw no kernel")"
  fi
}
part_profile() { profile profile 90 24 fashion-mnist.yaml; }
part_profile_in_situ() { profile profile-in-situ 60 40 in-situ-fashion-mnist.yaml; }

echo "cuONN $built on $gpu"
for part in "${parts[@]}"; do
  [[ " ${wanted[*]} " != *" $part "* ]] || "part_${part//-/_}"
done

# -------------------------------------------------------------------------------------------------------------- results

write_results
printf '\n%s\n' "$gpu"
for i in "${!names[@]}"; do printf '%-24s %-8s %s\n' "${names[i]}" "${results[i]}" "${notes[i]}"; done
echo "$(summary) in $SECONDS s; all of it is in $output"
[ "$(count failed)" = 0 ]
