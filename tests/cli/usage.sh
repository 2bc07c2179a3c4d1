# Help, versions, usage errors, output that cannot be written, completion.
source "$(dirname "$0")/harness.sh"
commands='train sweep eval decompose matrix program chip wrap convert propagate vjp gradient energy plot report bench'
commands+=' self-configure info completion'

expect 2 '^cuonn: usage: cuonn COMMAND .*train, sweep, eval' "$cuonn"
expect 2 "^cuonn: unknown command 'trian'; the nearest is 'train'" "$cuonn" trian
expect 2 "^cuonn: unknown command 'decompsoe'; the nearest is 'decompose'" "$cuonn" decompsoe
expect 2 "^cuonn: unknown command 'a\?b'" "$cuonn" $'a\nb'
expect 2 '^cuonn: unrecognized option .--colour' "$cuonn" --colour
expect 0 '' "$cuonn" --version
output '^cuonn [0-9]+\.[0-9]+\.[0-9]+$'
expect 0 '' "$cuonn" --help
for c in $commands; do output "^  $c +[a-z]"; done

for c in $commands; do
  expect 0 '' "$cuonn" "$c" --help
  output "^Usage: cuonn $c "
  output '^Example'
  expect 2 "^cuonn $c: unrecognized option .--colour" "$cuonn" "$c" --colour
  if [[ $c == plot || $c == chip ]]; then continue; fi
  expect 2 "^cuonn ($c: one argument is too many: 'b'|(info|bench): .* too many: 'a')" "$cuonn" "$c" a b
done
for c in matrix program self-configure wrap propagate vjp decompose gradient; do
  expect 2 "^cuonn $c: .* is missing; see --help" "$cuonn" "$c"
  expect 2 "^cuonn $c: --(output|input|chip|light) .* is missing" "$cuonn" "$c" mesh.nc
done
expect 2 '^cuonn train: the configuration file \(or --resume DIR\) is missing' "$cuonn" train
expect 2 '^cuonn eval: the checkpoint is missing' "$cuonn" eval
expect 2 '^cuonn train: .*--set.* requires an argument' "$cuonn" train x.yaml --set
expect 2 '^cuonn train: --output does not go with --resume' "$cuonn" train --resume a --output b
expect 2 "^cuonn propagate: --taps takes 'all' or nothing, not 'some'" "$cuonn" propagate --taps=some
expect 2 '^cuonn report: the directory of a run or a sweep is missing' "$cuonn" report
expect 2 '^cuonn plot: WHAT, the name of a figure, is missing' "$cuonn" plot
expect 2 '^cuonn completion: the shell is missing or unknown; there is a completion for: bash, zsh, fish' \
  "$cuonn" completion tcsh

# --------------------------------------------------------------------------------------------------- backends, options
echo 1 > "$work/one"
netcdf "$work/mesh.nc" classic 'node=1' '' theta:node:"$work/one" phi:node:"$work/one"
expect 2 '^cuonn matrix: .*backend.name.*fast.*reference' "$cuonn" matrix "$work/mesh.nc" --output "$work/u.nc" \
  --backend fast
expect 2 '^cuonn matrix: .*backend.threads.*2x' "$cuonn" matrix "$work/mesh.nc" --output "$work/u.nc" --threads 2x
expect 4 '^cuonn matrix: .*cuda' "$cuonn" matrix "$work/mesh.nc" --output "$work/u.nc" --backend cuda
check_not test -e "$work/u.nc"
for b in reference $(backends) auto; do
  expect 0 '' "$cuonn" matrix "$work/mesh.nc" --output "$work/u-$b.nc" --backend "$b"
  check same_values 1e-6 "$work/u-$b.nc" unitary "$work/u-reference.nc" unitary
done

# ---------------------------------------------------------------------------------------------------- information
expect 0 '' "$cuonn" info
for line in 'cuonn +[0-9]' 'build +[^ ]' 'libraries +.*netCDF' 'processor +.*, [1-9][0-9]* to use' \
  'backends +.*reference' 'GPU +none'; do
  output "^$line"
done
expect 0 '' "$cuonn" info --json
output '^\{"version":"[0-9.]+","build":".*","libraries":".*","processor":".*","processors":[0-9]+,' \
  '"backends":\[("[a-z]+",)*"reference"(,"[a-z]+")*\],"gpus":\[\]\}$'
check test "$(wc -l < "$work/out")" = 1

# ---------------------------------------------------------------------------------------------- output that gets lost
lost() { "$@" > /dev/full; }
for c in --version --help 'info' 'info --json' 'completion bash' 'train --help'; do
  expect 3 '^cuonn.*: cannot write to standard output: No space left on device' lost "$cuonn" $c
