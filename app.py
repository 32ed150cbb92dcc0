"""CDK entry point: ``cdk deploy --all -c stage=prod``."""

import sys

from infra.application import main

if __name__ == "__main__":
    sys.exit(main())
