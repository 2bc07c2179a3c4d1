# energy: tables, JSON, a network's cost, grids in netCDF, and refusals.
source "$(dirname "$0")/harness.sh"
cd "$work" || exit 1

# json PATH: a number of the last command's JSON, such as mvm.tops_per_watt.
json() {
  awk -v path="$1" '{
    n = split(path, name, ".")
    text = $0
    for (i = 1; i <= n; i++) { at = index(text, "\"" name[i] "\":"); if (!at) exit 1;
      text = substr(text, at + length(name[i]) + 3) }
    match(text, /^[^,}]*/)
    print substr(text, 1, RLENGTH)
  }' out
}
# near TOLERANCE GOT WANT: relative to the wanted number.
near() {
  awk -v t="$1" -v g="$2" -v w="$3" 'BEGIN { d = g - w; if (d < 0) d = -d; exit !(g ~ /^[0-9.e+-]+$/ && d <= t * w) }'
}

# ------------------------------------------------------------------------------------------------------------ one point
expect 0 '' "$cuonn" energy
output '^mesh of N = 64, batch of M = 128$'
output '^light: homodyne, 6 bits: 36153 photons a mode and symbol, 0\.06305 dB a column, laser 111\.7 mW$'
output '^gradient: analog, 4 passes of 128 examples, outputs read in 2, light of 6; 2 readouts a tap and batch$'
output '^ +mvm +vjp +gradient$'
output '^dac +36\.23 nJ +36\.23 nJ +144\.9 nJ$'
output '^TOPS/W +39\.91 +39\.91 +12\.97$'
output '^conversions and amplification +94\.8 % +94\.8 % +91\.5 %$'
output '^latency +13\.97 ns +13\.97 ns +128\.1 us$'
output '^optical loss overtakes at +N = 290 +N = 290 +N = 255$'
output '^Left out, because the keys are 0: energy.loss_time$'
expect 0 '' "$cuonn" energy --json --set energy.preset=figure
check test "$(wc -l < out)" = 1
check near 1e-12 "$(json mvm.tops_per_watt)" "$(awk 'BEGIN { printf "%.17g", 6 * 64 / 9.446 }')"
check near 1e-12 "$(json vjp.tops_per_watt)" "$(json mvm.tops_per_watt)"
check near 1e-12 "$(json gradient.tops_per_watt)" "$(awk 'BEGIN { printf "%.17g", 6 / (28.372 / 64 + 0.206 / 128) }')"
check test "$(json mvm.peak_modes)" = null
check test "$(json light.counted)" = false
check test "$(json passes.scheme) $(json passes.passes) $(json passes.reads) $(json mean_phase)" = '"study" 3 3 null'

# Heaters hold Haar-random phases where no others are known: at N = 256 .543 of what phases of pi take.
heaters='--set energy.preset=figure --set energy.modes=256 --set energy.holding_power=24.77'
expect 0 '' "$cuonn" energy $heaters
output '^heaters: 24\.77 mW for pi, mean phase 0\.543 pi \(Haar\)$'
output '^TOPS/W +4\.339 '
output '^TOPS/W at most +4\.845 '
expect 0 '' "$cuonn" energy $heaters --set energy.holding_law=constant
output '^phase shifters: 24\.77 mW whatever the phase$'
output '^TOPS/W +2\.387 '
# A measured matrix is N unit vectors and three products, which are left out until they have a price.
expect 0 '' "$cuonn" energy --set energy.measurement=matrix --set energy.batch=600 --set energy.scheme=analog-switched
output '^gradient: analog-switched, 3 passes of 64 unit vectors, outputs read in 2, light of 6; 1 readout a tap and ' \
  'batch$'
output '^optical loss overtakes at .* at once$'
output '^Left out, because the keys are 0: energy.product_energy, energy.loss_time$'
expect 0 '' "$cuonn" energy --set energy.measurement=matrix --set energy.product_energy=0.5 --json
check near 1e-12 "$(json gradient.parts.digital)" "$(awk 'BEGIN { printf "%.17g", 3 * 128 * 64 * 64 * 0.5e-12 }')"

