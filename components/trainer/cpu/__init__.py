"""NeuMF's training step for CPUs: compiled loops around BLAS, exact to rounding, with the results of the Keras step."""
