"""`python -m ddsp_edge`, the same as `ddsp-edge`."""

import sys

from ddsp_edge.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
