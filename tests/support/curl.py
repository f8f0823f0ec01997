"""As much of curl as the documents use, for machines without it: ``curl -s [-H HEADER]... [-d BODY] URL``."""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request

__all__ = ["main"]


def main() -> None:
    """Make one request and print what is answered, whatever its status."""
    parser = argparse.ArgumentParser(prog="curl")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    parser.add_argument("url")
    asked = parser.parse_args()
    headers = dict(header.split(": ", 1) for header in asked.H)
    request = urllib.request.Request(asked.url, None if asked.d is None else asked.d.encode(), headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        body = error.read()
    sys.stdout.buffer.write(body)


if __name__ == "__main__":
    main()
