"""Where customers write: `channel.py` is the port that ingress and delivery speak to, `x/` is X behind it."""
