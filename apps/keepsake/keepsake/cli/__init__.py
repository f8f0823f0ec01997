"""The command `keepsake`."""
