"""The model of one person: its parts, how they learn, and which version is live."""
