"""The account: what comes in, what goes out.

Start with responder.py: one message from inbox to outbox. Then turns.py (what a burst of messages gets), notices.py
(what we say ourselves), casework.py (cases and packets), assistant.py (Rasa, in process), delivery.py (outbox to
channel), channels/ (X), web/ (the shell of the pages), sandbox/ (a local X), wiring.py and cli.py.
"""