done
closed() { "$@" >&-; }
expect 3 '^cuonn info: cannot write to standard output' closed "$cuonn" info
mkfifo "$work/pipe"
broken() {
  exec 7<> "$work/pipe"
  exec 8> "$work/pipe" 7<&- # the only reader is closed
  "$@" >&8
  local code=$?
  exec 8>&-
  return $code
}
expect 3 '^cuonn info: cannot write to standard output: Broken pipe' broken "$cuonn" info
closed_all() { "$@" <&- >&-; }
expect 3 '^cuonn matrix: cannot write to standard output' closed_all "$cuonn" matrix "$work/mesh.nc" \
  --output "$work/closed.nc"
check same_values 0 "$work/closed.nc" unitary "$work/u-reference.nc" unitary

# ------------------------------------------------------------------------------------------------------- completion
"$cuonn" completion bash > "$work/complete.bash"
check bash -n "$work/complete.bash"
# completes WORD... : what the last word is completed to
completes() {
  bash -c 'source "$1"
    shift
    compopt() { :; }
    COMP_WORDS=(cuonn "$@")
    COMP_CWORD=$#
    _cuonn
    echo "${COMPREPLY[@]}"' \
    bash "$work/complete.bash" "$@"
}
check test "$(completes dec)" = decompose
check test "$(completes train --res)" = --resume
check test "$(completes propagate --ta)" = --taps
check test "$(completes matrix --backend = ref)" = reference
check test "$(completes matrix --backend ref)" = reference
check test "$(completes decompose --phase-style = "di")" = differential
check test "$(completes train --set training.ep)" = training.epochs=
check test "$(completes train --set network.start = haar-)" = haar-phases
check test "$(completes train --set training.drop_last =)" = 'true false'
check test "$(completes plot ph)" = phases
check test "$(completes convert --from = interf)" = interferometer
check test "$(completes convert --to cuonn-d)" = cuonn-differential
check test "$(completes completion b)" = bash
check test "$(completes train conf)" = ''
check test "$(completes train --set = training.ep)" = training.epochs=
check test "$(completes train --set training.epochs = 5)" = ''

# completes_zsh WORD...: the same of zsh, whose own functions only print what they are given.
check test -n "$(command -v zsh)" -a -n "$(command -v fish)"
"$cuonn" completion zsh > "$work/complete.zsh"
check zsh -n "$work/complete.zsh"
completes_zsh() {
  zsh -f -c 'compdef() { :; }; compset() { :; }; _files() { print files; }
    compadd() { while [[ $1 != -- ]]; do shift; done; shift; [[ $# == 0 ]] || print -rl -- "$@"; }
    source "$1"; shift; words=(cuonn "$@"); CURRENT=$#words; _cuonn' zsh "$work/complete.zsh" "$@" |
    grep -e "^${!###*=}" -e '^files$' | paste -sd' '
}
check test "$(completes_zsh dec)" = decompose
check test "$(completes_zsh train --res)" = --resume
check test "$(completes_zsh matrix --backend=ref)" = reference
check test "$(completes_zsh matrix --backend ref)" = reference
check test "$(completes_zsh decompose --phase-style di)" = differential
check test "$(completes_zsh train --set training.ep)" = training.epochs=
check test "$(completes_zsh train --set=training.ep)" = training.epochs=
check test "$(completes_zsh train --set network.start=haar-)" = haar-phases
check test "$(completes_zsh train --set=training.drop_last=)" = 'true false'
check test "$(completes_zsh train --set training.epochs=5)" = files
check test "$(completes_zsh plot ph)" = phases
check test "$(completes_zsh convert --to=perceval-)" = perceval-last
check test "$(completes_zsh completion f)" = fish
check test "$(completes_zsh train conf)" = files

# completes_fish LINE: what fish itself offers.
"$cuonn" completion fish > "$work/complete.fish"
check fish --no-execute "$work/complete.fish"
completes_fish() {
  HOME=$work fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$work/complete.fish" "$1" | cut -f1 |
    paste -sd' '
}
check test "$(completes_fish 'cuonn dec')" = decompose
check test "$(completes_fish 'cuonn train --res')" = --resume
check test "$(completes_fish 'cuonn matrix --backend=ref')" = --backend=reference
check test "$(completes_fish 'cuonn matrix --backend ref')" = reference
check test "$(completes_fish 'cuonn train --set training.ep')" = training.epochs=
check test "$(completes_fish 'cuonn train --set network.start=haar-')" = network.start=haar-phases
check test "$(completes_fish 'cuonn plot pha')" = phases
check test "$(completes_fish 'cuonn convert --to cuonn-d')" = cuonn-differential
check test "$(completes_fish 'cuonn completion f')" = fish
touch "$work/config-of-mine.yaml"
check test "$(cd "$work" && completes_fish 'cuonn train config-of')" = config-of-mine.yaml
check test "$(cd "$work" && completes_fish 'cuonn eval --data=data --config config-of')" = config-of-mine.yaml
finish
