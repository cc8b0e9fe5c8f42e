"""The titles of items: where they are, and which item of the vocabulary has which."""
