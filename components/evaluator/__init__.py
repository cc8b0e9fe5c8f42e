"""Judges a trained model on the held-out items and blesses it, or not."""
