"""From raw rows to shards of whole users: plan, distribute and sort, filter, hold out."""
