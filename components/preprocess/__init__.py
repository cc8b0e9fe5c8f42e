"""The first step: from a file of interactions to indexed, sorted and split shards."""