# The preset comes before the keys beside it, in a file and on the command line; a later setting counts.
printf 'energy:\n  modes: 48\n  adc: 2.48\n  preset: figure\n' > chip.yaml
expect 0 '' "$cuonn" energy chip.yaml --json
check near 1e-12 "$(json mvm.tops_per_watt)" "$(awk 'BEGIN { printf "%.17g", 6 * 48 / 11.446 }')"
expect 0 '' "$cuonn" energy chip.yaml --json --set energy.preset=cited --set energy.laser=false \
  --set energy.holding_power=0
# 3.571 of the DAC, .45 of the modulator, .3 of the amplifier, 2 x 1.1 mW / 10 GS/s, 1.48 of the ADC; two channels
check near 1e-12 "$(json mvm.tops_per_watt)" "$(awk 'BEGIN { printf "%.17g", 6 * 48 / 12.042 }')"
expect 0 '' "$cuonn" energy chip.yaml --json --set energy.components=ring # the same with a ring of .042 pJ and 1.2 mW
check near 1e-12 "$(json mvm.tops_per_watt)" "$(awk 'BEGIN { printf "%.17g", 6 * 48 / 11.466 }')"

# Where no light is enough, that is the answer, and no number is made up.
expect 0 '' "$cuonn" energy --set energy.bits=12
output '^light: none is enough for 12 bits: .* allows 8\.35; raise energy.oscillator_photons or lower energy.bits$'
expect 0 '' "$cuonn" energy --set energy.bits=12 --json
check test "$(json light.detectable) $(json mvm.tops_per_watt) $(json mvm.joules)" = 'false 0.0 null'
check_not grep -qi nan out

# ------------------------------------------------------------------------------------------------------------ a network
slice data 300 10
small_config "$work/data" > config.yaml
costs='--set energy.programming_energy=1 --set energy.digital_energy=2 --set energy.write_converters=16 '
costs+='--set energy.write_rate=10'
expect 0 '' "$cuonn" energy $costs --network config.yaml
output '^network config.yaml: 2 layers of N = 16, 300 examples in batches of 64$'
output '^ +inference +step +epoch$'
output '^tap +0 J +105\.5 pJ +421\.9 pJ$' # 2 layers of 16 x 16 shifters, 2 readouts of 0.103 pJ; four steps
output '^programming +0 J +512 pJ +2\.048 nJ$'
expect 0 '' "$cuonn" energy $costs --network config.yaml --json
check test "$(json network.modes) $(json network.layers) $(json network.examples) $(json network.batch) $(json \
  modes) $(json batch)" = '16 2 300 64 16 64'
step=$(json network.step.joules)
# two gradients, 2 x 256 phases of 1 pJ, 2 pJ more; four steps of 64 in 300 examples, the rest dropped
check near 1e-12 "$step" "$(awk -v g="$(json gradient.joules)" 'BEGIN { printf "%.17g", 2 * g + 514e-12 }')"
check near 1e-12 "$(json network.epoch.joules)" "$(awk -v s="$step" 'BEGIN { printf "%.17g", 4 * s }')"
check near 1e-12 "$(json network.inference.joules)" "$(awk -v p="$(json mvm.joules)" \
  'BEGIN { printf "%.17g", 2 * p / 64 }')"
seconds=$(json network.step.seconds)
check near 1e-12 "$(json network.epoch.seconds)" "$(awk -v s="$seconds" 'BEGIN { printf "%.17g", 4 * s }')"
check test "$(json network.gpu_seconds)" = null
# 2 x 4 passes, 32 readouts a converter at 1 MS/s, 16 phases a converter at 10 MS/s, settling
check near 1e-12 "$seconds" "$(awk 'BEGIN {
  printf "%.17g", 8 * (1e-9 + 16 * 0.3e-3 * 4.2 / 299792458 + 63e-10) + 32e-6 + 1.6e-6 + 0.34e-6 }')"
