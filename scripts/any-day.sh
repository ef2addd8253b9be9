#!/usr/bin/env bash
# Runs the tests in which a day, an hour or a zone could matter, at ten instants at which such tests break.
#
#   scripts/any-day.sh              all ten
#   scripts/any-day.sh INSTANT...   these, such as 2028-02-29T12:00:00Z
#
# The tests start their servers in the sandbox at TEST_TIME, which is a plain Tuesday when nobody sets it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly instants=(
  2027-03-06T10:00:00Z # a Saturday
  2026-12-27T18:30:00Z # a Sunday between the holidays
  2026-12-15T22:59:40Z # a moment before midnight where the company is
  2027-01-13T00:00:05Z # a moment after midnight where the machine is
  2027-03-28T00:59:40Z # a moment before Europe's clocks go forward
  2027-10-31T00:30:00Z # in the hour that Europe's clocks show twice
  2027-03-14T06:59:40Z # a moment before New York's clocks go forward
  2028-02-29T12:00:00Z # the day that most years lack
  2028-02-28T23:30:00Z # already that day where the company is
  2026-12-31T22:30:00Z # the last hour and a half of a year
)

# What depends on days and hours: meetings that are booked, prompts about today, resources by day, links that end.
dated() {
  cargo test --quiet --locked --test product -- connecting:: pipes:: prompts:: reading:: people::
  cargo test --quiet --locked --test rest -- people:: resources::
  cargo test --quiet --locked --test cli -- story::
  cargo test --quiet --locked --test clients -- the_rust_sdk
  cargo test --quiet --locked --test browser -- calls::a_typed
}

[ "$#" -gt 0 ] || set -- "${instants[@]}"
for instant in "$@"; do
  printf '\n=== %s · %s\n' "$instant" "$(date --utc --date="$instant" +%A 2>/dev/null || true)"
  TEST_TIME="$instant" dated
done
printf '\nno failure at: %s\n' "$*"
