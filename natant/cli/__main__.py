"""``python -m natant.cli`` is ``natant``."""

from natant.cli.main import main

main()
