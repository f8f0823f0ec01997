"""Where agents live when more than one worker runs a plane: partitions, members, owners, and messages between workers."""
