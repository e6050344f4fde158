"""STOP and START: one list of words, whoever reads it."""

from pathlib import Path

import pytest
import yaml

from bot.opt_out import opting

DATA = Path(__file__).parents[2] / "nlu" / "data" / "opt.yml"


def _examples(intent: str) -> list[str]:
    """The model's examples of an intent."""
    (told,) = [one for one in yaml.safe_load(DATA.read_text())["nlu"] if one["intent"] == intent]
    return [str(line).removeprefix("- ") for line in told["examples"].splitlines()]


@pytest.mark.parametrize("intent", ["stop", "start"])
def test_whatever_the_model_takes_for_stop_or_start_is_known_without_it(intent: str) -> None:
    assert [text for text in _examples(intent) if opting(text) != intent] == []


@pytest.mark.parametrize(
    "text", ["STOP", "stop!", "@KestrelAir stop", "Stop @KestrelAir", "please stop", "Stop, please."]
)
def test_stop_is_known_however_it_is_written(text: str) -> None:
    assert opting(text) == "stop"


@pytest.mark.parametrize("text", ["when do you stop check-in", "stop at Rome", "", "@stop", "start from Rome"])
def test_a_sentence_that_holds_the_word_is_no_wish_to_stop(text: str) -> None:
    assert opting(text) is None
