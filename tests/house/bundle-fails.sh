#!/usr/bin/env bash
# Shows that the bundle's start script (bundle/gpu-check.sh) comes to its end whatever happens, takes nothing for passed
# that has failed or was not there, and loses nothing: runs it in a bundle of stand-ins, first all good, then with one
# thing broken at a time.
#   bundle-fails.sh FOLDER    a folder for the stand-ins
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1
bundle=$folder/bundle

rm -rf "$folder"
export TMPDIR=$folder # what a script that is killed leaves there
mkdir -p "$bundle"/{bin,libexec,share,data} "$folder"/{tools,cuda/lib64}
touch "$folder"/cuda/lib64/{libcufft.so.12,libcublas.so.13,libcublasLt.so.13} "$bundle/share/fashion-mnist.yaml"
echo stand-ins >"$bundle/share/built"
cp "$root/bundle/gpu-check.sh" "$bundle/bin/cuonn-gpu-check"

# stand_in FILE: what it does comes on standard input; $BROKEN names what goes wrong.
stand_in() { { echo '#!/usr/bin/env bash' && cat; } >"$1" && chmod +x "$1"; }
stand_in "$bundle/libexec/exercise" <<'END'
[ "$BROKEN" != gpu ] || { echo 'there is no GPU' >&2 && exit 4; }
END
stand_in "$bundle/libexec/gpu_tests" <<'END'
[ "$BROKEN" != "list$*" ] || exit 1
[ $# -gt 0 ] || { printf '%s\n' golden one parity && exit; }
[ "$BROKEN" != hang ] || sleep 1000
[ "$BROKEN" != "$1" ]
END
stand_in "$bundle/bin/cuonn" <<'END'
[ "$BROKEN" != "$1" ] || exit 1
if [ "$BROKEN" = killed ] && [ "$1" = bench ]; then kill -9 "$(awk '{ print $4 }' /proc/$PPID/stat)"; fi # the script
if [ "$BROKEN" = memory ] && [ "$1" = bench ]; then kill -9 $$; fi
if [ "$1 $2" = "bench --json" ]; then
  [ "$BROKEN" = left ] && echo 'cuonn bench: backend cuda is left out: why' || echo '{"backend": "cuda"}' >"$3"
fi
if [ "$1" = sweep ]; then
  echo "best    000003      $([ "$BROKEN" = noise ] && echo 0.9 || echo 0.131)       0.1557     0"
  echo "done: $([ "$BROKEN" = runs ] && echo 143 || echo 144) of 144 runs finished, 0 failed, in 50.0 s; results in x"
fi
if [ "$1" = train ]; then
  accuracy=$([ "$BROKEN" = accuracy ] && echo 0.8 || echo 0.85)
  mkdir "${!#}" && { echo head && for i in {1..50}; do echo "$i,.1,.1,$accuracy,.01,1"; done; } >"${!#}/metrics.csv"
fi
END
stand_in "$folder/tools/python3" <<'END'
[[ ${LD_LIBRARY_PATH-} != *cuonn-gpu-check* ]] || exit 1 # the libraries of the bundle are not for Python's packages
[ "$BROKEN" != peers ] || [ "$1" = -c ]
END
stand_in "$folder/tools/ncu" <<'END'
while [ "$1" != --log-file ]; do shift; done
[ "$BROKEN" != counters ] || { echo '==ERROR== ERR_NVGPUCTRPERM - The user has no permission' >"$2" && exit 1; }
[ "$BROKEN" = ncu ] && echo nothing >"$2" || echo Duration >"$2"
END
stand_in "$folder/tools/compute-sanitizer" <<'END'
if [ "$1" = --help ]; then [ "$BROKEN" = old ] && echo --kernel-regex || echo --kernel-name; exit; fi
[ "$BROKEN" != "$2" ] || { echo '========= ERROR SUMMARY: 1 error' && exit 9; }
[ "$BROKEN" = silent ] || echo '========= ERROR SUMMARY: 0 errors'
END

# outcome BROKEN [ARGUMENT...]: the script's status.
outcome() {
  rm -rf "$folder/results"
  BROKEN=$1 CUDA_HOME=$folder/cuda PATH=$folder/tools:$PATH "$bundle/bin/cuonn-gpu-check" "${@:2}" "$folder/results" \
    >"$folder/said" 2>&1 && echo 0 || echo $?
}

# stands NAME RESULT [NOTE]: so in table and JSON.
stands() {
  if ! { grep -q "\"name\": \"$1\", \"result\": \"$2\", .*\"note\": \"${3-}" "$folder/results/results.json" &&
    grep -q "^| $1 | $2 | [0-9]* | ${3-}" "$folder/results/results.md"; }; then
    echo "$1 is not: $2 ${3-}" && cat "$folder/said" && exit 1
  fi
}
# order: the checks, as they were done.
order() { sed -n 's/.*{"name": "\([^"]*\)".*/\1/p' "$folder/results/results.json" | paste -sd' '; }

# broken WHAT NAME...: status 1, and in table and JSON these have failed and nothing else of the parts in $only.
only=$(sed -n '/^parts=(/,/)/{s/^parts=(//;s/)//;p}' "$root/bundle/gpu-check.sh" | xargs | tr ' ' ,) # all of them
broken() {
  [ "$(outcome "$1" --only "$only")" = 1 ] || { echo "$1 broken: status is not 1" && cat "$folder/said" && exit 1; }
  [ "$(grep -c '"failed"' "$folder/results/results.json")" = $(($# - 1)) ] ||
    { echo "$1 broken: another count of failures" && cat "$folder/said" && exit 1; }
  for name in "${@:2}"; do stands "$name" failed; done
}

[ "$(outcome nothing)" = 0 ] || { cat "$folder/said" && exit 1; }
tail -n 1 "$folder/said" | grep -q '^15 passed, 0 failed, 0 not run' || { cat "$folder/said" && exit 1; }
[ "$(order)" = "golden parity study memcheck bench one sweep peers bench-modes bench-batch profile profile-in-situ\
 racecheck initcheck synccheck" ]
[ "$(find "$folder/results" -type f | wc -l)" -le 9 ]
broken train study
only=golden,parity,tests
for test in golden parity one; do broken $test $test; done
broken list tests
only=golden,study,bench,sweep,peers,bench-modes,bench-batch,profile,profile-in-situ
broken accuracy study
broken bench bench bench-modes bench-batch
broken peers peers
broken ncu profile profile-in-situ
broken sweep sweep
broken noise sweep
broken runs sweep
only=memcheck,racecheck,initcheck,synccheck
for tool in memcheck racecheck initcheck synccheck; do broken $tool $tool; done
broken silent memcheck racecheck initcheck synccheck
[ "$(outcome gpu)" = 4 ] && [ "$(cat "$folder/said")" = "cuonn-gpu-check: there is no GPU" ] &&
  [ ! -e "$folder/results" ]
only=bench,bench-modes,bench-batch broken memory bench bench-modes bench-batch
stands bench failed killed
only=bench broken left bench
stands bench failed "cuonn bench: backend cuda is left out: why"
echo "every failure is told"

[ "$(outcome killed)" = 137 ]
[ "$(order)" = "golden parity study memcheck" ]
for name in golden parity study memcheck; do stands $name passed; done
echo "what was done before a kill is kept"

# What was not run has neither passed nor failed.
[ "$(outcome counters)" = 0 ]
for name in profile profile-in-situ; do stands $name "not run" "this user may not read the GPU's counters"; done
[ "$(outcome nothing --only study,sweep,profile-in-situ)" = 0 ]
[ "$(order)" = "study sweep profile-in-situ" ]
[ "$(outcome nothing --only=peers)" = 0 ] && [ "$(order)" = peers ] && [ -s "$folder/results/bench.json" ]
for list in fly study,fly 'study,,sweep' ''; do
  [ "$(outcome nothing --only "$list")" = 2 ] && [ ! -e "$folder/results" ]
  grep -q '^cuonn-gpu-check: --only: .*the parts are golden parity study memcheck' "$folder/said"
done
[ "$(outcome nothing --fly)" = 2 ] && grep -q '^cuonn-gpu-check: --fly is unknown; usage: ' "$folder/said"
BROKEN=nothing "$bundle/bin/cuonn-gpu-check" --help | grep -q '^Parts, in their order: golden parity study'
mv "$bundle/data" "$bundle/none" && cp "$bundle/bin/cuonn-gpu-check" "$folder/script"
sed -i 's|^\[ -n "${2-}" \].*|data=none|' "$bundle/bin/cuonn-gpu-check"
[ "$(outcome nothing)" = 0 ]
for name in study sweep profile profile-in-situ; do stands $name "not run" "no data in none"; done
mv "$bundle/none" "$bundle/data"
# Times that depend on nothing: with a clock that goes only while something is waited for until its time is over.
# timed EXPRESSION: the script, changed by it.
timed() {
  sed -e '/^limit=520/r /dev/stdin' -e "$1" "$folder/script" >"$bundle/bin/cuonn-gpu-check" <<'END'
unset SECONDS
SECONDS=0
timeout() {
  local ended=0
  command timeout "$@" || ended=$?
  [ "$ended" != 124 ] || SECONDS=$((SECONDS + $3))
  return "$ended"
}
END
}
timed 's/^limit=520/limit=0/'
[ "$(outcome nothing)" = 0 ]
for name in golden bench tests synccheck; do stands $name "not run" "no time was left"; done
timed 's/^limit=520/limit=1/'
[ "$(outcome hang)" = 0 ]
stands golden "not run" "stopped: no time was left" && stands sweep "not run" "no time was left"
# shellcheck disable=SC2016 # $1 is the script's own
timed 's/check "$1" 60/check "$1" 1/'
[ "$(outcome hang --only golden)" = 1 ] && stands golden failed "not finished in its 1 s"
cp "$folder/script" "$bundle/bin/cuonn-gpu-check"
echo "what was not run, or had no time, is told"

# The slower tools watch cuONN's own kernels, by the option that this compute-sanitizer has.
for option in old:--kernel-regex nothing:--kernel-name; do
  [ "$(outcome "${option%:*}" --only memcheck,racecheck,initcheck,synccheck)" = 0 ]
  [ "$(grep -c -e "--error-exitcode 9 ${option#*:} kns=k_ .*exercise small" "$folder/results/check.log")" = 3 ]
  grep -q -e '--tool memcheck --error-exitcode 9 [^ ]*exercise small' "$folder/results/check.log"
done

# Peers: one on the processor has failed, one that fails or takes too long is left out with what it started, and the
# others' rows are kept, also if the run is killed.
stand_in "$folder/peer" <<'END'
[ "$1" != -c ] || exit 0
case "$1" in *torch*) device=H100 ;; *) device=cpu ;; esac
if [ "$BROKEN $3" = "compiler compiled" ]; then echo "RuntimeError: there is no C compiler" >&2 && exit 1; fi
if [ "$BROKEN $3" = "slow unroll 4" ]; then sleep 1000 & echo $! >"$0.slow" && wait; fi
if [ "$BROKEN $3" = "killed unroll 4" ]; then kill -9 $PPID; fi
echo "{\"case\": \"train_step\", \"backend\": \"x\", \"variant\": \"$3\", \"device\": \"$device\", \"median_s\": 1,
  \"p10_s\": 1, \"p90_s\": 1, \"examples_per_second\": 1}" | tr -d '\n'
END
# peers BROKEN [OPTION...]; rows DEVICE: how many of them.
peers() {
  echo '{"results": [{"case": "forward"}, {"case": "train_step", "variant": "of an earlier run"}]}' >"$folder/rows.json"
  BROKEN=$1 python3 "$root/bench/peers/run.py" --python "$folder/peer" --problem "$folder/problem.npz" \
    --bench "$folder/rows.json" --json "$folder/rows.json" "${@:2}" >"$folder/said" 2>&1
}
rows() {
  python3 - "$folder/rows.json" "$1" <<'END'
import json, sys
print(sum(row.get("device") == sys.argv[2] for row in json.load(open(sys.argv[1]))["results"]))
END
}
peers nothing && [ "$(rows cpu)" = 6 ] && [ "$(rows H100)" = 2 ] && [ "$(grep -c '"case"' "$folder/rows.json")" = 9 ]
if peers nothing --gpu; then echo "a peer on the processor has passed" && exit 1; fi
[ "$(grep -c 'computed on the processor, not on the GPU' "$folder/said")" = 6 ]
[ "$(rows cpu)" = 0 ] && [ "$(rows H100)" = 2 ]
peers compiler && [ "$(rows H100)" = 1 ]
grep -q '^skipped: torch_tree, compiled: RuntimeError: there is no C compiler$' "$folder/said"
peers slow --longest 10 && [ "$(rows cpu)" = 5 ]
grep -q '^skipped: jax_pairs, unroll 4: it was not done after 10 s$' "$folder/said"
# runs PID: neither gone nor a zombie, which nobody may have asked for yet.
runs() { grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status"; }
for _ in {1..200}; do # a kill takes effect when the kernel gets to it
  runs "$(cat "$folder/peer.slow")" || break
  sleep 0.1
done
if runs "$(cat "$folder/peer.slow")"; then echo "what a slow peer started goes on" && exit 1; fi
if peers killed; then echo "a run that was killed has passed" && exit 1; fi
[ "$(rows H100)" = 1 ] && [ "$(rows cpu)" = 1 ]
peers nothing --within 0 && [ "$(grep -c '^skipped: .*: no time was left$' "$folder/said")" = 8 ]
echo "a peer that fails, is slow, or is on the processor is told"

if ! [ -x /usr/local/cuda/bin/compute-sanitizer ]; then
  rm "$folder/tools/compute-sanitizer"
  outcome nothing >/dev/null
  stands memcheck "not run" "compute-sanitizer is not on this machine"
  tail -n 1 "$folder/said" | grep -q '^11 passed, 0 failed, 4 not run'
fi
if ! [ -x /usr/local/cuda/bin/ncu ]; then
  rm "$folder/tools/ncu"
  outcome nothing --only profile >/dev/null
  stands profile "not run" "ncu is not on this machine"
fi
echo "a tool that is not there has not passed"
