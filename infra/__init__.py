"""The cloud: settings, stacks, constructs, bundling.

The CDK library runs its core in Node.js and refuses releases past their end of life. The environment that carries
this package also carries a supported Node, so that one is used unless the caller chose another.

The tables are declared once, in the product itself, so its source is made importable here: a template is always made
from the same tree as the code it deploys.
"""

import os
import sys
from pathlib import Path

_BUNDLED_NODE = Path(sys.executable).parent / "node"
if _BUNDLED_NODE.exists():
    os.environ.setdefault("JSII_NODE", str(_BUNDLED_NODE))

_CORE = str(Path(__file__).resolve().parent.parent / "layers" / "core" / "python")
if _CORE not in sys.path:
    sys.path.insert(0, _CORE)
