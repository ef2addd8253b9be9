#!/usr/bin/env bash
# Installs what the tests need besides Rust and a C compiler.
#
#   scripts/setup-tests.sh            what the test-suite needs; system packages only as root, on Debian, by apt
#   scripts/setup-tests.sh --all      every row of the table below, needed or not
#   scripts/setup-tests.sh --check    installs nothing, says what is there; fails when something needed is missing
#   scripts/setup-tests.sh NAME...    only these rows of the table below
#
# Running it again costs nothing. Everything it makes itself lies under target/test-tools/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly tools="$PWD/target/test-tools"
readonly cargo_deny_version=0.20.2
readonly conformance_version=0.2.0-alpha.12

# One row per program: name | who asks for it | how it is looked for | how it is had | what needs it.
# "tests" rows are needed by the suite as it stands; "ci" rows by one stage of .ci/run.
programs() {
  cat <<'ROWS'
python        | tests | found_python          | from_apt python3 python3-venv | the Python clients of tests/clients
client-modern | tests | found_client modern   | venv_for modern               | tests/clients: the official Python client, protocol 2026-07-28
client-legacy | tests | found_client legacy   | venv_for legacy               | tests/clients: the official Python client, protocol 2025-11-25
hosts         | tests | found_client hosts    | venv_for hosts                | tests/clients: FastMCP and OpenAI Agents
langchain     | tests | found_client langchain | venv_for langchain           | tests/clients: LangChain's adapters
pipecat       | tests | found_client pipecat  | venv_for pipecat              | tests/clients: Pipecat
aiortc        | tests | found_client aiortc   | venv_for aiortc               | tests/voice: a caller that is not ours
openapi       | tests | found_client openapi  | venv_for openapi              | tests/rest: a validator of OpenAPI documents that is not ours
postgresql    | tests | found_postgresql      | from_apt postgresql           | src/store/postgres and tests/nodes: the shared store
cargo-deny    | ci    | found_cargo_deny      | install_cargo_deny            | the stage supply-chain of .ci/run
node          | tests | found_node            | install_node                  | tests/conformance.rs: the official suite needs node 22 or newer
npm-clients   | tests | found_npm_clients     | install_npm_clients           | tests/clients: both TypeScript SDKs and the Inspector
oidc-provider | tests | found_oidc            | install_oidc                  | tests/foreign_server: an authorization server that is not ours
conformance   | tests | found_conformance     | install_conformance           | tests/conformance.rs: the official conformance suite
chromium      | tests | found_chromium        | from_apt chromium chromium-driver | tests/browser: the console in a real browser
pipecat-web   | tests | found_pipecat_web     | install_pipecat_web           | tests/browser: Pipecat's own client for browsers
coturn        | tests | found_program turnserver | from_apt coturn         | tests/voice: a TURN server that is not ours
espeak-ng     | tests | found_program espeak-ng | from_apt espeak-ng          | tests/voice: the voice that needs no key
ROWS
}

say() { printf '%s\n' "$*"; }
fail() { printf 'setup-tests: %s\n' "$*" >&2; exit 1; }

# How things are looked for. Each prints where it found the thing.

found_program() { command -v "$1"; }

found_chromium() { command -v chromium >/dev/null && command -v chromedriver; }

found_python() {
  command -v python3 || return 1
  # Debian splits venv and ensurepip off into python3-venv.
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
}

found_client() {
  local home="$tools/python/$1"
  [ -x "$home/bin/python" ] && cmp -s "tests/clients/$1.txt" "$home/installed.txt" && say "$home"
}

found_cargo_deny() {
  local program
  for program in "$tools/cargo/bin/cargo-deny" "$(command -v cargo-deny || true)"; do
    [ -x "$program" ] && [ "$("$program" --version)" = "cargo-deny $cargo_deny_version" ] && say "$program" && return 0
  done
  return 1
}

found_node() {
  local program
  for program in "$tools/node/node_modules/node/bin/node" "$(command -v node || true)"; do
    [ -x "$program" ] && "$program" -e 'process.exit(+(process.versions.node.split(".")[0] < 22))' && say "$program" && return 0
  done
  return 1
}

found_npm_clients() {
  local home="$tools/clients"
  cmp -s tests/clients/npm/package-lock.json "$home/installed.json" && say "$home"
}

found_oidc() {
  local home="$tools/oidc"
  cmp -s tests/foreign_server/npm/package-lock.json "$home/installed.json" && say "$home"
}

found_pipecat_web() {
  local home="$tools/pipecat-web"
  cmp -s tests/browser/npm/package-lock.json "$home/installed.json" && [ -s "$home/pipecat.js" ] && say "$home"
}

found_conformance() {
  local home="$tools/conformance/node_modules/@modelcontextprotocol/conformance"
  grep -q "\"version\": *\"$conformance_version\"" "$home/package.json" 2>/dev/null && say "$home"
}

