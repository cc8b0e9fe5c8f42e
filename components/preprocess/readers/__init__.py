"""How files of interactions are read: one module for each format."""
