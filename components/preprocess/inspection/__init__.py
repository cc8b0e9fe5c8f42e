"""Finds out how files of interactions are to be read, and what is in them, before anybody writes a configuration."""
