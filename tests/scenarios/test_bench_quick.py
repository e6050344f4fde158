"""The benchmark in small: it measures both sides and keeps every figure; how fast they are is not asked here."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
KEYS = (
    "throughput_ratio",
    "p95_ratio",
    "turn_growth",
    "peer_turn_growth",
    "responder_rss_mb",
    "responder_rss_growth",
    "start_s",
)


@pytest.mark.slow
@pytest.mark.timeout(900)  # the peer is trained once
@pytest.mark.usefixtures("trained_model")
def test_the_benchmark_measures_both_sides(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--out", str(out)],
        cwd=REPO,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(out.read_text())
    assert all(math.isfinite(figures[key]) for key in KEYS)
    assert all(key in done.stdout for key in KEYS)
    assert figures["responder_rss_mb"] > 0 < figures["start_s"]
