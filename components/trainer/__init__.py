"""Trainer: learns NeuMF from ready batches with a compiled loop and exports a model that serves raw ids."""
