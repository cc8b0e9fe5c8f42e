"""`tune`: finds values for the keys of `trainer`, on this machine."""
