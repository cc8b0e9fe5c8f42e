"""NeuMF's training step for CPUs: compiled loops and matrix products, with the results of the Keras step."""
