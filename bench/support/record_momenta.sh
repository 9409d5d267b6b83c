# shellcheck shell=bash
# Sourced by bench/run.sh and bench/peers/run.sh.
#
# record_momenta BUILD
# Records, once, 200 consecutive steps of Muon with the trainer in BUILD, and exports
#   FANION_MOMENTA      of a 512 x 3072 hidden matrix,
#   FANION_MOMENTA_GPT  of one of 768 x 3072, the shape of GPT-2's feed-forward matrices.
# The images are Fashion-MNIST's, resampled to 48 x 64, since no colour images come with Debian.
record_momenta() {
  record_momenta_of_width "$1" 512 "$1/momenta"
  record_momenta_of_width "$1" 768 "$1/momenta/gpt"
  export FANION_MOMENTA=$1/momenta/muon.momenta FANION_MOMENTA_GPT=$1/momenta/gpt/muon.momenta
}

record_momenta_of_width() {
  if [[ ! -f $3/muon.momenta ]]; then
    "$1/examples/trainers/fanion-train" mlp --methods muon --seeds 1 --epochs 3 --resize 48,64 --hidden "$2" \
      --record "$3" --record-steps 200 --out "$1/recording"
  fi
}
