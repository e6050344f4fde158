"""People and the record they share with the bot.

In reading order: words (the values everybody speaks in), keys (every Redis key and every transition on one
screen), transitions/ (one Lua script each), connection and scripts (run them, repeat them safely), ledger
(messages, turns, conversations), leases, outbox (what is to be said), desk (what people do with a case), queue
(who waits), packet (what an agent gets), sensitivity and hours (policies/), console/ (the pages).
"""
