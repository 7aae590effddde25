"""The use cases that span seats and childcare. Owns the transaction."""
