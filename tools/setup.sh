# Sourced by run, test, check and bench: makes .venv below the checkout and installs what is locked.
# Usage: salus_setup base|test      (needs: Python 3.11 or newer, and a package index for pip)
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

salus_browser() { # a Chromium for the browser tests
  for candidate in "${CHROMIUM:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
    [ -n "$candidate" ] && [ -x "$candidate" ] && { export CHROMIUM=$candidate; return; }
  done
  salus_apt chromium
  export CHROMIUM=/usr/bin/chromium
}
