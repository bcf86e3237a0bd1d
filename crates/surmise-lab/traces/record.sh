#!/usr/bin/env bash
# Records one of the traces in this folder anew: record.sh calm|contended|bursty FOLDER
#
# Needs Linux with two processors or more, util-linux (taskset, chrt), and for `calm` the right to
# real-time priority. LAB names the program, which `cargo build --release -p surmise-lab` builds.
set -euo pipefail

trace=${1:?calm, contended or bursty}
folder=${2:?the folder to write to}
lab=${LAB:-target/release/surmise-lab}
output=$folder/$trace.csv

# Every process that this script starts, to be ended with it.
children=()
end_children() {
  for child in "${children[@]}"; do
    # A stopped process does not end before it goes on.
    kill -CONT "$child" 2>/dev/null || true
    kill "$child" 2>/dev/null || true
  done
}
trap end_children EXIT

# Fourteen minutes on one processor, ahead of all other work on it.
calm() {
  chrt --fifo 50 taskset --cpu-list 0 \
    "$lab" record --loopback --interval 100ms --duration 14m --output "$output"
}

# Eleven minutes on another processor, behind three loops that never rest; every 10 to 40 seconds the
# sender and the receiver in turn are stopped for 0.3 to 5 seconds, short pauses more often than long.
contended() {
  for _ in 1 2 3; do
    nice -n 5 taskset --cpu-list 1 bash -c 'while :; do :; done' &
    children+=($!)
  done

  nice -n 10 taskset --cpu-list 1 \
    "$lab" record --receive 127.0.0.1:0 --output "$output" 2>"$output.address" &
  local receiver=$!
  children+=("$receiver")
  until grep -q 'receiving on' "$output.address"; do sleep 0.1; done
  local address
  address=$(sed -n 's/^receiving on //p' "$output.address")
  rm "$output.address"

  nice -n 10 taskset --cpu-list 1 "$lab" record --send "$address" --interval 100ms --duration 11m &
  local sender=$!
  children+=("$sender")

  pause "$sender" "$receiver" >"$folder/contended-pauses.txt" &
  children+=($!)
  wait "$sender"
  kill "${children[-1]}"
  # The pause may have been under way.
  kill -CONT "$receiver"
  wait "$receiver"
}

# Stops the two processes in turn, and prints each pause. The seed fixes their order and lengths.
pause() {
  RANDOM=20261121
  local start=${EPOCHREALTIME/./} turn=0
  echo 'after_s process pause_s'
  while :; do
    sleep "$((10 + RANDOM % 30))"
    local process=$1 name=sender
    if ((turn++ % 2)); then process=$2 name=receiver; fi
    local share=$((RANDOM % 1000))
    local length=$((300 + 4700 * share * share / 1000 * share / 1000 / 1000))
    local seconds
    seconds=$(printf '%d.%03d' $((length / 1000)) $((length % 1000)))
    echo "$(((${EPOCHREALTIME/./} - start) / 1000000)) $name $seconds"
    kill -STOP "$process"
    sleep "$seconds"
    kill -CONT "$process"
  done
}

# Eleven minutes through the relay: bursts of loss, a heavy tail of delay.
bursty() {
  "$lab" record --loopback --interval 100ms --duration 11m --linger 10s --output "$output" --relay \
    --delay pareto:8ms,1.4 --burst-loss 0.004,0.15 --loss 0.003 --reorder 0.01 --duplicate 0.005 \
    --seed 7
}

case $trace in
  calm | contended | bursty) "$trace" ;;
  *) echo "no such trace: $trace" >&2; exit 2 ;;
esac
