"""Tenants: an account of NATS each, with its users, roles and quota; and the doors of a plane that take the same users."""
