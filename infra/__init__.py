"""The cloud: settings, stacks, constructs, bundling.

The CDK library runs its core in Node.js and refuses releases past their end of life. The environment that carries
this package also carries a supported Node, so that one is used unless the caller chose another.
"""

import os
import sys
from pathlib import Path

_BUNDLED_NODE = Path(sys.executable).parent / "node"
if _BUNDLED_NODE.exists():
    os.environ.setdefault("JSII_NODE", str(_BUNDLED_NODE))
