"""Events and announcements. Its models come with the community pages."""
