"""Write the example company's order book; the same orders every time."""

import argparse
from pathlib import Path

from actions.order_book import build_order_book


def main() -> None:
    """Write the order book."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="the SQLite file to write; an old one is replaced")
    arguments = parser.parse_args()
    print(f"{build_order_book(arguments.path)} orders written to {arguments.path}")


if __name__ == "__main__":
    main()