check grep -q '"left_out":\["energy.loss_time","energy.digital_time","energy.optimizer_time"\]' out
expect 0 '' "$cuonn" energy --network config.yaml --set training.drop_last=false --json
check near 1e-2 "$(json network.epoch.joules)" "$(awk -v s="$(json network.step.joules)" \
  'BEGIN { printf "%.17g", 300 / 64 * s }')"
expect 0 '' "$cuonn" energy --network config.yaml --set energy.gpu.rate=1 --set energy.gpu.power=100 \
  --set energy.holding_power=5
output '^heaters: 5 mW for pi, mean phase 0\.6.. pi \(Haar\)$' # no phases in a configuration
output '^The step takes [0-9.]+ .s on the GPU, [0-9.e-]+ times that of the chip, and .*J, [0-9.e+]+ times;$'
output '^Holding power counts while symbols pass, not'

expect 0 '' "$cuonn" energy --network config.yaml --set network.layers=5 --json
check test "$(json network.layers)" = 5

# What training by each gradient asks of the chip: of computed ones the trained phases; of two layers of 240 phases
# moved one by one 960 passes of 64 examples through both.
expect 0 '' "$cuonn" energy --network config.yaml
output '^training by exact gradients, what it asks of the chip$'
output '^phases written +0 +0 +512 $'
output '^Gradients are computed elsewhere, which is not counted; the trained phases are written once\.$'
expect 0 '' "$cuonn" energy --network config.yaml --set training.gradient=finite-difference
output '^training by finite-difference gradients, what it asks of the chip$'
output '^optical passes, vectors +122\.9 k '
output '^phases written +1\.952 k '
output '^The last column includes the starting phases, written once; tests are not counted\.$'
expect 0 '' "$cuonn" energy --network config.yaml --set training.gradient=spsa --set chip.estimates=3 --json
check test "$(json network.training.gradient)" = '"spsa"'
check near 0 "$(json network.training.step.passes)" 768
check near 0 "$(json network.training.epoch.output_readings)" 49152
check near 0 "$(json network.training.all.joules)" "$(awk -v e="$(json network.training.epoch.joules)" \
  -v n="$(json network.training.epochs)" 'BEGIN { printf "%.17g", n * e }')"

