"""The audit finds what it is there to find; a count of 0 is worth something only then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.audit import Audit, Kept, Record, audit, percentiles
from bot.crowd import Said

MIA = "x:100"
TOM = "x:200"


def received(message: str, conversation: str = MIA) -> Record:
    return Record(at_ms=1, kind="message_received", conversation=conversation, facts={"message": message})


def ended(message: str, conversation: str = MIA, outcome: str = "answered", **facts: Any) -> Record:
    told = {"message": message, "outcome": outcome, "turn": f"t-{message}", **facts}
    return Record(at_ms=2, kind="outcome", conversation=conversation, facts=told)


def entry(number: int, *, external_id: str = "", state: str = "sent", seq: int | None = None, **more: Any) -> Kept:
    fields = {"id": f"t{number}", "conversation": MIA, "author": "bot", "seq": seq or number, **more}
    return Kept(state=state, external_id=external_id, **fields)


def said(platform_id: str, in_reply_to: str | None = None) -> Said:
    return Said(id=platform_id, text="Two bags.", at_ms=3, in_reply_to=in_reply_to)


def counted(
    journal: Sequence[Record],
    *,
    expected: Sequence[str] = ("post:1",),
    entries: Sequence[Kept] = (),
    posts: Sequence[Said] = (),
) -> Audit:
    return audit(expected=expected, journal=journal, entries=entries, said=posts)


HANDLED = (received("post:1"), ended("post:1"))


def test_a_message_that_was_answered_once_is_no_fault() -> None:
    found = counted(HANDLED, entries=[entry(1, external_id="9")], posts=[said("9", "1")])
    assert found.is_clean
    assert found.outcomes == {"answered": 1, "case_opened": 0, "joined": 0, "silent": 0}


def test_a_message_without_an_outcome_is_lost() -> None:
    assert counted([received("post:1")]).lost == 1


def test_a_message_that_never_reached_the_ledger_is_lost() -> None:
    assert counted([], expected=("post:1", "dm:2")).lost == 2


def test_a_message_that_ended_twice_is_duplicated() -> None:
    found = counted([*HANDLED, ended("post:1")])
    assert (found.lost, found.duplicated) == (0, 1)


def test_a_message_that_was_received_twice_is_duplicated() -> None:
    assert counted([received("post:1"), *HANDLED]).duplicated == 1


def test_a_reply_marked_as_sent_that_nobody_can_read_is_lost() -> None:
    assert counted(HANDLED, entries=[entry(1, external_id="9")]).lost == 1


def test_two_replies_that_claim_one_post_are_lost() -> None:
    entries = [entry(1, external_id="9"), entry(2, external_id="9")]
    assert counted(HANDLED, entries=entries, posts=[said("9")]).lost == 2


def test_a_post_of_ours_that_no_entry_explains_is_duplicated() -> None:
    found = counted(HANDLED, entries=[entry(1, external_id="9")], posts=[said("9", "1"), said("10", "1")])
    assert found.duplicated == 1
    assert "10" in found.evidence[0]


def test_a_post_sent_for_an_entry_that_counts_as_blocked_is_duplicated() -> None:
    found = counted(HANDLED, entries=[entry(1, state="blocked", detail="duplicate")], posts=[said("9", "1")])
    assert found.duplicated == 1
    assert found.blocked == {"duplicate": 1}


def test_two_automated_answers_to_one_post_are_duplicated() -> None:
    entries = [entry(1, external_id="9"), entry(2, external_id="10")]
    assert counted(HANDLED, entries=entries, posts=[said("9", "1"), said("10", "1")]).duplicated == 1


def test_a_person_may_answer_a_post_that_the_bot_answered() -> None:
    entries = [entry(1, external_id="9"), entry(2, external_id="10", author="agent:ana")]
    assert counted(HANDLED, entries=entries, posts=[said("9", "1"), said("10", "1")]).is_clean


def test_messages_that_end_in_another_order_than_they_came_are_a_violation() -> None:
    journal = [received("post:1"), received("post:2"), ended("post:2"), ended("post:1")]
    assert counted(journal, expected=("post:1", "post:2")).order_violations == 1


def test_messages_that_come_in_another_order_than_they_were_written_are_a_violation() -> None:
    journal = [received("post:2"), received("post:1"), ended("post:2"), ended("post:1")]
    assert counted(journal, expected=("post:1", "post:2")).order_violations == 1


def test_different_conversations_have_no_order() -> None:
    journal = [received("post:1"), received("post:2", TOM), ended("post:2", TOM), ended("post:1")]
    assert counted(journal, expected=("post:1", "post:2")).is_clean


def test_posts_and_direct_messages_may_overtake_each_other_on_the_way_in() -> None:
    journal = [received("dm:2"), received("post:1"), ended("dm:2"), ended("post:1")]
    assert counted(journal, expected=("post:1", "dm:2")).is_clean


def test_replies_that_went_out_in_another_order_than_they_were_queued_are_a_violation() -> None:
    entries = [entry(1, external_id="10"), entry(2, external_id="9")]
    assert counted(HANDLED, entries=entries, posts=[said("9"), said("10")]).order_violations == 1


def test_percentiles_are_values_that_occurred() -> None:
    assert percentiles(range(1, 201)) == {"p50": 100, "p95": 190, "p99": 198}
    assert percentiles([7]) == {"p50": 7, "p95": 7, "p99": 7}
    assert percentiles([]) is None
