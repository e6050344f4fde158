"""Sensitive words measured on the shared escalation set: prints recall and false alarms per category (pytest -s)."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from handoff.sensitivity_policy import load_sensitivity

SHARED = Path(os.environ.get("FRONTDESK_SHARED", Path(__file__).parents[3] / "shared"))
ROWS = SHARED / "data" / "escalation" / "dev.jsonl"
# below what was measured when the rules were written, so that only a real loss fails
ESCALATE = {
    "human_request": 0.90,
    "fraud_security": 0.80,
    "account_closure": 0.90,
    "lost_luggage": 0.75,
    "abuse": 0.80,
    "complaint": 0.57,
    "complaint_airline": 0.66,
}
BENIGN = (
    "benign_airline_question",
    "benign_fare",
    "benign_info",
    "benign_praise",
    "benign_service_tweet",
)


@pytest.mark.slow
@pytest.mark.skipif(not ROWS.exists(), reason="the shared escalation set is not here; set FRONTDESK_SHARED")
def test_most_sensitive_messages_are_seen_and_few_others() -> None:
    rules = load_sensitivity()
    seen: Counter[str] = Counter()
    called: Counter[str] = Counter()
    for line in ROWS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        assessment = rules.assess(row["text"])
        about_crisis = row["category"] in ("crisis", "benign_noncrisis_tweet")
        crisis = any(match.category.name == "self_harm" for match in assessment.matches)
        seen[row["category"]] += 1
        called[row["category"]] += crisis if about_crisis else assessment.needs_person
    share = {category: called[category] / seen[category] for category in seen}
    for category, value in share.items():
        print(f"{category:26} {seen[category]:5} rows  {value:.3f} to a person")
    false_alarms = sum(called[category] for category in BENIGN) / sum(seen[category] for category in BENIGN)
    print(f"false alarms on harmless rows: {false_alarms:.3f}")
    assert false_alarms <= 0.10
    assert all(share[category] <= 0.10 for category in BENIGN)
    assert {category: share[category] for category, least in ESCALATE.items() if share[category] < least} == {}
    # the crisis labels are weak: many rows are sad, not in danger, and many others speak of it only in hints
    assert share["crisis"] >= 0.45
