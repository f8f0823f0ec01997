"""What a page in a browser needs of natant, served at ``/-/web/`` of every plane: ``import { read, write } from "/-/web/recon.js"``."""
