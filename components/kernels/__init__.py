"""What compiled loops are made of: how they are compiled, and matrix products."""
