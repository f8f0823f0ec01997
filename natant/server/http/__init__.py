"""HTTP beside the WARP path: nodes and lanes, streams, static files, health, counters, OpenAPI."""
