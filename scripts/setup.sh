#!/usr/bin/env bash
# Makes .venv and installs requirements.lock into it; run by the Makefile. Interrupted, it goes on where it was.
set -uo pipefail
cd "$(dirname "$0")/.."

readonly PYTORCH_INDEX=https://download.pytorch.org/whl/cpu
readonly NEEDED_MB=5000
readonly LOG=.venv/setup.log
readonly DONE=.venv/setup-done

stop() {
  printf 'Set-up stopped: %s\n' "$*" >&2
  exit 1
}

find_python() {
  for python in "${PYTHON:-python3.11}" python3.11 python3; do
    "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && return
  done
  stop "Python 3.11 is missing. Debian/Ubuntu: apt install python3.11 python3.11-venv; elsewhere: pyenv install 3.11;" \
    "or name one: make setup PYTHON=/path/to/python3.11"
}

make_venv() {
  .venv/bin/python -m pip --version >/dev/null 2>&1 && return
  find_python
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    stop "this Python has no venv module. Debian/Ubuntu: apt install python3.11-venv"
  check_room
  echo "Making .venv with $("$python" --version)"
  "$python" -m venv --clear .venv || stop ".venv could not be made (see above)."
}

check_room() {
  local free
  free=$(df -Pm . | awk 'NR == 2 {print $4}')
  [ "${free:-$NEEDED_MB}" -ge "$NEEDED_MB" ] ||
    stop "the disk of $PWD has ${free} MB free; $NEEDED_MB MB are needed. Free some and run it again."
}

pip_install() {
  .venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off \
    --no-deps --ignore-requires-python "$@" 2>>"$LOG" | tee -a "$LOG"
}

why_pip_failed() {
  if grep -qiE 'no space left|disk quota' "$LOG"; then
    stop "the disk is full. Free about $NEEDED_MB MB and run it again; what is installed stays."
  fi
  grep -E '^ *(ERROR|error):' "$LOG" | tail -3 >&2
  stop "$1 The whole story: $LOG"
}

install_torch() {
  pip_install "$1" >/dev/null && return
  echo "torch for the CPU is not where pip looks; asking PyTorch's own index"
  pip_install --index-url "$PYTORCH_INDEX" --retries 2 --timeout 30 "$1" >/dev/null ||
    why_pip_failed "$1 was found neither where pip looks nor at $PYTORCH_INDEX; check the network."
}

# A package that was being unpacked when the set-up was interrupted has no RECORD yet, but pip would take it for whole.
forget_halves() {
  .venv/bin/python - <<'PYTHON'
import shutil, sysconfig
from pathlib import Path

for about in Path(sysconfig.get_path("purelib")).glob("*.dist-info"):
    if not (about / "RECORD").is_file():
        shutil.rmtree(about)
PYTHON
}

install_lock() {
  local total
  forget_halves
  total=$(grep -cE '^[A-Za-z]' requirements.lock)
  echo "Installing $total packages, about 2 GB the first time: a few minutes"
  install_torch "$(grep '^torch==' requirements.lock)"
  pip_install -r requirements.lock |
    awk -v total="$total" '
      /^Requirement already satisfied: / {n++}
      /^(Collecting|Processing) / {name = $2; sub(/.*\//, "", name); printf "  %3d/%d %s\n", ++n, total, name; fflush()}
      /^Installing collected packages/ {print "  unpacking"; fflush()}'
  [ "${PIPESTATUS[0]}" -eq 0 ] || why_pip_failed "the packages could not be installed."
  pip_install --no-build-isolation -e . >/dev/null || why_pip_failed "frontdesk itself could not be installed."
}

inputs() { sha256sum requirements.lock pyproject.toml scripts/setup.sh; }

if [ -f "$DONE" ] && [ "$(inputs)" = "$(cat "$DONE")" ] && .venv/bin/python -c '' 2>/dev/null; then
  touch "$DONE"
  exit 0
fi
make_venv
: >"$LOG" || stop "$LOG cannot be written; is the disk full?"
install_lock
inputs >"$DONE" || stop "$DONE cannot be written; is the disk full?"
echo "Ready: make run, make test"
