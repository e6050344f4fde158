"""STOP and START: one list of words, read before anything else; the assistant knows neither."""

import pytest

from bot.opt_out import opting

STOPPING = """
stop
stop please
please stop
stop it
stopp
stop messages
stop messaging me
stop messaging
stop sending me messages
stop texting me
stop writing to me
stop replying
stop replying to me
stop contacting me
unsubscribe
unsubscribe me
opt out
opt me out
optout
no more messages
no more messages please
leave me alone
do not contact me
do not contact me again
don't message me
don't message me again
don't reply to me
stop all
stopall
stop bot
stop tweeting me
stop dming me
end messages
"""
STARTING = """
start
start please
please start
start again
start messages
start messaging
start messaging me
start messaging me again
start sending messages
start replying
start bot
unstop
subscribe
subscribe me
resubscribe
opt in
opt me in
opt me back in
optin
you can message me
you can message me again
you can write to me again
you can contact me again
resume messages
turn messages on
turn messages back on
"""


@pytest.mark.parametrize("text", STOPPING.strip().splitlines())
def test_every_wording_of_stop_is_known(text: str) -> None:
    assert opting(text) == "stop"


@pytest.mark.parametrize("text", STARTING.strip().splitlines())
def test_every_wording_of_start_is_known(text: str) -> None:
    assert opting(text) == "start"


@pytest.mark.parametrize(
    "text", ["STOP", "stop!", "@KestrelAir stop", "Stop @KestrelAir", "please stop", "Stop, please."]
)
def test_stop_is_known_however_it_is_written(text: str) -> None:
    assert opting(text) == "stop"


@pytest.mark.parametrize("text", ["when do you stop check-in", "stop at Rome", "", "@stop", "start from Rome"])
def test_a_sentence_that_holds_the_word_is_no_wish_to_stop(text: str) -> None:
    assert opting(text) is None
