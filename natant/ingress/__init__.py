"""Sources: what brings events into a plane."""
