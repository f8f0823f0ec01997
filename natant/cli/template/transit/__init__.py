"""A bus fleet on a map: a source that drives it, typed messages, joins."""
