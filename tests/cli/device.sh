# No GPU to compute on: asked for, it is an error that leaves no file; left to choose, the program takes the processor
# and says so. In a build with the backend cuda a GPU that is there is hidden from the program; in one without, asking
# for it is the error.
source "$(dirname "$0")/harness.sh"
export CUDA_VISIBLE_DEVICES=

mkdir "$work/keep"
slice "$work/data" 128 64
small_config "$work/data" > "$work/config.yaml"
train() { "$cuonn" train "$work/config.yaml" --set training.epochs=1 --output "$work/keep/$1" --set backend.name="$2"; }

kept=$work/keep
if "$cuonn" info --json | grep -q '"cuda"'; then
  expect 4 '^cuonn train: .*(driver|GPU|device)' train run cuda
  expect 0 '^cuonn: .*(driver|GPU|device).*; computing with backend cpu$' train auto auto
else
  expect 4 '^cuonn train: .*cuda is not in this build' train run cuda
  expect 0 '' train auto auto
fi
check_not test -e "$work/keep/run"
check test -s "$work/keep/auto/last.nc"
output 'backend cpu$'

finish
