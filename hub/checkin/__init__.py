"""The door: passes, devices, scans, presence. Its models come with the door."""
