#!/usr/bin/env bash
# Shows that the bundle's start script (bundle/gpu-check.sh) takes nothing for passed that has failed or was not there:
# runs it in a bundle of stand-ins, first all good, then with one thing broken at a time.
#   bundle-fails.sh FOLDER    a folder for the stand-ins
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1
bundle=$folder/bundle

rm -rf "$folder"
mkdir -p "$bundle"/{bin,libexec,share,data} "$folder"/{tools,cuda/lib64}
touch "$folder"/cuda/lib64/{libcufft.so.12,libcublas.so.13,libcublasLt.so.13} "$bundle/share/fashion-mnist.yaml"
echo stand-ins >"$bundle/share/built"
cp "$root/bundle/gpu-check.sh" "$bundle/bin/cuonn-gpu-check"

# stand_in FILE: what it does comes on standard input; $BROKEN names what goes wrong.
stand_in() { { echo '#!/usr/bin/env bash' && cat; } >"$1" && chmod +x "$1"; }
stand_in "$bundle/libexec/exercise" <<'END'
[ "$BROKEN" != gpu ] || { echo 'there is no GPU' >&2 && exit 4; }
END
stand_in "$bundle/libexec/test_gpu_one" <<'END'
[ "$BROKEN" != test ]
END
stand_in "$bundle/bin/cuonn" <<'END'
[ "$BROKEN" != "$1" ] || exit 1
if [ "$BROKEN" = killed ] && [ "$1" = bench ]; then kill -9 "$(awk '{ print $4 }' /proc/$PPID/stat)"; fi # the script
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
[ "$BROKEN" = ncu ] && echo nothing >"$2" || echo Duration >"$2"
END
stand_in "$folder/tools/compute-sanitizer" <<'END'
[ "$BROKEN" != "$2" ] || { echo '========= ERROR SUMMARY: 1 error' && exit 9; }
[ "$BROKEN" = silent ] || echo '========= ERROR SUMMARY: 0 errors'
END

# outcome BROKEN: the script's status.
outcome() {
  rm -rf "$folder/results"
  BROKEN=$1 CUDA_HOME=$folder/cuda PATH=$folder/tools:$PATH "$bundle/bin/cuonn-gpu-check" "$folder/results" \
    >"$folder/said" 2>&1 && echo 0 || echo $?
}

# broken WHAT NAME...: status 1, and in table and JSON these have failed and nothing else.
broken() {
  [ "$(outcome "$1")" = 1 ] || { echo "$1 broken: status is not 1" && cat "$folder/said" && exit 1; }
  [ "$(grep -c '"failed"' "$folder/results/results.json")" = $(($# - 1)) ] ||
    { echo "$1 broken: another count of failures" && cat "$folder/said" && exit 1; }
  for name in "${@:2}"; do
    grep -q "\"name\": \"$name\", \"result\": \"failed\"" "$folder/results/results.json" ||
      { echo "$1 broken: $name has not failed" && exit 1; }
    grep -q "^| $name | failed |" "$folder/results/results.md" || { echo "$1 broken: not in the table" && exit 1; }
  done
}

[ "$(outcome nothing)" = 0 ] || { cat "$folder/said" && exit 1; }
tail -n 1 "$folder/said" | grep -q '^13 passed, 0 failed, 0 not run' || { cat "$folder/said" && exit 1; }
[ "$(find "$folder/results" -type f | wc -l)" -le 9 ]
broken test one
broken train study
broken accuracy study
broken bench bench bench-modes bench-batch
broken peers peers
broken ncu profile profile-in-situ
broken sweep sweep
broken noise sweep
broken runs sweep
for tool in memcheck racecheck initcheck synccheck; do broken $tool $tool; done
broken silent memcheck racecheck initcheck synccheck
[ "$(outcome gpu)" = 4 ] && [ "$(cat "$folder/said")" = "cuonn-gpu-check: there is no GPU" ] &&
  [ ! -e "$folder/results" ]
echo "every failure is told"

[ "$(outcome killed)" = 137 ]
for name in one study memcheck; do
  grep -q "\"name\": \"$name\", \"result\": \"passed\"" "$folder/results/results.json"
  grep -q "^| $name | passed |" "$folder/results/results.md"
done
echo "what was done before a kill is kept"

# A peer that computes on the processor has failed, and what others measured is kept.
stand_in "$folder/peer" <<'END'
[ "$1" != -c ] || exit 0
case "$1" in *torch*) device=H100 ;; *) device=cpu ;; esac
echo "{\"case\": \"train_step\", \"backend\": \"x\", \"variant\": \"y\", \"device\": \"$device\", \"median_s\": 1,
  \"p10_s\": 1, \"p90_s\": 1, \"examples_per_second\": 1}" | tr -d '\n'
END
echo '{"results": []}' >"$folder/rows.json"
peers() {
  python3 "$root/bench/peers/run.py" --python "$folder/peer" --problem "$folder/problem.npz" \
    --bench "$folder/rows.json" --json "$folder/all.json" "$@" >"$folder/said" 2>&1
}
peers && [ "$(grep -c '"device": "cpu"' "$folder/all.json")" = 3 ]
if peers --gpu; then echo "a peer on the processor has passed" && exit 1; fi
[ "$(grep -c 'computed on the processor, not on the GPU' "$folder/said")" = 3 ]
[ "$(grep -c '"device"' "$folder/all.json")" = 1 ] && grep -q '"device": "H100"' "$folder/all.json"
echo "a peer on the processor is told"

if ! [ -x /usr/local/cuda/bin/compute-sanitizer ]; then
  rm "$folder/tools/compute-sanitizer"
  outcome nothing >/dev/null
  grep -q '"name": "memcheck", "result": "not run"' "$folder/results/results.json"
  tail -n 1 "$folder/said" | grep -q '^9 passed, 0 failed, 4 not run'
  echo "a tool that is not there has not passed"
fi
