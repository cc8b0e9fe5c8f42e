"""The pipeline's artifacts: for each its typed summary, its writer and its reader, and the files they are made of."""
