"""NegativeGen: interactions in, ready batches with fresh negatives out."""
