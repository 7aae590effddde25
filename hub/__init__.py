"""Hidamari: seats, childcare, work and community of a fee-free regional hub, in one site."""
