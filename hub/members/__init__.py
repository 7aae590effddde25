"""People: members, households, guardians, API tokens, sign-in."""
