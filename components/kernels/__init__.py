"""What compiled loops are made of: how they are compiled, threads, random numbers, matrix products."""
