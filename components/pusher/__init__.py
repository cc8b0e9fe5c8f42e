"""Pushes a blessed model to where it is served from."""
