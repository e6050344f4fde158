"""What the bot can do within a turn, a file per topic, without side effects outside.

turn.py (what an action sees and gives) · routing.py (which talk a message belongs to) · fare_talk, order_talk,
knowledge_talk, courtesy (what is said) · fares, orders (ports) · fare_table, order_book (their embedded adapters).
"""
