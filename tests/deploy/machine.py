"""What packages are built for where a test runs them."""

import os
import sys

MACHINE = "x86_64" if os.uname().machine == "x86_64" else "arm64"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
