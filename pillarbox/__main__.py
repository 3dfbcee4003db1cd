"""``python -m pillarbox`` is ``pillarbox``."""

from pillarbox.cli.main import main

if __name__ == "__main__":
    main()
