"""How long the proofs run."""

import os

LONG = os.environ.get("PROOFS") == "long"
