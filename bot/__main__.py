"""`python -m bot` is `model-approvals`."""

import sys

from bot.cli import main

sys.exit(main())
