"""Fakes with memory and builders that many tests share."""
