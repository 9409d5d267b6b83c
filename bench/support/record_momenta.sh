# shellcheck shell=bash
# Sourced by bench/run.sh and bench/peers/run.sh.
#
# record_momenta BUILD
# Records, once, 200 consecutive steps of Muon on a 512 x 3072 hidden matrix with the trainer in
# BUILD, and exports FANION_MOMENTA. The images are Fashion-MNIST's, resampled to 48 x 64, since no
# colour images come with Debian.
record_momenta() {
  local momenta=$1/momenta
  if [[ ! -f $momenta/muon.momenta ]]; then
    "$1/examples/trainers/mlp" --methods muon --seeds 1 --epochs 3 --resize 48,64 \
      --record "$momenta" --record-steps 200 --out "$1/recording"
  fi
  export FANION_MOMENTA=$momenta/muon.momenta
}
