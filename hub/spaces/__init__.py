"""The hub as a place: roles, zones, seats, hours, closures; visits and the claims that guard them."""
