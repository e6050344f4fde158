"""The doctor: looks at everything Frontdesk needs and says what is wrong and how to mend it; it changes nothing.

Read examination.py first; the others each look at one thing.
"""
