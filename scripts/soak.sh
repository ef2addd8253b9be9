#!/usr/bin/env bash
# The long forms of the tests of durability: kills under load, and damaged stores. Their figures go into
# docs/reliability.md.
#
#   scripts/soak.sh [--release]
#
# SWITCHBOARD_SOAK_KILLS    kills under load (500)
# SWITCHBOARD_SOAK_STORED   connections that are stored meanwhile (10000)
# SWITCHBOARD_SOAK_STARTS   starts of `serve` on what is left (20)
# SWITCHBOARD_SOAK_DAMAGES  damaged copies of a store, five flipped bits for each cut (1200)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export SWITCHBOARD_SOAK_KILLS="${SWITCHBOARD_SOAK_KILLS:-500}"
export SWITCHBOARD_SOAK_STORED="${SWITCHBOARD_SOAK_STORED:-10000}"
export SWITCHBOARD_SOAK_STARTS="${SWITCHBOARD_SOAK_STARTS:-20}"
export SWITCHBOARD_SOAK_DAMAGES="${SWITCHBOARD_SOAK_DAMAGES:-1200}"

exec cargo test --locked "$@" --test durability -- --nocapture --test-threads=1 \
  what_was_acknowledged_outlives_kills_under_load a_damaged_store_is_whole_or_refused
