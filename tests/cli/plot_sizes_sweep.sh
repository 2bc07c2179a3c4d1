# plot and report of sweeps at many sizes: of 2 to 48 runs, with long words and extreme numbers, and of which some
# failed or are not done, every text can be read. The unit of a phase's noise is said.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1
train 9 9 2 'features: resample, side: 3'

# --------------------------------------------------------------------------------------------------------------- sweeps
rate=training.optimizer.learning_rate
# sweep NAME KEY=[LIST]...
sweep() {
  local name=$1 set=()
  shift
  for key in "$@"; do set+=(--set "$key"); done
  expect 0 '' "$cuonn" sweep chip9.yaml --output "$name" --set training.epochs=1 "${set[@]}"
}
sweep two "$rate=[0.001, 0.01]"
sweep four "$rate=[0.001, 0.01]" 'training.batch_size=[16, 32]'
sweep words 'training.optimizer.name=[sgd, adam]' 'chip.noise=[fresh, frozen, frozen-per-use]' \
  'chip.loss_law=[truncated, study]' \
  'training.optimizer.restart_bias_correction_each_epoch=[true, false]'
sweep thirty "$rate=[0.001, 0.003, 0.01, 0.03, 0.1]" 'training.batch_size=[16, 32, 64]' \
  'training.optimizer.name=[sgd, adam]'
sweep extreme "$rate=[1e-300, 0.000123456789, 0.001, 1000]" 'chip.io_phase=[0, 0.000123456789, 100]' \
  'training.gradient=[analog, exact]'
sweep seven "$rate=[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1]" 'chip.coupler_std=[0, 0.1]' \
  'training.gradient=[exact, analog]'
sweep noisy training.gradient=analog \
  'chip.tap_shot=[0, 0.001, 0.002, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.01, 0.02, 0.03, 0.04]' \
  'chip.io_phase=[0, 0.05]'
for name in two four words thirty extreme seven noisy; do
  for what in sweep-map sweep-bars; do draw "$what-$name" $what $name; done
done
draw tolerance-seven tolerance seven
draw tradeoff-noisy tradeoff noisy
sweep fourteen "$rate=[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1]" 'training.gradient=[finite-difference, exact]'
draw budget-fourteen budget fourteen
draw budget-two budget two
has sweep-bars-words.svg frozen-per-use
# Half of the runs fail, and some are not done: that is said in full.
yes -- -3000 | head -144 > loss_db
numbers 72 1 3.14 > theta
netcdf loud.nc classic 'layer=2 node=36 shifter=2' '' theta:layer,node:theta phi:layer,node:theta \
  loss_db:layer,node,shifter:loss_db
sweep lost "$rate=[0.001, 0.01]" 'network.start=[haar, file]' network.start_file=loud.nc
rm lost/sweep.nc lost/runs/000000.nc
for what in sweep-map sweep-bars; do draw "$what-lost" $what lost; done

# The unit of a phase's noise: a standard deviation over pi, in figures, tables and reports.
has sweep-bars-extreme.svg 'phase noise σ / π'
has sweep-map-noisy.svg 'phase noise σ / π'
expect 0 '' "$cuonn" sweep --resume extreme
output '^  io_phase_error_std / pi: 0 '
output '  io_phase_error_std / pi'
check grep -q 'Standard deviation of a phase that is read, over pi' extreme/report.html
check grep -qF 'io_<wbr/>phase_<wbr/>error_<wbr/>std</code> / pi</th>' extreme/report.html

# -------------------------------------------------------------------------------------------------------------- reports
# Figures of a report, apart.
for page in two thirty extreme seven noisy; do
  rm -f figure.*
  awk '/<svg/ { n++ } n { print > ("figure." n) }' "$page/report.html"
  for figure in figure.*; do
    sed -n '/<svg/,/<\/svg>/p' "$figure" > figure.svg
    readable figure.svg
  done
done
finish
