"""Work queues under fire."""
