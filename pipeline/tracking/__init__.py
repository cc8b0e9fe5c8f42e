"""What is told of a run when it has ended: to a webhook, and to a server that tracks experiments."""
