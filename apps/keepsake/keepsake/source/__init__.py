"""Importers: each turns a file of some program into messages."""
