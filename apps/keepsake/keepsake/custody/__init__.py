"""What happened to a person's data, so that it can be proved: records, a Merkle log, checkpoints, grants, anchors."""
