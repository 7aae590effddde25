"""The demo: two made-up hubs, a cast and their bookings, and an inbox for mails that nobody else receives."""
