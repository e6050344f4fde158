"""The shell of the web pages. Read app.py (what is served), shell.py (layout), sign_in.py, guard.py, live.py."""
