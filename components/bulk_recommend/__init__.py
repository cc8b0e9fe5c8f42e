"""Recommends to all users that a pushed model knows, in one file."""
