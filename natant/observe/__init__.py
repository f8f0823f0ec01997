"""What people see of a running host: logs, metrics, the watchdog."""
