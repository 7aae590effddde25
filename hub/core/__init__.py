"""What knows no other app: clock, quarters, errors, transactions, sealed fields, live, tasks."""
