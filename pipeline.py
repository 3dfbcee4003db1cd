"""The door for people in a checkout: ``python pipeline.py …`` is ``pillarbox …``."""

from pillarbox.cli.main import main

if __name__ == "__main__":
    main()
