"""Linear models from items to items: how they are found, and how they score."""
