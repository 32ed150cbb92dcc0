"""How a build fails."""


class BuildError(RuntimeError):
    """Something is not as the recipe expects; the text says what to do."""


class CannotBuildHereError(BuildError):
    """This machine lacks what every build needs: uv, the target's Python, or a way to the package index."""
