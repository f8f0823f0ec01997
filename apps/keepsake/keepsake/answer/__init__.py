"""From memories to an answer that quotes them."""