found_postgresql() {
  local program
  for program in /usr/lib/postgresql/*/bin/initdb "$(command -v initdb || true)"; do
    [ -x "$program" ] && [ -x "$(dirname "$program")/postgres" ] && say "$(dirname "$program")" && return 0
  done
  return 1
}

# How things are had.

from_apt() {
  command -v apt-get >/dev/null || fail "this is not a Debian machine: install the equivalents of \"$*\" yourself, then run this again"
  [ "$(id -u)" = 0 ] || fail "run this first: sudo apt-get update && sudo apt-get install --yes --no-install-recommends $*"
  apt_update_once
  # The tests start servers of their own: no cluster of the system's is wanted.
  if [ "$1" = postgresql ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    say 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -o Dpkg::Options::=--force-confold "$@" </dev/null
}

apt_updated=
apt_update_once() {
  [ -n "$apt_updated" ] || apt-get update
  apt_updated=yes
}

# A virtual environment with exactly the pinned packages of tests/clients/NAME.txt.
venv_for() {
  local home="$tools/python/$1"
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "tests/clients/$1.txt"
  # Written last, so that an interrupted install is done again.
  cp "tests/clients/$1.txt" "$home/installed.txt"
}

# Without optimisation it compiles in a third of the time and checks in the same second.
install_cargo_deny() {
  cargo install cargo-deny --debug --locked --version "$cargo_deny_version" --root "$tools/cargo"
}

install_node() {
  npm_install node node@22
}

install_conformance() {
  npm_install conformance "@modelcontextprotocol/conformance@$conformance_version"
}

# Exactly what the lock file names; no package runs a script of its own while it is installed.
install_npm_clients() {
  local home="$tools/clients"
  command -v npm >/dev/null || fail "this comes as npm packages: install npm first (on Debian: apt-get install npm)"
  rm -rf "$home" && mkdir -p "$home" && cp tests/clients/npm/package.json tests/clients/npm/package-lock.json "$home"
  PATH="$tools/node/node_modules/node/bin:$PATH" npm ci --prefix "$home" --ignore-scripts --no-audit --no-fund
  # Written last, so that an interrupted install is done again.
  cp tests/clients/npm/package-lock.json "$home/installed.json"
}

install_oidc() {
  local home="$tools/oidc"
  command -v npm >/dev/null || fail "this comes as npm packages: install npm first (on Debian: apt-get install npm)"
  rm -rf "$home" && mkdir -p "$home" && cp tests/foreign_server/npm/package.json tests/foreign_server/npm/package-lock.json "$home"
  PATH="$tools/node/node_modules/node/bin:$PATH" npm ci --prefix "$home" --ignore-scripts --no-audit --no-fund
  # Written last, so that an interrupted install is done again.
  cp tests/foreign_server/npm/package-lock.json "$home/installed.json"
}

# As one script, as a page would load it.
install_pipecat_web() {
  local home="$tools/pipecat-web"
  command -v npm >/dev/null || fail "this comes as npm packages: install npm first (on Debian: apt-get install npm)"
  rm -rf "$home" && mkdir -p "$home"
  cp tests/browser/npm/package.json tests/browser/npm/package-lock.json tests/browser/npm/pipecat.mjs "$home"
  (
    cd "$home"
    PATH="$tools/node/node_modules/node/bin:$PATH"
    npm ci --ignore-scripts --no-audit --no-fund
    node_modules/.bin/esbuild pipecat.mjs --bundle --format=iife --global-name=Pipecat --outfile=pipecat.js --log-level=warning
  )
  # Written last, so that an interrupted install is done again.
  cp tests/browser/npm/package-lock.json "$home/installed.json"
}

# Each in a folder of its own: npm removes what its command does not name.
npm_install() {
  command -v npm >/dev/null || fail "this comes as an npm package: install npm first (on Debian: apt-get install npm)"
  mkdir -p "$tools/$1"
  npm install --prefix "$tools/$1" --no-save --no-audit --no-fund "$2"
}

# The run over the table.

trimmed() { local text="$*"; text="${text#"${text%%[![:space:]]*}"}"; printf '%s' "${text%"${text##*[![:space:]]}"}"; }

missing=0
ensure() {
  local name="$1" look="$2" get="$3" need="$4" where
  if where=$($look | head -n 1) && [ -n "$where" ]; then
    say "ok       $name: $where"
  elif [ "$mode" = check ]; then
    say "missing  $name (for: $need)"
    missing=1
  else
    say "install  $name (for: $need): ${get//_/ }"
    $get
    where=$($look | head -n 1) || fail "$name was installed and still cannot be found"
    say "ok       $name: $where"
  fi
}

# Is this row of the table asked for?
wanted() {
  local name="$1" who="$2"
  if [ -n "$names" ]; then
    case " $names " in *" $name "*) return 0 ;; *) return 1 ;; esac
  fi
  [ "$who" = tests ] || [ "$all" = yes ]
}

mode=install all=no names=
for argument in "$@"; do
  case "$argument" in
    --all) all=yes ;;
    --check) mode=check ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) fail "unknown option $argument; --help tells what there is" ;;
    *) programs | grep -q "^$argument " || fail "nothing here is called \"$argument\""; names="$names $argument" ;;
  esac
done

while IFS='|' read -r name who look get need; do
  name=$(trimmed "$name") who=$(trimmed "$who")
  wanted "$name" "$who" || continue
  ensure "$name" "$(trimmed "$look")" "$(trimmed "$get")" "$(trimmed "$need")" </dev/null
done < <(programs)
exit "$missing"
