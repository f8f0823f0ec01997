"""``python -m keepsake.cli`` is ``keepsake``."""

from keepsake.cli.main import main

main()
