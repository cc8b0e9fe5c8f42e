"""Ranks held-out items by the scores of a model or a baseline."""
