# What tests with processes of MPI share: scripts source it behind harness.sh. $MPIEXEC starts them.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 # Open MPI's

: "${work:?}" "${cuonn:?}" # set by harness.sh

# launch N COMMAND...: on N processes; stderr without what the launcher adds, which goes to $work/launcher.PID.
launch() {
  local code log=$work/launcher.$BASHPID
  "$MPIEXEC" -n "$1" "${@:2}" 2> "$log"
  code=$?
  grep '^cuonn' "$log" >&2
  return $code
}
mpi() { launch "$1" "$cuonn" "${@:2}"; }
# but_rank K COMMAND N ARGUMENT...: the same, one of them does something else before.
cat > "$work/but.sh" << 'END'
rank=${OMPI_COMM_WORLD_RANK-${PMI_RANK-}}
if [[ $rank == "$1" ]]; then eval "$2"; fi
exec "${@:3}"
END
but_rank() { launch "$3" bash "$work/but.sh" "$1" "$2" "$cuonn" "${@:4}"; }
