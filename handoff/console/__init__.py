"""The console, where agents work. Read app.py (addresses), pages.py, actions.py, case_view.py, answering.py."""
