"""Keepsake: a personal memory service on natant."""