# The same network as a checkpoint, which holds its configuration; and as mere phases, which take the defaults.
expect 0 '' "$cuonn" train config.yaml --output run --set training.epochs=1 --set energy.dac=3
expect 0 '' "$cuonn" energy $costs --network run/last.nc --set energy.preset=default $costs --json
check test "$(json network.step.joules)" = "$step"
expect 0 '' "$cuonn" energy --network run/last.nc --json
check near 1e-12 "$(json mvm.parts.dac)" "$(awk 'BEGIN { printf "%.17g", 64 * 16 * 2 * 3e-12 }')"
expect 0 '' "$cuonn" train --resume run --set training.epochs=2 --set energy.preset=cited # decides nothing of a run
# What is costed is what is trained: the digital scheme, a measured matrix; and the phases are those at hand.
expect 0 '' "$cuonn" energy --network config.yaml --set training.gradient=digital --set chip.measurement=matrix
output '^gradient: digital, 3 passes of 16 unit vectors, outputs read in 2, light of 4; 3 readouts a tap and batch$'
output '^Light never takes longer than reading taps and writing phases for a larger batch\.$'
expect 0 '' "$cuonn" energy --network config.yaml --set training.gradient=analog --set energy.scheme=digital
output '^gradient: analog, 4 passes of 64 examples'
values run/last.nc theta > phases
values run/last.nc phi >> phases
mean=$(awk '{ turn = 8 * atan2(1, 1); p = $1 - turn * int($1 / turn); if (p < 0) p += turn; sum += p }
  END { printf "%.17g", sum / NR }' phases)
expect 0 '' "$cuonn" energy --network run/last.nc --set energy.holding_power=5 --json
check near 1e-12 "$(json mean_phase)" "$mean"
check near 1e-12 "$(json mvm.parts.holding)" "$(awk -v m="$mean" \
  'BEGIN { printf "%.17g", 64 * 256 * 5e-3 * m / (4 * atan2(1, 1)) / 1e10 }')"
numbers 12 1 3.1 > theta
netcdf phases.nc classic 'layer=2 node=6' 'classes=4' theta:layer,node:theta phi:layer,node:theta
expect 0 '' "$cuonn" energy --network phases.nc --set data.path=data --set training.batch_size=100 --json
check test "$(json network.modes) $(json network.layers) $(json network.batch)" = '4 2 100'

# ---------------------------------------------------------------------------------------------------------------- grids
expect 0 '' "$cuonn" energy --set energy.preset=figure --grid energy.modes=4:8:2 --grid energy.batch=1,17 \
  --output grid.nc
check test "$(cat out)" = $'points  6\noutput  grid.nc'
ncdump -v modes grid.nc | sed -n '/^data:/,$p' > axis.cdl # the dimension has the same name
values axis.cdl modes > got
printf '4\n6\n8\n' > want
check close_to 0 got want
for n in 4 6 8; do
  for m in 1 17; do awk "BEGIN { printf \"%.17g\\n\", 6 / (28.372 / $n + 0.206 / $m) }"; done
done > want
values grid.nc gradient_tops_per_watt > got
check close_to 1e-12 got want
ncdump -h grid.nc > header
for line in 'double modes(modes) ;' 'modes:units = "waveguides" ;' 'batch:units = "examples" ;' \
  'gradient_joules:_FillValue = ' 'double mvm_energy_laser(modes, batch) ;' 'mvm_energy_laser:units = "J" ;' \
  'gradient_seconds:units = "s" ;' ':config = "'; do
  check grep -qF "$line" header
done
values grid.nc mvm_peak_modes > got # no loss, no peak
check test "$(sort -u got)" = _
# each point is what the command prints for it
expect 0 '' "$cuonn" energy --grid energy.column_loss=0:0.3:0.1 --grid energy.bits=6,9 --grid energy.modes=64 \
  --output grid.nc
for v in mvm_joules gradient_watts laser_watts gradient_peak_modes mvm_energy_adc gradient_energy_tap \
  mvm_energy_receiver; do
  values grid.nc $v | sed -n 7p > got # column_loss 0.3, 6 bits
  case $v in laser_watts) path=light.watts ;; *_energy_*) path=${v%%_*}.${v##*_} ;; *) path=${v%%_*}.${v#*_} ;; esac
  expect 0 '' "$cuonn" energy --set energy.column_loss=0.3 --json
  json "$path" > want
  check close_to 0 got want
done
values grid.nc mvm_joules > got # 9 bits: no light is enough
check test "$(sed -n '2~2p' got | sort -u)" = _
values grid.nc detectable > got
check test "$(paste -sd, got)" = 1,0,1,0,1,0,1,0

# ------------------------------------------------------------------------------------------------------------- refusals
mkdir keep
cp grid.nc keep
kept=$work/keep
refuse() { local code=$1 regex=$2; shift 2; expect "$code" "^cuonn energy: $regex" "$cuonn" energy "$@"; }
grid() { local regex=$1; shift; refuse 2 "$regex" --grid "$@" --output keep/grid.nc; }
refuse 2 'energy.adc: found "0", which is out of range; allowed: above 0 to 1e\+06' --set energy.adc=0
refuse 2 'energy.dac: found "-1", which is out of range' --set energy.dac=-1
refuse 2 'energy.bits: found "0", which is out of range; allowed: 1 to 16' --set energy.bits=0
refuse 2 'energy.modes: found "1", which is out of range' --set energy.modes=1
refuse 2 'energy.wavelength: found "nan", which is not a number' --set energy.wavelength=nan
refuse 2 'energy.preset: found "best".*figure \| default \| cited' --set energy.preset=best
refuse 2 'unknown key "energy.lasers"; did you mean energy.laser\?' --set energy.lasers=1
printf 'energy:\n  tap: 0\n' > bad.yaml
refuse 2 'bad.yaml:2: energy.tap: found "0"' bad.yaml
refuse 3 'none.yaml: cannot be opened' none.yaml
grid "--grid: energy.modes: '' has no value at all" energy.modes=
grid "--grid: energy.modes: '8:4:1' is no range" energy.modes=8:4:1
grid "--grid: energy.modes: '4:8:0' is no range" energy.modes=4:8:0
grid "--grid: energy.modes: '4:8' is no range" energy.modes=4:8
grid "--grid: energy.dac: '1:inf:1' is no range" energy.dac=1:inf:1
grid "--grid: energy.bits: '6,,7' has no value between two commas" energy.bits=6,,7
grid '--grid: energy.bits: 4 stands behind 6; values must rise' energy.bits=6,4
grid 'energy.bits: found "x", which is not an integer' energy.bits=4,x
grid 'energy.dac: found "0", which is out of range' energy.dac=0:1:0.5
grid '--grid: training.seed is not in the section energy' training.seed=1,2
refuse 2 'the key "energy.passes" is no more: energy.scheme says which passes a gradient takes' --set energy.passes=3
printf 'energy:\n  tap_scheme: digital\n' > former.yaml
refuse 2 'former.yaml:2: energy: the key "energy.tap_scheme" is no more: energy.tap_reading says when taps are read' \
  former.yaml
grid '--grid: energy.laser is no number; set it with --set' energy.laser=true
grid 'unknown key "energy.mode"; did you mean energy.modes' energy.mode=4
grid 'found "energy.modes" where "key=value" must stand' energy.modes
grid '--grid: energy.modes is named twice' energy.modes=4 --grid energy.modes=8
grid "--grid: energy.dac: '1:2:1e-9' has more than 1000000 points" energy.dac=1:2:1e-9
grid '--grid: more than 1000000 points' energy.dac=1:1000:1 --grid energy.adc=1:1001:1
grid 'a grid has at most 4 axes' energy.dac=1 --grid energy.adc=1 --grid energy.tap=1 --grid energy.mixer=1 \
  --grid energy.receiver=1
grid '--grid does not go with --network' energy.modes=4 --network config.yaml
refuse 2 '--grid needs --output' --grid energy.modes=4
refuse 2 '--output needs a grid' --output keep/grid.nc
refuse 2 'energy.modes and energy.batch do not go with --network' --network config.yaml --set energy.batch=4
refuse 2 'run/last.nc: network.layers may not differ' --network run/last.nc --set network.layers=3
refuse 2 'network.modes is 16, but data.radius 4' --network config.yaml --set data.radius=4
refuse 2 '300 examples make no step of 400' --network config.yaml --set training.batch_size=400
refuse 3 'none.nc: ' --network none.nc
refuse 3 'none: .*' --network config.yaml --set data.path=none
head -c 300 run/last.nc > cut.nc
refuse 3 'cut.nc: ' --network cut.nc
expect 3 '^cuonn energy: keep/grid.nc: ' bash -c \
  "ulimit -f 2 && exec '$cuonn' energy --grid energy.modes=4:256:2 --output keep/grid.nc"
expect 3 '^cuonn energy: config.yaml/grid.nc: ' "$cuonn" energy --grid energy.modes=4 --output config.yaml/grid.nc
kept=
lost() { "$@" > /dev/full; }
expect 3 '^cuonn energy: cannot write to standard output: No space left' lost "$cuonn" energy
finish
