"""Who may import whom holds: the contracts of pyproject.toml, which `make lint` checks too."""

import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parents[2]


def test_every_import_follows_the_map() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(program), "--no-logo", "--no-cache"], cwd=REPO, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
