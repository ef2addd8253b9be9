#!/usr/bin/env bash
# The long form of tests/refresh_storm/: kills processes that share connections for some minutes, and prints the
# vendor's books: brokers on each kind of store, clients of `stdio` on one directory, `serve` nodes on one database.
# docs/reliability.md says what came of it.
#
#   scripts/refresh-storm.sh [SECONDS]     five minutes for each of the four when nothing is said
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
SWITCHBOARD_STORM_SECONDS="${1:-300}" exec cargo test --test refresh_storm grants_survive -- --nocapture --test-threads=1
