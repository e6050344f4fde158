"""X behind the channel port.

In reading order: adapter.py (the port on X) · posts.py (what X tells, as messages) · text.py (cleaning and length) ·
rules.py (what may be sent) · problems.py (what a refusal means) · transport.py (tweepy) · wire.py (limits in time).
"""
