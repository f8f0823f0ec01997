"""The commands, one a file: the module ``natant.cli.command.NAME`` holds ``natant NAME`` as its ``cli``."""
